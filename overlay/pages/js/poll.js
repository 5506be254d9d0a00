/** The one owner of polling: asks each document when it is due, with its ETag, and backs off while the gateway is away. */

export const LONGEST_MS = 5000;
const TIMEOUT_MS = 8000;

/** How long to wait after `failures` in a row, in ms: 500 doubling to 5 s, spread by a fifth. `random` is in [0, 1). */
export function backoff(failures, random) {
  const whole = Math.min(LONGEST_MS, 500 * 2 ** Math.min(10, Math.max(0, failures - 1)));
  return Math.round(Math.min(LONGEST_MS, whole * (0.8 + 0.4 * random)));
}

/**
 * Watches documents by name. Callbacks: `onDocument(name, document)` for each new version, `onGone(name)` on 404,
 * `onTrouble(name, message|null)` when the gateway answers with an error, `onAway(retry_in_ms)` and `onBack()`.
 */
export class Poller {
  #watched = new Map();
  #timer = null;
  #failures = 0;
  #probe_at_ms = 0;
  #running = false;

  constructor({ onDocument, onGone, onTrouble, onAway, onBack, ...world }) {
    this.on = { onDocument, onGone, onTrouble, onAway, onBack };
    this.world = {
      fetch: (...args) => globalThis.fetch(...args),
      now: () => performance.now(),
      random: Math.random,
      setTimeout: (...args) => globalThis.setTimeout(...args),
      clearTimeout: (id) => globalThis.clearTimeout(id),
      ...world,
    };
  }

  get away() {
    return this.#failures > 0;
  }

  /** Watch `path` under `name`, at least every `every_ms`; a hint in the document (`poll_after_ms`) goes first. */
  watch(name, path, every_ms) {
    const before = this.#watched.get(name);
    if (before?.path === path) return void (before.every_ms = every_ms);
    this.#watched.set(name, { name, path, every_ms, etag: null, due_ms: 0, busy: false, failures: 0 });
    this.#schedule();
  }

  unwatch(name) {
    this.#watched.delete(name);
  }

  /** Ask for `name` at once. */
  ring(name) {
    const source = this.#watched.get(name);
    if (source && !this.away) source.due_ms = 0;
    this.#schedule();
  }

  start() {
    this.#running = true;
    this.#schedule();
  }

  stop() {
    this.#running = false;
    this.world.clearTimeout(this.#timer);
  }

  #schedule() {
    if (!this.#running) return;
    this.world.clearTimeout(this.#timer);
    const idle = [...this.#watched.values()].filter((source) => !source.busy);
    if (!idle.length) return;
    const due_ms = this.away ? this.#probe_at_ms : Math.min(...idle.map((source) => source.due_ms));
    this.#timer = this.world.setTimeout(() => this.#turn(), Math.max(0, due_ms - this.world.now()));
  }

  #turn() {
    const now = this.world.now();
    const idle = [...this.#watched.values()].filter((source) => !source.busy);
    const asked = this.away
      ? idle.slice(0, now >= this.#probe_at_ms ? 1 : 0)
      : idle.filter((source) => source.due_ms <= now);
    for (const source of asked) void this.#ask(source);
    this.#schedule();
  }

  async #ask(source) {
    source.busy = true;
    try {
      const answer = await this.#fetch(source);
      this.#back();
      source.due_ms = this.world.now() + source.every_ms;
      if (this.#watched.get(source.name) === source) this.#heard(source, answer);
    } catch {
      if (this.#watched.get(source.name) === source) this.#lost();
    } finally {
      source.busy = false;
      this.#schedule();
    }
  }

  async #fetch(source) {
    const stop = new AbortController();
    const timer = this.world.setTimeout(() => stop.abort(), TIMEOUT_MS);
    try {
      const headers = source.etag ? { "If-None-Match": source.etag } : {};
      const response = await this.world.fetch(source.path, { headers, cache: "no-store", signal: stop.signal });
      const body = response.status === 304 ? null : await response.text();
      return { status: response.status, etag: response.headers.get("ETag"), body };
    } finally {
      this.world.clearTimeout(timer);
    }
  }

  #heard(source, { status, etag, body }) {
    if (status === 304) return this.#settle(source, source.hint_ms);
    let parsed = null;
    try {
      parsed = JSON.parse(body);
    } catch {
      parsed = { error: { message: `The gateway answered ${status} without a document.` } };
    }
    if (status === 404) {
      this.#watched.delete(source.name);
      return this.on.onGone?.(source.name);
    }
    if (parsed.error && status >= 400) {
      source.failures += 1;
      source.due_ms = this.world.now() + backoff(source.failures + 1, this.world.random());
      return this.on.onTrouble?.(source.name, parsed.error.message);
    }
    source.etag = etag;
    source.hint_ms = parsed.poll_after_ms;
    this.#settle(source, source.hint_ms);
    this.on.onDocument(source.name, parsed);
  }

  /** A hint of null means that nothing will change again: the document is let go. */
  #settle(source, hint_ms) {
    if (source.failures) this.on.onTrouble?.(source.name, null);
    source.failures = 0;
    if (hint_ms === null) this.#watched.delete(source.name);
    else if (hint_ms) source.due_ms = this.world.now() + Math.min(LONGEST_MS, Math.max(200, hint_ms));
  }

  #lost() {
    this.#failures += 1;
    const wait_ms = backoff(this.#failures, this.world.random());
    this.#probe_at_ms = this.world.now() + wait_ms;
    this.on.onAway?.(wait_ms);
  }

  #back() {
    if (!this.away) return;
    this.#failures = 0;
    for (const source of this.#watched.values()) source.due_ms = 0;
    this.on.onBack?.();
  }
}
