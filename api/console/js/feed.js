/** The console's one owner of asking: documents with their ETag, asked again when an event says so, or by the clock. */

import { backoff } from "/overlay/js/poll.js";

const TIMEOUT_MS = 8000;
const SETTLE_MS = 60; // events come in handfuls, and one question answers them all
const STREAM_AGAIN_MS = 10_000;

/**
 * Callbacks in `on`: `document(name, document)` for each new version, `gone(name)` where there is none,
 * `denied()` when the login is not enough, `trouble(name, message|null)`, `away(retry_in_ms)` and `back()`.
 */
export class Feed {
  #sources = new Map();
  #failures = 0;
  #live = false;

  constructor(on, world = {}) {
    this.on = on;
    this.world = {
      fetch: (...args) => globalThis.fetch(...args),
      setTimeout: (...args) => globalThis.setTimeout(...args),
      clearTimeout: (id) => globalThis.clearTimeout(id),
      random: Math.random,
      EventSource: globalThis.EventSource,
      ...world,
    };
  }

  /** Whether events come in by themselves. */
  get live() {
    return this.#live;
  }

  /**
   * Keep the document at `path` under `name`: asked every `every_ms`, or every `live_ms` while events come.
   * One that is `optional` may not be there: it is then asked for only when it is rung for.
   */
  watch(name, path, { every_ms = 1500, live_ms = 15_000, optional = false } = {}) {
    const before = this.#sources.get(name);
    if (before?.path === path) return;
    if (before) this.world.clearTimeout(before.timer);
    const source = { name, path, every_ms, live_ms, optional, etag: null, text: null, busy: null, next: null };
    this.#sources.set(name, source);
    void this.#ask(source);
  }

  unwatch(name) {
    this.world.clearTimeout(this.#sources.get(name)?.timer);
    this.#sources.delete(name);
  }

  /** Ask for these documents soon. */
  ring(...names) {
    for (const source of names.map((name) => this.#sources.get(name)).filter(Boolean)) {
      if (source.rung) continue;
      source.rung = true;
      this.world.setTimeout(() => void this.fresh(source.name), SETTLE_MS);
    }
  }

  /** Resolve when an answer has been heard whose question was asked after this call. */
  fresh(name) {
    const source = this.#sources.get(name);
    if (!source) return Promise.resolve();
    if (!source.busy) return this.#ask(source);
    source.next ??= source.busy.then(() => {
      source.next = null;
      return this.#ask(source);
    });
    return source.next;
  }

  /** Follow the events of these types. `heard(type, data)`; without a stream the clock asks more often. */
  follow(types, heard) {
    const stream = new this.world.EventSource("/events");
    stream.addEventListener("open", () => {
      this.#live = true;
      for (const source of this.#sources.values()) this.ring(source.name);
    });
    stream.addEventListener("error", () => {
      this.#live = false;
      for (const source of this.#sources.values()) this.#schedule(source);
      if (stream.readyState !== 2) return; // the browser tries again by itself
      this.world.setTimeout(() => this.follow(types, heard), STREAM_AGAIN_MS);
    });
    for (const type of types) {
      stream.addEventListener(type, (event) => heard(type, JSON.parse(event.data)));
    }
  }

  #schedule(source) {
    this.world.clearTimeout(source.timer);
    if (this.#sources.get(source.name) !== source || source.absent) return;
    const failures = this.#failures || source.failures;
    const wait_ms = failures ? backoff(failures, this.world.random()) : this.#live ? source.live_ms : source.every_ms;
    source.timer = this.world.setTimeout(() => void this.fresh(source.name), wait_ms);
  }

  #ask(source) {
    this.world.clearTimeout(source.timer);
    source.rung = false;
    source.busy = this.#answered(source).finally(() => {
      source.busy = null;
      this.#schedule(source);
    });
    return source.busy;
  }

  async #answered(source) {
    let answer = null;
    try {
      answer = await this.#fetch(source);
    } catch {
      this.#failures += 1;
      this.on.away(backoff(this.#failures, this.world.random()));
      return;
    }
    if (this.#failures) {
      this.#failures = 0;
      this.on.back();
    }
    if (this.#sources.get(source.name) === source) this.#heard(source, answer);
  }

  async #fetch({ path, etag }) {
    const stop = new AbortController();
    const timer = this.world.setTimeout(() => stop.abort(), TIMEOUT_MS);
    try {
      const headers = etag ? { "If-None-Match": etag } : {};
      const response = await this.world.fetch(path, { headers, cache: "no-store", signal: stop.signal });
      const text = response.status === 304 ? null : await response.text();
      return { status: response.status, etag: response.headers.get("ETag"), text };
    } finally {
      this.world.clearTimeout(timer);
    }
  }

  #heard(source, { status, etag, text }) {
    source.absent = source.optional && (status === 404 || status === 409);
    if (status === 401 || status === 403) return this.on.denied();
    if (source.absent || status === 404) return this.on.gone(source.name);
    if (status >= 400) {
      source.failures = (source.failures ?? 0) + 1;
      return this.on.trouble(source.name, sentence(text, status));
    }
    if (source.failures) this.on.trouble(source.name, null);
    source.failures = 0;
    if (status === 304 || text === source.text) return;
    [source.etag, source.text] = [etag, text];
    this.on.document(source.name, JSON.parse(text));
  }
}

/** The sentence of an error document, or one that at least names the status. */
export function sentence(text, status) {
  try {
    return JSON.parse(text).error.message;
  } catch {
    return `The gateway answered ${status} without a document.`;
  }
}
