/** The paper that both pages draw: the cut on the desk with its time sheet, and the strips that wait. */

import { bdi, el, lay, mark, say, still } from "./dom.js";
import { Eased, ROWS, rowsAt, secondsLeft } from "./easing.js";
import { LOADING, doing, explain, loads, nameOf, stampOf, wait } from "./wording.js";

export function pegs() {
  return el("div", { className: "pegs", "aria-hidden": "true" }, el("i"), el("i"), el("i"));
}

/** The card of the job that is being drawn. `heard` takes a status document, `paint` redraws what moves. */
export class CutPaper {
  #eased = new Eased({ still: still() });
  #job = null;
  #heard_ms = 0;

  constructor() {
    this.image = el("img", { alt: "", hidden: true });
    this.tag = el("div", { className: "tag" });
    this.ng = el("div", { className: "ng", hidden: true });
    this.frame = el("div", { className: "frame" }, this.image, el("div", { className: "safe" }), this.tag, this.ng);
    this.rows = Array.from({ length: ROWS }, () => el("i"));
    this.sheet = el(
      "div",
      {
        className: "sheet",
        role: "progressbar",
        "aria-valuemin": "0",
        "aria-valuemax": "100",
        "aria-label": "drawn so far",
      },
      ...this.rows,
    );
    this.no = el("span", { className: "no" });
    this.take = el("span", { className: "take" });
    this.prompt = el("p", { className: "prompt", dir: "auto" });
    this.who = el("p", { className: "who" });
    this.doing = el("b", { className: "doing" });
    this.percent = el("span", { className: "percent" });
    this.left = el("span", { className: "left" });
    this.root = el(
      "article",
      { className: "cut paper" },
      pegs(),
      this.frame,
      this.sheet,
      el("div", { className: "slate" }, this.no, this.take),
      this.prompt,
      this.who,
      el("div", { className: "work" }, this.doing, this.percent, this.left),
    );
  }

  /** Show `job`, a status document that was heard at `now_ms`. */
  heard(job, now_ms) {
    const another = job.job_id !== this.#job?.job_id;
    if (another) {
      this.#clearPreview();
      this.#eased.jump(job.progress ?? 0);
      lay(this.root);
    }
    if (job !== this.#job) this.#heard_ms = now_ms;
    this.#job = job;
    if (job.status === "succeeded") this.#eased.jump(100);
    else this.#eased.aim(job.progress ?? 0);
    this.#write(job);
    void this.#preview(job);
    this.paint(now_ms);
  }

  /** Redraw what moves between two polls; call it twelve times a second. */
  paint(now_ms) {
    const job = this.#job;
    if (!job) return;
    const shown = this.#eased.at(now_ms);
    const { full, now } = rowsAt(shown);
    const drawing = ["starting", "rendering", "finishing"].includes(job.status);
    this.rows.forEach((row, at) => {
      const name = at < full ? "on" : at === now && drawing ? "now" : "";
      if (row.className !== name) row.className = name;
    });
    const percent = Math.round(shown);
    if (this.sheet.getAttribute("aria-valuenow") !== String(percent)) this.sheet.setAttribute("aria-valuenow", percent);
    say(this.percent, job.status === "failed" ? "" : `${percent} %`);
    const left = secondsLeft(job.eta_seconds, this.#heard_ms, now_ms);
    this.percent.hidden = loads(job);
    say(this.left, loads(job) ? LOADING.left : drawing ? remaining(left) : "");
  }

  #write(job) {
    const again = (job.attempt ?? 1) > 1;
    mark(this.root, "state", job.status === "succeeded" ? "done" : job.status === "failed" ? "ng" : "drawing");
    say(this.no, job.cut);
    say(this.take, `take ${Math.max(1, job.attempt ?? 1)}`);
    if (this.prompt.textContent !== job.prompt) this.prompt.replaceChildren(bdi(job.prompt));
    this.who.replaceChildren(el("b", {}, bdi(nameOf(job.requested_by))), lane(job));
    mark(this.who, "lane", job.lane);
    say(this.doing, job.status === "failed" ? "this one could not be drawn" : doing(job));
    this.ng.hidden = !(again || job.status === "failed");
    say(this.ng, job.status === "failed" ? "NG" : `NG · take ${job.attempt}`);
    say(this.tag, [job.preview_url ? "genga" : "layout", job.style, job.engine].filter(Boolean).join(" · "));
  }

  /** Swap the preview in only when it has been decoded, so that the frame never blinks. */
  async #preview(job) {
    const url = job.preview_url ?? job.poster_url;
    if (!url || this.wanted === url) return;
    this.wanted = url;
    const next = new Image();
    next.alt = "";
    next.src = url;
    try {
      await next.decode();
    } catch {
      return;
    }
    if (this.wanted !== url) return;
    this.image.replaceWith(next);
    this.image = next;
    this.frame.classList.add("seen");
  }

  #clearPreview() {
    this.wanted = null;
    this.image.hidden = true;
    this.frame.classList.remove("seen");
  }
}

/** Seconds left as the paper says them; about minutes are long enough without "left". */
function remaining(seconds) {
  if (seconds === null) return "";
  if (seconds < 1) return "any moment";
  return seconds < 59.5 ? `${wait(seconds)} left` : wait(seconds);
}

function lane(job) {
  const stamp = stampOf(job);
  return stamp ? ` · ${stamp.small ? `${stamp.big} bits` : job.lane}` : "";
}

/** A waiting job as a strip of paper. `when` says what stands at its right edge. */
export function strip() {
  return el(
    "li",
    { className: "strip paper" },
    el("span", { className: "n" }),
    el("p", {}, el("bdi", { className: "what" }), el("span", { className: "why" })),
    el("span", { className: "when" }),
    el("span", { className: "stamp" }),
  );
}

/** Write `job` on a strip; `when` is its wait in words, `brief` the short explanation. */
export function writeStrip(element, job, { when = "", brief = false } = {}) {
  const [number, text, at, stamped] = element.children;
  say(number, job.cut);
  say(text.children[0], job.prompt);
  const why = ` · ${explain(job, { brief })}`;
  if (text.children[1].textContent !== nameOf(job.requested_by) + why) {
    text.children[1].replaceChildren(el("b", {}, bdi(nameOf(job.requested_by))), why);
  }
  say(at, when);
  at.hidden = !when;
  const stamp = stampOf(job);
  stamped.hidden = !stamp;
  if (!stamp) return;
  mark(stamped, "lane", stamp.lane);
  if (stamped.childElementCount === 0) stamped.append(el("b"), el("small"));
  say(stamped.children[0], stamp.big);
  say(stamped.children[1], stamp.small);
  stamped.children[1].hidden = !stamp.small;
}
