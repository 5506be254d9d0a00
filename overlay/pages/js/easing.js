/** Numbers that move between two polls: progress that glides and never runs back, seconds that count down. */

export const ROWS = 24;
export const TWOS_MS = 1000 / 12;

const GLIDE_MS = 450;

/** A progress in percent that glides to each new value; a fall (the next take, the next cut) is taken at once. */
export class Eased {
  #shown = 0;
  #target = 0;
  #at_ms = null;

  constructor({ still = false } = {}) {
    this.still = still;
  }

  /** Head for `percent`, 0 to 100. */
  aim(percent) {
    this.#target = Math.min(100, Math.max(0, Number(percent) || 0));
    if (this.still || this.#target < this.#shown) this.#shown = this.#target;
  }

  /** Put the value at `percent` at once. */
  jump(percent) {
    this.#shown = 0;
    this.aim(percent);
    this.#shown = this.#target;
  }

  /** Return the value to show at `now_ms`. */
  at(now_ms) {
    const passed = this.#at_ms === null ? 0 : Math.max(0, now_ms - this.#at_ms);
    this.#at_ms = now_ms;
    this.#shown += (this.#target - this.#shown) * (1 - Math.exp(-passed / GLIDE_MS));
    if (Math.abs(this.#target - this.#shown) < 0.2) this.#shown = this.#target;
    return this.#shown;
  }
}

/** How many rows of the time sheet are full at `percent`, and which one is now (null when none is). */
export function rowsAt(percent) {
  const full = Math.min(ROWS, Math.floor((percent / 100) * ROWS));
  return { full, now: full < ROWS ? full : null };
}

/** Seconds left at `now_ms` of an estimate of `eta_seconds` that was heard at `heard_ms`; null stays null. */
export function secondsLeft(eta_seconds, heard_ms, now_ms) {
  if (eta_seconds === null || eta_seconds === undefined) return null;
  return Math.max(0, eta_seconds - Math.max(0, now_ms - heard_ms) / 1000);
}
