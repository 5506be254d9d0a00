/** The sheet of the selected cut: what it asks, why it stands where it stands, what can be done, and who asked. */

import { bdi, el, mark, say } from "/overlay/js/dom.js";
import { clock, doing, nameOf, place, stampOf, wait } from "/overlay/js/wording.js";
import { keyOf } from "../keys.js";
import { signed } from "../wording.js";
import { EditForm } from "./editform.js";

const WAITING = [
  ["top", "Top"],
  ["up", "Up"],
  ["down", "Down"],
  ["bottom", "Bottom"],
  ["promote", "Promote +60\u00a0s"],
  ["edit", "Edit"],
  ["hold", "Hold"],
  ["reject", "Reject"],
  ["cancel", "Stop"],
];
const HELD = [
  ["approve", "Approve"],
  ["reject", "Reject"],
  ["edit", "Edit"],
  ["cancel", "Stop"],
];
const RUNNING = [["cancel", "Stop the drawing"]];
const AGAIN = [["retry", "Try again"]];
const SHOWN = 12;

export class SheetView {
  /** `act(name)` for a button, `select(job_id)` for a cut of the viewer's, `save(job, changes)` and `close()`. */
  constructor({ act, select, save, close }) {
    this.root = document.getElementById("sheet");
    this.select = select;
    this.form = new EditForm({ save, leave: () => this.edit(false) });
    this.no = el("h2", { id: "sheet-title", className: "no" });
    this.status = el("span", { className: "status" });
    this.stamp = el("span", { className: "stamp" });
    const shut = el("button", { type: "button", className: "shut", "aria-label": "Close", textContent: "×" });
    shut.addEventListener("click", close);
    this.why = el("p", { className: "held-for", hidden: true });
    this.prompt = el("p", { className: "asks", dir: "auto", tabIndex: 0, "aria-label": "What is asked" });
    this.credits = el("ul", { className: "credits", "aria-label": "Why it stands where it stands" });
    this.facts = el("dl", { className: "facts" });
    this.acts = el("div", { className: "acts", role: "group", "aria-label": "This cut" });
    this.acts.addEventListener("click", ({ target }) => {
      const button = target.closest("[data-do]");
      if (button) act(button.dataset.do);
    });
    this.name = el("h3");
    this.ban = el("button", { type: "button", className: "quiet", data: { do: "ban" } });
    this.ban.addEventListener("click", () => act("ban"));
    this.out = el("p", { className: "out", hidden: true });
    this.jobs = el("ol", { className: "past", "aria-label": "Cuts of this viewer" });
    this.viewer = el("section", { className: "viewer", hidden: true }, this.name, this.ban, this.out, this.jobs);
    this.blank = el(
      "div",
      { className: "nothing" },
      el("p", { className: "no", "aria-hidden": "true", textContent: "C-000" }),
      el(
        "p",
        {},
        "Choose a cut: click it, or press ",
        el("kbd", { textContent: "J" }),
        " and ",
        el("kbd", { textContent: "K" }),
        ".",
      ),
    );
    this.paper = el(
      "article",
      { className: "paper", hidden: true },
      el("header", {}, this.no, this.status, this.stamp, shut),
      this.why,
      this.prompt,
      this.form.root,
      this.acts,
      this.credits,
      this.facts,
      this.viewer,
    );
    this.root.append(this.blank, this.paper);
    this.edit(false);
  }

  /** Show `job` (a moderators' document, or what the queue knows until that has come); null clears the sheet. */
  show(job, { bans = [], jobs = null } = {}) {
    this.paper.hidden = !job;
    this.blank.hidden = Boolean(job);
    mark(document.body, "sheet", job ? "" : null);
    if (!job) return this.edit(false);
    if (job.job_id !== this.job?.job_id) {
      this.edit(false);
      this.prompt.scrollTop = 0;
    }
    this.job = job;
    say(this.no, job.cut);
    say(this.status, job.queue_position ? place(job.queue_position) : doing(job));
    mark(this.paper, "status", job.status);
    this.#stamped(stampOf(job));
    this.why.hidden = !(job.status === "held" && job.held_for);
    if (!this.why.hidden) this.why.replaceChildren("Held: ", bdi(job.held_for));
    if (this.prompt.textContent !== job.prompt) this.prompt.replaceChildren(bdi(job.prompt));
    this.#buttons(job);
    this.credits.replaceChildren(...job.credits.map(credit));
    this.facts.replaceChildren(
      ...facts(job).flatMap(([term, value]) => [el("dt", { textContent: term }), el("dd", {}, bdi(value))]),
    );
    this.#asked(job, bans, jobs);
  }

