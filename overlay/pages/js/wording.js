/** What the pages say: places, waits, stages of work and the line that explains a place, as the chat says them too. */

const DOING = {
  waiting: "waiting",
  loading: "warming up",
  text: "reading",
  denoise: "drawing",
  decode: "inking",
  encode: "filming",
  done: "done",
};
const ENDED = {
  held: "waiting for a moderator",
  queued: "waiting",
  succeeded: "done",
  failed: "NG",
  cancelled: "stopped",
  rejected: "refused",
  expired: "waited too long",
};

/** Seconds as a wait: "14 s", "about 2 min", "about 1 h 5 min"; null is "soon". */
export function wait(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "soon";
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return `about ${minutes} min`;
  const rest = minutes % 60;
  return rest ? `about ${Math.floor(minutes / 60)} h ${rest} min` : `about ${minutes / 60} h`;
}

/** The same wait inside a sentence: "about 14 s". */
export function about(seconds) {
  const words = wait(seconds);
  return words.startsWith("about") || words === "soon" ? words : `about ${words}`;
}

/** A place in the queue: 1 is "next", 2 "2nd", 3 "3rd", 11 "11th". */
export function place(position) {
  if (position === 1) return "next";
  const tens = position % 100;
  const ending = tens > 10 && tens < 14 ? "th" : (["th", "st", "nd", "rd"][position % 10] ?? "th");
  return `${position}${ending}`;
}

/** An RFC 3339 time as the reader's clock shows it: "14:03". */
export function clock(time, zone) {
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return "";
  return at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone });
}

/** The size of a file: "420 KB", "1.2 MB". */
export function size(bytes) {
  return bytes < 999_500 ? `${Math.max(1, Math.round(bytes / 1e3))} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** A cut's number as it is shown everywhere: 42 is C-042. */
export function cut(number) {
  return `C-${String(number ?? 0).padStart(3, "0")}`;
}

/** The name to show for a viewer, never empty. */
export function nameOf(requested_by) {
  return requested_by?.display_name || requested_by?.login || "somebody";
}

/** Why a job stands where it stands: "sub +300 s · asked 14:03"; `brief` leaves the time out if there is a credit. */
export function explain(job, { zone, brief = false } = {}) {
  const credits = (job.credits ?? []).map(({ reason, seconds }) => {
    const whole = Math.round(seconds);
    return `${reason} ${whole < 0 ? "−" : "+"}${Math.abs(whole)} s`;
  });
  const asked = clock(job.requested_at, zone);
  if (asked && !(brief && credits.length)) credits.push(`asked ${asked}`);
  return credits.join(" · ");
}

/** What is said while a model is on its way into memory: short, since the overlay's paper is narrow. */
export const LOADING = { doing: "loading the model", left: "takes minutes" };

/** Whether that is so: then the gateway knows no wait. A warm engine begins within seconds, and has one. */
export function loads(job) {
  return job.status === "rendering" && job.stage === "loading" && (job.eta_seconds ?? null) === null;
}

/** What is being done with a job, in plain words. */
export function doing(job) {
  if (job.status === "starting" && (job.stage ?? "waiting") === "waiting") return DOING.loading;
  if (loads(job)) return LOADING.doing;
  return ENDED[job.status] ?? DOING[job.stage] ?? "drawing";
}

/** A number of at most three characters, to fit on a stamp: 12500 is 12k. */
function shortened(number) {
  if (number < 1000) return String(number);
  return number < 999_500 ? `${Math.round(number / 1000)}k` : `${Math.round(number / 1_000_000)}M`;
}

/** The round stamp of a lane: `{lane, big, small}`, or null for a viewer, who has none. */
export function stampOf(job) {
  if (job.lane === "bits") {
    const bits = (job.credits ?? []).map((credit) => /^(\d+) bits$/.exec(credit.reason)?.[1]).find(Boolean);
    return { lane: "bits", big: bits ? shortened(Number(bits)) : "BITS", small: bits ? "BITS" : "" };
  }
  return ["sub", "vip", "mod"].includes(job.lane) ? { lane: job.lane, big: job.lane.toUpperCase(), small: "" } : null;
}

/** Where a job is, in one sentence: "C-042 is 3rd, about 2 min". */
export function whereabouts(job) {
  if (["starting", "rendering", "finishing"].includes(job.status)) {
    if (loads(job)) return `${job.cut} is on the desk: ${LOADING.doing}, which the first time ${LOADING.left}`;
    return `${job.cut} is on the desk: ${doing(job)}, ${about(job.eta_seconds)}`;
  }
  if (job.status === "held") return `${job.cut} waits for a moderator`;
  if (job.status === "queued" && job.queue_position) {
    return `${job.cut} is ${place(job.queue_position)}, ${about(job.eta_seconds)}`;
  }
  if (job.status === "succeeded") return `${job.cut} is done`;
  return `${job.cut}: ${job.error?.message ?? doing(job)}`;
}

/** The line over the queue: "9 waiting · about 40 s each". */
export function waiting(count, seconds_each) {
  if (!count) return "nobody waits";
  return seconds_each ? `${count} waiting · ${about(seconds_each)} each` : `${count} waiting`;
}
