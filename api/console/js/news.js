/** Which documents an event makes old. */

const OLD = {
  "job.": ["queue"],
  "queue.": ["queue", "audit"],
  "clip.": ["stage", "audit"],
  "stage.": ["stage", "audit"],
  "session.": ["session", "budget", "audit"],
  "show.": ["audit"],
  "pot.": ["queue"],
  "ballot.": ["ballots", "queue", "audit"],
  "vote.": ["ballots"],
  "ban.": ["bans", "audit"],
  "budget.": ["budget", "audit"],
  "support.": ["budget"],
};
const DECIDED = new Set([
  "job.held",
  "job.approved",
  "job.rejected",
  "job.cancelled",
  "job.expired",
  "job.moved",
  "job.edited",
  "job.queued",
]);

export const EVENTS = [
  ...DECIDED,
  "job.admitted",
  "job.started",
  "job.progressed",
  "job.retried",
  "job.finishing",
  "job.succeeded",
  "job.failed",
  "clip.ready",
  "clip.removed",
  "stage.changed",
  "queue.changed",
  "session.began",
  "session.ended",
  "show.changed",
  "pot.opened",
  "pot.joined",
  "pot.poured",
  "ballot.opened",
  "ballot.closed",
  "vote.cast",
  "ban.added",
  "ban.removed",
  "budget.changed",
  "support.received",
];

/** The names of the documents to ask for after an event; `selected` is the id of the cut whose sheet lies open. */
export function heardOf(type, data, selected) {
  const names = [...(OLD[type.slice(0, type.indexOf(".") + 1)] ?? [])];
  if (DECIDED.has(type)) names.push("held", "audit");
  if (data.job_id && data.job_id === selected) names.push("job", "history");
  return names;
}
