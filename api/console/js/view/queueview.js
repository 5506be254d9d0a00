/** The strips: held, on the desk and waiting; which one is selected, and the drag that gives one another place. */

import { arrange, el, mark, say, still } from "/overlay/js/dom.js";
import { strip, writeStrip } from "/overlay/js/paper.js";
import Sortable from "/console/sortablejs/sortable.esm.js";
import { keyOf } from "../keys.js";
import { edge, pace, spoken } from "../wording.js";

const QUICK = { held: ["approve", "reject"], running: ["cancel"], waiting: ["top", "promote", "hold", "cancel"] };
const NAMED = { approve: "Approve", reject: "Reject", cancel: "Stop", top: "Top", promote: "+60 s", hold: "Hold" };

export class QueueView {
  #seen = null;
  #dragging = false;
  #filter = "";

  /** `select(job_id)`, `act(name, job_id)` and `dropped(job_id, laid)` are called for what the hand does. */
  constructor({ select, act, dropped }) {
    Object.assign(this, { select, act });
    this.lists = new Map(["held", "running", "waiting"].map((name) => [name, document.getElementById(name)]));
    this.piles = document.getElementById("piles");
    this.selected = null;
    for (const list of this.lists.values()) {
      list.addEventListener("click", (click) => this.#clicked(click));
      list.addEventListener("focusin", ({ target }) => {
        if (target.matches(".strip") && target.matches(":focus-visible")) this.select(target.dataset.key);
      });
    }
    this.sortable = new Sortable(this.lists.get("waiting"), {
      animation: still() ? 0 : 160,
      easing: "steps(3)",
      forceFallback: true,
      fallbackTolerance: 4,
      fallbackOnBody: true,
      delay: 220,
      delayOnTouchOnly: true,
      touchStartThreshold: 8,
      filter: ".quick button",
      preventOnFilter: false,
      ghostClass: "gap",
      fallbackClass: "lifted",
      onStart: () => (this.#dragging = true),
      onEnd: ({ item, oldIndex, newIndex }) => {
        this.#dragging = false;
        const laid = [...this.lists.get("waiting").children].map((child) => child.dataset.key);
        if (oldIndex !== newIndex) dropped(item.dataset.key, laid);
        else this.show(this.#seen);
      },
    });
  }

  /** The ids of all strips from the top, as they are shown. */
  get order() {
    return [...this.piles.querySelectorAll(".strip:not([hidden])")].map((child) => child.dataset.key);
  }

  /** Show the queue as foresee.js sees it. While a strip is in the hand nothing moves under it. */
  show(seen) {
    this.#seen = seen;
    if (!seen || this.#dragging) return;
    const focused = document.activeElement?.closest?.("#piles .strip");
    const count = seen.waiting.length;
    for (const [name, list] of this.lists) {
      arrange(list, seen[name], {
        key: (job) => job.job_id,
        make: () => this.#strip(name),
        update: (child, job) => this.#write(child, job, { count, paused: seen.paused }),
      });
    }
    for (const name of ["held", "running"]) {
      document.getElementById(`${name}-pile`).hidden = seen[name].length === 0;
    }
    say(document.getElementById("held-count"), seen.held.length ? String(seen.held.length) : "");
    say(document.getElementById("waiting-says"), count ? pace(seen) : "");
    const empty = document.getElementById("waiting-empty");
    empty.hidden = count > 0;
    say(empty, nobody(seen));
    this.#look();
    if (focused && !focused.isConnected) this.focus();
  }

  /** Make this strip the selected one; `focus` brings the keyboard there. */
  choose(job_id, { focus = false } = {}) {
    this.selected = job_id;
    this.#look();
    if (focus) this.focus();
  }

  focus() {
    const child = this.#child(this.selected);
    child?.focus({ preventScroll: true });
    child?.scrollIntoView({ block: "nearest" });
  }

  /** Show only strips with these words in prompt, name or number. */
  filter(words) {
    this.#filter = words.trim().toLowerCase();
    this.sortable.option("disabled", Boolean(this.#filter));
    this.show(this.#seen);
  }

  #strip(name) {
    const child = strip();
    const quick = QUICK[name].map((act) =>
      el(
        "button",
        { type: "button", tabIndex: -1, data: { quick: act }, title: `${NAMED[act]} (${keyOf(act)})` },
        NAMED[act],
      ),
    );
    child.append(
      el("span", { className: "place", "aria-hidden": "true" }),
      el("span", { className: "quick", "aria-hidden": "true" }, ...quick),
    );
    child.tabIndex = -1;
    return child;
  }

  #write(child, job, { count, paused }) {
    writeStrip(child, job, { when: edge(job, { paused }) });
    say(child.querySelector(".place"), job.queue_position ? String(job.queue_position) : "");
    const label = spoken(job, count);
    if (child.getAttribute("aria-label") !== label) child.setAttribute("aria-label", label);
    mark(child, "status", job.status);
    const words = `${job.cut} ${job.prompt} ${job.requested_by.display_name} ${job.requested_by.login}`.toLowerCase();
    child.hidden = !words.includes(this.#filter);
  }

  #look() {
    const order = this.order;
    const stop = order.includes(this.selected) ? this.selected : order[0];
    for (const child of this.piles.querySelectorAll(".strip")) {
      const chosen = child.dataset.key === this.selected;
      if (chosen) child.setAttribute("aria-current", "true");
      else child.removeAttribute("aria-current");
      child.tabIndex = child.dataset.key === stop ? 0 : -1;
    }
  }

  #child(job_id) {
    return [...this.piles.querySelectorAll(".strip")].find((child) => child.dataset.key === job_id);
  }

  #clicked({ target }) {
    const child = target.closest(".strip");
    if (!child) return;
    const button = target.closest("[data-quick]");
    if (button) this.act(button.dataset.quick, child.dataset.key);
    else this.select(child.dataset.key, { opened: true });
  }
}

function nobody({ paused, open }) {
  if (open === false) return "Nobody waits, and requests are closed. O opens them.";
  return paused
    ? "Nobody waits. The queue is paused: who asks now waits until it goes on."
    : "Nobody waits. The next cut starts at once.";
}
