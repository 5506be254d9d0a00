/** The hand: does acts in their order, shows each at once, and keeps what can be taken back. */

import { retry, undo } from "./acts.js";
import { sentence } from "./feed.js";

const KEPT = 50;

export class Hand {
  #lines = new Map();
  #back = [];

  /**
   * `feed` asks afresh; `audit()` are the acts by now, the newest first; `name()` is who does them;
   * `shown(pending)` draws the acts under way; `told({says, bad, undoable})` tells how one went.
   */
  constructor({ feed, audit, name, shown, told, fetch = (...args) => globalThis.fetch(...args) }) {
    Object.assign(this, { feed, audit, name, shown, told, fetch });
    this.pending = [];
  }

  /** Do an act of acts.js. Acts on one thing are sent one after another. Returns the answer, null if it was refused. */
  async do(act) {
    this.pending.push(act.pending);
    this.shown();
    const before = this.#lines.get(act.of) ?? Promise.resolve();
    const mine = before.then(() => this.#done(act));
    this.#lines.set(act.of, mine);
    const answer = await mine;
    if (this.#lines.get(act.of) === mine) this.#lines.delete(act.of);
    return answer;
  }

  /** Take back the last act of this page, or else the last one of the same name that can be. */
  async takeBack() {
    const group = this.#back.pop() ?? this.#lastInAudit();
    if (!group) return this.told({ says: "There is nothing to take back" });
    if (group.again) return this.do({ ...retry(group.again), says: `${group.again.cut} is tried again` });
    let failed = null;
    for (const act_id of group.act_ids) failed ??= (await this.#send(undo(act_id))).problem;
    await this.#heard(undo("").rings);
    this.told(failed ? { says: failed, bad: true } : { says: `Taken back: ${group.says}`, undoable: this.#undoable() });
  }

  /** Take back one act of the audit. */
  async takeBackOne(entry, says) {
    this.#back = this.#back.filter((group) => !group.act_ids?.includes(entry.act_id));
    this.#back.push({ act_ids: [entry.act_id], says });
    await this.takeBack();
  }

  async #done(act) {
    const since = this.audit()[0]?.act_id ?? "0-0";
    const { answer, problem } = await this.#send(act);
    if (problem === null) await this.#heard(act.rings);
    else this.feed.ring("queue", "held", "audit", "job", ...act.rings);
    this.pending.splice(this.pending.indexOf(act.pending), 1);
    this.shown();
    if (problem !== null) {
      this.told({ says: problem, bad: true });
      return null;
    }
    this.#keep(act, since);
    this.told({ says: act.says, undoable: this.#undoable(act) });
    return answer ?? {};
  }

  #heard(rings) {
    return Promise.all(["queue", "audit", "job", ...rings].map((name) => this.feed.fresh(name)));
  }

  async #send({ method, path, body, headers = {} }) {
    try {
      const typed = body === undefined ? {} : { "Content-Type": "application/json" };
      const response = await this.fetch(path, {
        method,
        headers: { ...headers, ...typed },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      const text = await response.text();
      if (!response.ok) return { answer: null, problem: sentence(text, response.status) };
      return { answer: text ? JSON.parse(text) : {}, problem: null };
    } catch {
      return { answer: null, problem: "The gateway is away. Nothing was changed." };
    }
  }

  /** Remember which acts of the audit this one has become: a ban stops cuts too, and all of it is taken back. */
  #keep(act, since) {
    const mine = this.audit().filter(
      (entry) => newer(entry.act_id, since) && entry.undoable && entry.act.by === this.name() && about(act, entry.act),
    );
    if (mine.length) this.#back.push({ act_ids: mine.map((entry) => entry.act_id).reverse(), says: act.says });
    else if (act.again) this.#back.push({ again: act.again });
    if (this.#back.length > KEPT) this.#back.shift();
  }

  #lastInAudit() {
    const entry = this.audit().find(({ undoable, act }) => undoable && act.by === this.name());
    return entry && { act_ids: [entry.act_id], says: "the act before" };
  }

  #undoable(act) {
    if (act?.again) return "Try again";
    return this.#back.length > 0 && (!act || this.#back.at(-1).says === act.says) ? "Undo" : null;
  }
}

function about({ of, pending }, found) {
  if (pending.kind === "clear") return found.type === "job.cancelled" || found.type.startsWith("queue.");
  if (pending.kind === "ban") return found.viewer === of || found.type === "job.cancelled";
  if (found.job_id) return found.job_id === of;
  return found.type.startsWith(`${of}.`);
}

/** Whether an id of the audit is a later one: milliseconds, then a count within them. */
export function newer(id, than) {
  const [at, count] = id.split("-").map(Number);
  const [other_at, other_count] = than.split("-").map(Number);
  return at > other_at || (at === other_at && count > other_count);
}