  /** Open the words of the cut for change, or shut that again. */
  edit(wanted, catalog) {
    this.form.root.hidden = !wanted;
    this.prompt.hidden = wanted;
    mark(this.paper, "editing", wanted ? "" : null);
    if (wanted) this.form.open(this.job, catalog);
  }

  get editing() {
    return !this.form.root.hidden;
  }

  #stamped(stamp) {
    this.stamp.hidden = !stamp;
    if (!stamp) return;
    mark(this.stamp, "lane", stamp.lane);
    this.stamp.replaceChildren(
      el("b", { textContent: stamp.big }),
      ...(stamp.small ? [el("small", { textContent: stamp.small })] : []),
    );
  }

  #buttons(job) {
    const acts =
      job.status === "held"
        ? HELD
        : job.status === "queued"
          ? WAITING
          : ["starting", "rendering", "finishing"].includes(job.status)
            ? RUNNING
            : job.status === "succeeded" || job.retried_as
              ? []
              : AGAIN;
    const wanted = acts.map(([name]) => name).join(" ");
    if (this.acts.dataset.acts === wanted) return;
    this.acts.dataset.acts = wanted;
    this.acts.replaceChildren(
      ...acts.map(([name, label]) =>
        el(
          "button",
          { type: "button", data: { do: name } },
          el("span", { textContent: label }),
          " ",
          el("kbd", { textContent: keyOf(name) }),
        ),
      ),
    );
  }

  #asked(job, bans, jobs) {
    this.viewer.hidden = !job.viewer;
    if (!job.viewer) return;
    const ban = bans.find(({ viewer }) => viewer === job.viewer);
    const title = `${nameOf(job.requested_by)}`;
    if (this.name.dataset.of !== job.viewer + title) {
      this.name.dataset.of = job.viewer + title;
      this.name.replaceChildren(bdi(title), " ", el("small", {}, bdi(job.viewer)));
    }
    this.ban.replaceChildren(ban ? "Let in again " : "Ban ", el("kbd", { textContent: keyOf("ban") }));
    this.out.hidden = !ban;
    if (ban) {
      const until = ban.until ? `until ${clock(ban.until)}` : "for good";
      this.out.replaceChildren(`Kept out ${until}, by `, bdi(ban.by), ...(ban.reason ? [": ", bdi(ban.reason)] : []));
    }
    this.jobs.replaceChildren(
      ...(jobs ?? []).slice(0, SHOWN).map((one) => {
        const button = el(
          "button",
          { type: "button", title: one.prompt },
          el("span", { className: "n", textContent: one.cut }),
          el("bdi", { className: "what", textContent: one.prompt }),
          el("span", { className: "end", textContent: one.status }),
        );
        if (one.job_id === job.job_id) button.setAttribute("aria-current", "true");
        button.addEventListener("click", () => this.select(one.job_id));
        return el("li", { data: { status: one.status } }, button);
      }),
    );
  }
}

function credit({ reason, seconds, by }) {
  const given = by && by !== "studio" ? [el("small", {}, " by ", bdi(by))] : [];
  return el("li", {}, bdi(reason), " ", el("b", { textContent: signed(seconds) }), ...given);
}

function facts(job) {
  return [
    ["drawn as", job.direction],
    ["asked", clock(job.requested_at)],
    ["ready", job.eta_text ?? (job.eta_seconds === null ? "" : wait(job.eta_seconds))],
    ["style", job.style],
    ["engine", [job.engine, job.preset].filter(Boolean).join(", ")],
    ["with", job.characters.join(", ")],
    ["expires", job.expires_at && ["queued", "held"].includes(job.status) ? clock(job.expires_at) : ""],
  ].filter(([, value]) => value);
}
