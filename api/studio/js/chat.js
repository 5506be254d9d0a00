/** The pretend chat: takes a line, asks the gateway as the bot does, and says what the bot would say. */

import { nameOf, waiting, whereabouts } from "/overlay/js/wording.js";
import { read } from "./chatline.js";

/** Ways to ask: the same lanes that Twitch's badges and bits lead to. */
export const WAYS = {
  viewer: { roles: [], bits: 0 },
  sub: { roles: ["subscriber"], bits: 0 },
  100: { roles: [], bits: 100 },
  300: { roles: [], bits: 300 },
  1000: { roles: [], bits: 1000 },
};

/** Write who asks as the gateway wants to read it. */
export function requestedBy(name, way) {
  const display_name = name.trim().slice(0, 25) || "viewer";
  const login = display_name.toLowerCase().replace(/\s+/g, "_");
  return { platform: "studio", id: login, login, display_name, ...WAYS[way] };
}

/** A fresh Idempotency-Key. `crypto.randomUUID` is missing on plain http addresses of the home network. */
export function freshKey() {
  return `studio-${[...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** Answers one line at a time. `say({kind, text, cut})` shows an answer; `state()` gives the newest queue. */
const SEEN = 2; // documents of the queue after which a job that is not in it has ended

export class Chat {
  #unsent = null;
  #hinted = false;
  #mine = new Map();

  constructor({ say, state, asked, fetch = (...args) => globalThis.fetch(...args) }) {
    Object.assign(this, { say, state, asked, fetch });
  }

  /** Handle what `by` typed. Returns false when the line could not be sent and should stay in the field. */
  async hear(line, by) {
    const command = read(line);
    if (command.kind === "queue") return this.#queue();
    if (command.kind === "pos") return this.#pos(by);
    if (command.kind === "talk") return this.#talk(command.text);
    return this.#anime(command, by, line);
  }

  /**
   * Say how the jobs of this page ended, once each. `statusOf(job_id)` fetches a status document. A job that was never
   * seen in the queue may have ended between two of its documents: after the second one its status is asked for.
   */
  async follow(queue, statusOf) {
    const alive = new Set([...queue.running, ...queue.waiting].map((job) => job.job_id));
    for (const [job_id, seen] of this.#mine) {
      if (alive.has(job_id)) this.#mine.set(job_id, SEEN);
      else if (seen < SEEN - 1) this.#mine.set(job_id, seen + 1);
      else {
        this.#mine.delete(job_id);
        const job = await statusOf(job_id);
        if (job) this.#ended(job);
      }
    }
  }

  #ended(job) {
    const name = nameOf(job.requested_by);
    if (job.status === "succeeded")
      this.say({ kind: "done", cut: job.cut, text: `${job.cut} is done, ${name}. It goes on air next` });
    else if (job.status === "failed")
      this.say({
        kind: "refused",
        cut: job.cut,
        text: `${job.cut} is NG, sorry ${name}. ${job.error?.message ?? ""}`.trim(),
      });
    else this.say({ kind: "refused", cut: job.cut, text: whereabouts(job) });
  }

  async #anime({ prompt, style, characters, preset }, by, line) {
    const key = this.#unsent?.line === line ? this.#unsent.key : freshKey();
    const body = JSON.stringify({
      prompt,
      ...(style ? { style } : {}),
      ...(characters.length ? { characters } : {}),
      ...(preset ? { preset } : {}),
      requested_by: by,
    });
    let response, answer;
    try {
      response = await this.fetch("/generate", {
        method: "POST",
        headers: { "Content-Type": "application/json", "Idempotency-Key": key },
        body,
      });
      answer = await response.json();
    } catch {
      this.#unsent = { line, key };
      this.say({
        kind: "refused",
        text: "The gateway is away, so this was not sent. Your line is kept: press Enter to try again",
      });
      return false;
    }
    this.#unsent = null;
    if (!response.ok)
      this.say({ kind: "refused", text: answer.error?.message ?? `The gateway answered ${response.status}.` });
    else {
      this.#mine.set(answer.job_id, 0);
      this.say({ kind: "answer", cut: answer.cut, text: whereabouts(answer) });
      this.asked?.(answer);
    }
    return response.ok || response.status !== 503;
  }

  #queue() {
    const queue = this.state();
    if (!queue) this.say({ kind: "refused", text: "The queue is not known yet. Try again in a moment" });
    else {
      const [first] = queue.waiting;
      const next = first
        ? `. Next is ${first.cut} by ${nameOf(first.requested_by)}`
        : ". Ask for a cut and it starts at once";
      this.say({
        kind: "answer",
        text: `${waiting(queue.waiting_count, queue.seconds_each).replace(" · ", ", ")}${next}`,
      });
    }
    return true;
  }

  /** Let people talk; tell them once how to ask, which the bot does not do. */
  #talk(text) {
    if (!this.#hinted && !text.startsWith("!")) {
      this.#hinted = true;
      this.say({ kind: "answer", text: `That was just chat. To ask for a cut, begin with !anime` });
    }
    return true;
  }

  #pos(by) {
    const queue = this.state();
    const jobs = [...(queue?.running ?? []), ...(queue?.waiting ?? [])].filter(
      ({ requested_by }) => requested_by.platform === "studio" && requested_by.login === by.login,
    );
    if (!jobs.length) this.say({ kind: "answer", text: `${by.display_name}, you have no cut in the queue` });
    const newest = jobs.sort((one, other) => other.number - one.number)[0];
    if (newest) this.say({ kind: "answer", cut: newest.cut, text: whereabouts(newest) });
    return true;
  }
}
