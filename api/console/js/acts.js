/** The acts of a moderator: which request each one is, what it looks like at once, and how it is told. */

import { nameOf } from "/overlay/js/wording.js";

export const PROMOTED_S = 60;
const BOTTOM = 1_000_000;

const job_path = (job, way = "") => `/jobs/${encodeURIComponent(job.job_id)}${way}`;
const decision = (way, kind, tells) => (job) => ({
  method: "POST",
  path: job_path(job, `/${way}`),
  of: job.job_id,
  pending: { kind, job_id: job.job_id, job },
  says: `${job.cut} ${tells}`,
  rings: ["held"],
});
const switched = (way, pending, says) => ({
  method: "POST",
  path: `/queue/${way}`,
  of: "queue",
  pending,
  says,
  rings: [],
});

/** Give `job` the place `place`, from 1. */
export function move(job, place) {
  return {
    method: "PATCH",
    path: job_path(job),
    body: { position: place },
    of: job.job_id,
    pending: { kind: "move", job_id: job.job_id, place },
    says:
      place === 1 ? `${job.cut} goes next` : place >= BOTTOM ? `${job.cut} goes last` : `${job.cut} is now at ${place}`,
    rings: [],
  };
}

export const top = (job) => move(job, 1);
export const bottom = (job) => move(job, BOTTOM);
export const hold = decision("hold", "hold", "is held");
export const approve = decision("approve", "approve", "is approved");
export const reject = decision("reject", "reject", "is rejected");
export const retry = decision("retry", "retry", "is tried again");

export function promote(job) {
  return {
    ...move(job, 1),
    body: { credit_seconds: PROMOTED_S },
    pending: { kind: "promote", job_id: job.job_id, credit_s: PROMOTED_S },
    says: `${job.cut} has ${PROMOTED_S} s more head start`,
  };
}

/** Stop a job. One that runs can't be taken back, only tried again. */
export function cancel(job) {
  const runs = ["starting", "rendering", "finishing"].includes(job.status);
  const again = runs ? { again: { job_id: job.job_id, cut: job.cut } } : {};
  return { ...decision("cancel", "cancel", "is stopped")(job), ...again };
}

/** Write other words, engine or lane: `changes` holds what differs from `job`, as it was seen. */
export function edit(job, changes) {
  return {
    method: "PATCH",
    path: job_path(job),
    body: changes,
    headers: { "If-Match": `"${job.revision}"` },
    of: job.job_id,
    pending: { kind: "edit", job_id: job.job_id },
    says: `${job.cut} is changed`,
    rings: ["held"],
  };
}

export function ban(job) {
  return {
    method: "POST",
    path: "/bans",
    body: { viewer: job.viewer },
    of: job.viewer,
    pending: { kind: "ban", viewer: job.viewer },
    says: `${nameOf(job.requested_by)} is kept out`,
    rings: ["held", "bans", "history"],
  };
}

export function unban(job) {
  return {
    ...ban(job),
    method: "DELETE",
    path: `/bans/${encodeURIComponent(job.viewer)}`,
    body: undefined,
    says: `${nameOf(job.requested_by)} may ask again`,
  };
}

export const pause = ({ paused }) =>
  paused
    ? switched("resume", { kind: "pause", paused: false }, "The queue goes on")
    : switched("pause", { kind: "pause", paused: true }, "The queue is paused");
export const open = ({ open: is_open }) =>
  is_open === false
    ? switched("open", { kind: "open", open: true }, "Requests are open")
    : switched("close", { kind: "open", open: false }, "Requests are closed");
export const drain = () => switched("drain", { kind: "drain" }, "What waits is still drawn, then the studio rests");
export const clear = (count) => ({
  ...switched("clear", { kind: "clear" }, `${count === 1 ? "One cut is" : `${count} cuts are`} stopped`),
  rings: ["held"],
});

export const dump = ({ state }) => ({
  method: "POST",
  path: state === "dumped" ? "/stage/release" : "/stage/dump",
  of: "stage",
  pending: { kind: "stage", dumped: state !== "dumped" },
  says: state === "dumped" ? "The stage is back" : "The stage is black",
  rings: ["stage"],
});
/** Take the clip on air out of the gallery for good. */
export const remove = (clip) => ({
  method: "DELETE",
  path: `/clips/${encodeURIComponent(clip.clip_id)}`,
  of: clip.clip_id,
  pending: { kind: "remove" },
  says: `${clip.cut} is taken out for good`,
  rings: ["stage"],
});
export const ballot = (now) => ({
  method: now?.state === "open" ? "DELETE" : "POST",
  path: "/ballots",
  of: "ballot",
  pending: { kind: "ballot" },
  says: now?.state === "open" ? "The ballot is closed" : "The chat votes",
  rings: ["ballots"],
});
export const session = (now) => ({
  method: "POST",
  path: now?.live ? "/session/end" : "/session/begin",
  of: "session",
  pending: { kind: "session" },
  says: now?.live ? "The stream has ended" : "The stream has begun",
  rings: ["session", "budget"],
});
export const undo = (act_id) => ({
  method: "POST",
  path: `/audit/${encodeURIComponent(act_id)}/undo`,
  of: "undo",
  pending: { kind: "undo" },
  says: "",
  rings: ["held", "bans", "stage", "history"],
});
