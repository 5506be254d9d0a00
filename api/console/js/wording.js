/** What the console says about acts, places and money. */

import { about, doing, nameOf, wait } from "/overlay/js/wording.js";

const DONE = {
  "job.amended": "changed",
  "job.cancelled": "stopped",
  "job.held": "held",
  "job.approved": "approved",
  "job.rejected": "rejected",
  "job.retried": "tried again",
  "queue.paused": "paused the queue",
  "queue.resumed": "let the queue go on",
  "queue.opened": "opened requests",
  "queue.closed": "closed requests",
  "queue.drained": "drains the queue",
  "queue.cleared": "cleared the queue",
  "session.began": "began the stream",
  "session.ended": "ended the stream",
  "ban.added": "banned",
  "ban.removed": "unbanned",
  "ballot.opened": "opened a ballot",
  "ballot.closed": "closed the ballot",
  "stage.dumped": "dumped the stage",
  "stage.released": "gave the stage back",
  "budget.refilled": "refilled the budget",
  "clip.removed": "took out",
  "show.set": "set style and cast for the show",
  "act.undone": "took an act back",
};
const EDITED = { prompt: "words", engine: "engine", lane: "lane" };

/** An act of the audit in words: "changed C-042 (+60 s)". `cuts` are the cut numbers that the page has seen, by id. */
export function deed(act, cuts) {
  const verb = DONE[act.type] ?? act.type;
  const whom = act.job_id ? (cuts.get(act.job_id) ?? "an older cut") : (act.viewer ?? "");
  if (act.type === "chat.retracted") return retracted(act);
  if (act.type !== "job.amended") return [verb, whom].filter(Boolean).join(" ");
  const { position, credit_s, lane, fields } = act.detail;
  const words = Object.values(fields ?? {})
    .map((field) => EDITED[field])
    .filter(Boolean); // an empty list comes as {}
  if (position && !words.length) return `moved ${whom} to ${position >= 1e6 ? "the bottom" : position}`;
  if (credit_s) return `promoted ${whom} by ${signed(credit_s)}`;
  if (lane && !words.includes("lane")) words.push("lane");
  return words.length ? `changed ${words.join(", ")} of ${whom}` : `changed ${whom}`;
}

/** What went with a message, a viewer or a chat: "took back twitch:3000: 2 cuts, 1 clip". */
function retracted({ viewer, detail }) {
  const what = { message: "a deleted message", viewer, chat: `the chat of ${detail.platform}` }[detail.kind];
  const parts = [
    [detail.cancelled?.length, "cut"],
    [detail.removed?.length, "clip"],
  ];
  const went = parts.filter(([count]) => count).map(([count, noun]) => `${count} ${noun}${count === 1 ? "" : "s"}`);
  return `took back ${what}: ${went.join(", ")}`;
}

/** Seconds with their sign: "+60 s". */
export function signed(seconds) {
  const whole = Math.round(seconds);
  return `${whole < 0 ? "−" : "+"}${Math.abs(whole)} s`;
}

/** A strip for those who hear the page: "C-042, 3rd of 9 …". */
export function spoken(job, count) {
  const where = job.queue_position ? `place ${job.queue_position} of ${count}` : doing(job);
  return `${job.cut}, ${where}, ${job.prompt}, asked by ${nameOf(job.requested_by)}`;
}

/** How many wait, and how fast they go: "12 · about 7 s each". */
export function pace({ waiting_count, seconds_each, paused }) {
  return paused || seconds_each < 1 ? String(waiting_count) : `${waiting_count} · ${about(seconds_each)} each`;
}

/** What stands at the right edge of a strip. */
export function edge(job, { paused = false } = {}) {
  if (job.leaving) return "stopping";
  if (["starting", "rendering", "finishing"].includes(job.status)) return `${doing(job)} ${Math.round(job.progress)} %`;
  if (job.status === "held") return job.held_for ?? "";
  if (job.status === "queued") return paused || job.eta_seconds === null ? "" : wait(job.eta_seconds);
  return doing(job);
}

/** Dollars: "$1.20", and under ten cents "$0.034". */
export function dollars(usd) {
  return `$${usd.toFixed(usd > 0 && usd < 0.1 ? 3 : 2)}`;
}

/** A pot of the budget in words: "$1.20 of $5.00, $3.80 left". */
export function pot({ spent_usd, limit_usd, refilled_usd = 0, left_usd }) {
  const spent = dollars(spent_usd);
  if (limit_usd === null) return `${spent}, no limit`;
  return `${spent} of ${dollars(limit_usd + refilled_usd)}, ${dollars(Math.max(0, left_usd))} left`;
}

/** Why a browser may not moderate, or null: `{says, line, more}` for the document of GET /me. */
export function whyOutside({ role, name }) {
  if (["moderator", "broadcaster"].includes(role)) return null;
  const says = role
    ? `You are logged in as ${name}, with the role ${role}. Moderating takes the role moderator: ` +
      "ask the streamer for such a link, which this line makes."
    : "To work here, log in: type this in a terminal of the studio's PC, with the moderator's name, " +
      "and open the link that it prints.";
  return {
    says,
    line: ".venv/bin/python -m sakuga keys link --name alice",
    more: "The link works once, within ten minutes; then this browser stays logged in for thirty days.",
  };
}
