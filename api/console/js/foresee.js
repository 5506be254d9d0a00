/** What the queue will look like once the acts that are under way have been answered: shown at once, then corrected. */

/**
 * The documents of the queue and of the held, with `pending` acts laid over them. The two come one after the other, so
 * that a cut on its way between them would be in neither for a moment: its act carries it.
 */
export function foresee({ queue, held }, pending) {
  const seen = { ...queue, running: [...queue.running], waiting: [...queue.waiting], held: [...(held?.jobs ?? [])] };
  for (const act of pending) FORESEEN[act.kind]?.(seen, act);
  seen.waiting = seen.waiting.map((job, at) =>
    job.queue_position === at + 1 ? job : { ...job, queue_position: at + 1, eta_seconds: null },
  );
  seen.waiting_count = queue.waiting_count + seen.waiting.length - queue.waiting.length;
  return seen;
}

const FORESEEN = {
  cancel: leave,
  reject: leave,
  hold(seen, { job_id, job }) {
    const found = take(seen.waiting, job_id) ?? job;
    if (!seen.held.some((one) => one.job_id === job_id))
      seen.held.push({ ...found, status: "held", queue_position: null });
  },
  approve(seen, { job_id, job }) {
    const found = take(seen.held, job_id) ?? job;
    if ([...seen.waiting, ...seen.running].some((one) => one.job_id === job_id)) return;
    sorted(seen.waiting, { ...found, status: "queued" });
  },
  move(seen, { job_id, place }) {
    const job = take(seen.waiting, job_id);
    if (job) seen.waiting.splice(Math.min(place, seen.waiting.length + 1) - 1, 0, job);
  },
  promote(seen, { job_id, credit_s }) {
    const at = seen.waiting.findIndex((job) => job.job_id === job_id);
    if (at < 0) return;
    const [job] = seen.waiting.splice(at, 1);
    const granted = { ...job, start_number: job.start_number - credit_s };
    const before = seen.waiting.findIndex((other) => other.start_number > granted.start_number);
    seen.waiting.splice(before < 0 ? at : Math.min(at, before), 0, granted);
  },
  clear(seen) {
    seen.waiting = [];
    seen.held = [];
  },
  pause(seen, { paused }) {
    seen.paused = paused;
  },
  open(seen, { open }) {
    seen.open = open;
    seen.draining = seen.draining && !open;
  },
  drain(seen) {
    seen.open = false;
    seen.draining = true;
  },
};

function leave(seen, { job_id }) {
  take(seen.waiting, job_id);
  take(seen.held, job_id);
  seen.running = seen.running.map((job) => (job.job_id === job_id ? { ...job, leaving: true } : job));
}

function take(jobs, job_id) {
  const at = jobs.findIndex((job) => job.job_id === job_id);
  return at < 0 ? null : jobs.splice(at, 1)[0];
}

function sorted(jobs, job) {
  const at = jobs.findIndex((other) => other.start_number > job.start_number);
  jobs.splice(at < 0 ? jobs.length : at, 0, job);
}

/**
 * The place, from 1, at which a job was dropped: behind the nearest one before it on the page that still waits.
 * `order` are the ids that wait by now, `laid` those on the page from the top after the drop.
 */
export function placeOf(job_id, laid, order) {
  const others = order.filter((id) => id !== job_id);
  for (let at = laid.indexOf(job_id) - 1; at >= 0; at -= 1) {
    const before = others.indexOf(laid[at]);
    if (before >= 0) return before + 2;
  }
  return 1;
}
