/** Which job lies on the desk: the oldest running one, and for a moment the one that has just ended. */

const STAYS_MS = { failed: 5000, succeeded: 1500, cancelled: 0 };
const UNHEARD_MS = 1500;

/**
 * Follow the desk. `before` is the last answer (null at first), `running` the ids of running jobs, `statuses` a Map of
 * status documents by id. Returns `{job_id, left_ms}` or null; `left_ms` is when an ended job left the desk, else null.
 */
export function follow(before, running, statuses, now_ms) {
  if (before && !running.includes(before.job_id)) {
    const left_ms = before.left_ms ?? now_ms;
    const stays_ms = STAYS_MS[statuses.get(before.job_id)?.status] ?? UNHEARD_MS;
    if (now_ms < left_ms + stays_ms) return { job_id: before.job_id, left_ms };
  } else if (before) return { job_id: before.job_id, left_ms: null };
  return running.length ? { job_id: running[0], left_ms: null } : null;
}
