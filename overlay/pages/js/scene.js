/** What the overlay shows: the stage document and what is known of the desk, turned into a view without elements. */

import { nameOf, waiting } from "./wording.js";

/** After this long without the gateway, what was on the desk and in the queue is no longer shown as true. */
export const STALE_MS = 15000;

const QUIET = ["dumped", "fallback"];

/**
 * Turn documents into the view `{clip, desk, next, heading, slip, away}`.
 * `stage` is null until the first answer; `job` is the status document on the desk or null; `away_ms` how long the gateway has been away.
 */
export function scene({ stage, job, away_ms }) {
  const blank = { clip: null, desk: null, next: [], heading: "", slip: null, away: away_ms > 0 };
  if (!stage || away_ms > STALE_MS || QUIET.includes(stage.state)) return blank;
  const clip = ["result", "gallery"].includes(stage.state) && stage.clip ? clipView(stage) : null;
  const desk = job && job.job_id !== clip?.clip.job_id ? { job, size: clip ? "strip" : "full" } : null;
  const next = stage.next.slice(0, 5).map((waits) => ({ ...waits }));
  const heading = stage.paused ? "paused" : waiting(stage.waiting_count, stage.seconds_each);
  return { ...blank, clip, desk, next, heading, slip: clip || desk || next.length ? null : "invite" };
}

function clipView({ clip, state, since, server_time }) {
  return {
    clip,
    key: `${clip.clip_id} ${since}`,
    offset_s: Math.max(0, (Date.parse(server_time) - Date.parse(since)) / 1000) || 0,
    kind: state === "gallery" ? "gallery" : "new",
    by: nameOf(clip.requested_by),
    ratio: clip.width > 0 && clip.height > 0 ? clip.width / clip.height : 832 / 480,
  };
}
