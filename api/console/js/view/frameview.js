/** The frame around the queue: who works here, the switches, what was told, the keys, and how to come in. */

import { el, mark, say } from "/overlay/js/dom.js";
import { clock } from "/overlay/js/wording.js";
import { KEYS } from "../keys.js";
import { whyOutside } from "../wording.js";

const TOLD_MS = 12_000;

export class FrameView {
  #timer = null;
  #troubles = new Map();

  constructor() {
    for (const id of ["gate", "floor", "bar", "who", "leave", "session", "told", "away", "help"]) {
      this[id] = document.getElementById(id);
    }
    this.#table();
  }

  /** Show the desk or, to whom may not moderate, how to get in. Returns whether they may. */
  admit(me) {
    const outside = whyOutside(me);
    this.gate.hidden = !outside;
    for (const part of [this.floor, this.bar, this.session]) part.hidden = Boolean(outside);
    say(this.who, me.role ? `${me.name}, ${me.role}` : "");
    this.leave.hidden = !me.role;
    for (const button of document.querySelectorAll(".top [data-act=help]")) button.hidden = Boolean(outside);
    if (!outside) return true;
    this.told.hidden = true;
    say(document.getElementById("gate-says"), outside.says);
    say(document.getElementById("gate-line"), outside.line);
    say(document.getElementById("gate-more"), outside.more);
    return false;
  }

  /** Write on the buttons what they would do now. */
  switches({ paused, open, draining, stage, undoable }) {
    const write = (act, label, is_on) => {
      for (const button of document.querySelectorAll(`[data-act=${act}]`)) {
        say(button.querySelector("span"), button.closest(".bar") ? label.split(" ")[0] : label);
        mark(button, "on", is_on ? "" : null);
      }
    };
    write("pause", paused ? "Resume" : "Pause", paused);
    write("open", open === false ? "Open" : "Close", open === false);
    write("drain", draining ? "Draining" : "Drain", draining);
    const dumped = stage?.state === "dumped";
    write("dump", dumped ? "Release the stage" : "Dump the stage");
    mark(document.body, "dumped", dumped ? "" : null);
    for (const button of document.querySelectorAll(".bar [data-act=undo]")) button.disabled = !undoable;
    const states = [paused && "paused", open === false && "closed", draining && "draining"].filter(Boolean);
    say(document.getElementById("count"), states.join(", "));
  }

  during(session) {
    say(document.getElementById("session-says"), session?.live ? `live since ${clock(session.began_at)}` : "not live");
    say(document.getElementById("session-act"), session?.live ? "End the stream" : "Begin the stream");
    mark(this.session, "live", session?.live ? "" : null);
  }

  /** Whether single keys are acts: who speaks to their browser, or types by accident, can switch them off. */
  get keyed() {
    return this.single.checked;
  }

  /** Tell what happened; with `undoable` the words of the button that takes it back. */
  tell({ says, bad = false, undoable = null }) {
    clearTimeout(this.#timer);
    this.told.hidden = false;
    mark(this.told, "bad", bad ? "" : null);
    document.getElementById("told-says").textContent = says;
    document.getElementById("aloud").textContent = says;
    const button = document.getElementById("told-undo");
    button.hidden = !undoable;
    button.replaceChildren(`${undoable ?? ""} `, el("kbd", { textContent: "Z" }));
    this.#timer = setTimeout(() => (this.told.hidden = true), TOLD_MS);
  }

  /** Say that the gateway is away, or null when it is back. */
  gone(retry_in_ms) {
    mark(document.body, "away", retry_in_ms === null ? null : "");
    this.#slip(retry_in_ms === null ? null : "The gateway is away. Trying again.");
  }

  /** Show what the gateway says is wrong with a document, or that it is well again (null). */
  trouble(name, message) {
    if (message === null) this.#troubles.delete(name);
    else this.#troubles.set(name, message);
    this.#slip(null);
  }

  #slip(first) {
    const text = first ?? [...this.#troubles.values()][0];
    this.away.hidden = !text;
    say(this.away, text ?? "");
  }

  #table() {
    this.single = el("input", { type: "checkbox", id: "single", checked: kept() !== "off" });
    this.single.addEventListener("change", () => keep(this.single.checked ? "on" : "off"));
    const shut = el("button", { type: "button", className: "quiet", textContent: "Close" });
    shut.addEventListener("click", () => this.help.close());
    this.help.append(
      el("h2", { id: "help-title", textContent: "Keys" }),
      el(
        "dl",
        {},
        ...KEYS.flatMap(([key, , says]) => [
          el("dt", {}, el("kbd", { textContent: key })),
          el("dd", { textContent: says }),
        ]),
      ),
      el("label", { className: "single" }, this.single, " Keys work without Ctrl or Alt"),
      shut,
    );
    this.help.addEventListener("click", ({ target }) => target === this.help && this.help.close());
  }
}

function kept() {
  try {
    return localStorage.getItem("console-keys");
  } catch {
    return null; // a browser that keeps nothing has its keys on
  }
}

function keep(word) {
  try {
    localStorage.setItem("console-keys", word);
  } catch {
    /* it holds until the page is loaded again */
  }
}
