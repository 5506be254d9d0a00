/** The form in a cut's sheet: other words, another engine, another lane. Only what differs is sent. */

import { el } from "/overlay/js/dom.js";

const LANES = ["viewer", "sub", "vip", "bits", "mod"];

export class EditForm {
  /** `save(job, changes)` sends, `leave()` shuts the form. */
  constructor({ save, leave }) {
    this.prompt = el("textarea", { id: "edit-prompt", rows: 4, dir: "auto", spellcheck: false });
    this.engine = el("select", { id: "edit-engine" });
    this.lane = el("select", { id: "edit-lane" }, ...LANES.map(option));
    const shut = el("button", { type: "button", className: "quiet" }, "Leave ", el("kbd", { textContent: "Esc" }));
    shut.addEventListener("click", leave);
    this.root = el(
      "form",
      { className: "edit", autocomplete: "off", hidden: true },
      el("label", { htmlFor: "edit-prompt", textContent: "Words" }),
      this.prompt,
      el(
        "div",
        { className: "two" },
        el("label", { htmlFor: "edit-engine", textContent: "Engine" }),
        el("label", { htmlFor: "edit-lane", textContent: "Lane" }),
        this.engine,
        this.lane,
      ),
      el(
        "div",
        { className: "row" },
        el("button", { type: "submit" }, "Save ", el("kbd", { textContent: "⌃Enter" })),
        shut,
      ),
    );
    this.root.addEventListener("submit", (submit) => {
      submit.preventDefault();
      const changes = this.#changes();
      if (Object.keys(changes).length) save(this.job, changes);
      leave();
    });
    this.root.addEventListener("keydown", (press) => {
      if (press.key === "Escape") leave();
      else if (press.key === "Enter" && (press.ctrlKey || press.metaKey)) this.root.requestSubmit();
      else return;
      press.preventDefault();
      press.stopPropagation();
    });
  }

  /** Begin with what `job` asks by now. */
  open(job, catalog) {
    this.job = job;
    this.prompt.value = job.prompt;
    if (catalog) this.prompt.maxLength = catalog.prompt_limit;
    const engines = new Set([job.engine, ...(catalog?.engines.map(({ name }) => name) ?? [])]);
    this.engine.replaceChildren(...[...engines].map(option));
    this.engine.value = job.engine;
    this.lane.value = job.lane;
    this.prompt.focus();
  }

  #changes() {
    const wanted = { prompt: this.prompt.value.trim(), engine: this.engine.value, lane: this.lane.value };
    return Object.fromEntries(Object.entries(wanted).filter(([name, value]) => value && value !== this.job[name]));
  }
}

function option(name) {
  return el("option", { value: name, textContent: name });
}
