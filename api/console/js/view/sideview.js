/** What stands beside the queue: the chat's ballot, the money, and what moderators did. */

import { arrange, bdi, el, mark, say } from "/overlay/js/dom.js";
import { clock } from "/overlay/js/wording.js";
import { deed, pot } from "../wording.js";

export class BallotView {
  constructor() {
    [this.list, this.says, this.act] = ["ballot", "ballot-says", "ballot-act"].map((id) => document.getElementById(id));
  }

  /** Show a ballot, with a bar for each choice; null when there has been none. `words(job_id)` is what a cut asks. */
  show(ballot, words) {
    const is_open = ballot?.state === "open";
    say(this.act, is_open ? "Close the ballot" : "Open a ballot");
    const cast = ballot?.choices.reduce((sum, choice) => sum + choice.votes, 0) ?? 0;
    say(this.says, is_open ? `until ${clock(ballot.closes_at)}, ${votes(cast)}` : ballot ? "closed" : "");
    arrange(this.list, ballot?.choices ?? [], {
      key: (choice) => choice.job_id,
      make: () =>
        el(
          "li",
          {},
          el("span", { className: "n" }),
          el("bdi", { className: "what" }),
          el("meter", { min: 0 }),
          el("b"),
        ),
      update: (line, choice) => {
        const [number, what, meter, count] = line.children;
        say(number, choice.cut);
        say(what, words(choice.job_id));
        meter.max = Math.max(1, cast);
        meter.value = choice.votes;
        meter.setAttribute("aria-label", `${choice.cut}: ${votes(choice.votes)}`);
        say(count, String(choice.votes));
        mark(line, "won", ballot.winner === choice.job_id ? "" : null);
      },
    });
  }
}

function votes(count) {
  return count === 1 ? "1 vote" : `${count} votes`;
}

const LEVELS = { soft: "viewers and VIPs have to wait", hard: "spent" };

/** Show the pots of the budget; null leaves its place out. */
export function showBudget(budget) {
  document.getElementById("budget").hidden = !budget;
  if (!budget) return;
  const says = document.getElementById("budget-says");
  say(says, LEVELS[budget.level] ?? "");
  mark(says, "level", budget.level);
  const pots = [
    ["stream", budget.session],
    ["today", budget.day],
  ];
  document
    .getElementById("budget-lines")
    .replaceChildren(
      ...pots.flatMap(([name, one]) => [
        el("dt", { textContent: name }),
        el("dd", {}, pot(one), ...(one.limit_usd === null ? [] : [gauge(name, one)])),
      ]),
    );
}

function gauge(name, one) {
  const most = one.limit_usd + one.refilled_usd;
  return el("meter", { min: 0, max: most, value: most - one.left_usd, "aria-label": `${name}: ${pot(one)}` });
}

export class AuditView {
  /** `undo(entry, says)` takes an act back. */
  constructor({ undo }) {
    this.list = document.getElementById("audit");
    this.undo = undo;
  }

  /** Show acts, the newest first. `cuts` are the cut numbers by id that the page has seen. */
  show(acts, cuts) {
    arrange(this.list, acts, {
      key: (entry) => entry.act_id,
      make: (entry) => this.#line(entry),
      update: (line, entry) => {
        const [, does, back] = line.children;
        const says = deed(entry.act, cuts);
        if (does.dataset.says !== says) {
          does.dataset.says = says;
          const why = entry.act.reason ? [": ", bdi(entry.act.reason)] : [];
          does.replaceChildren(el("b", {}, bdi(entry.act.by)), ` `, bdi(says), ...why);
        }
        mark(line, "undone", entry.undone ? "" : null);
        back.hidden = !entry.undoable;
        back.setAttribute("aria-label", `Take back: ${says}`);
        back.onclick = () => this.undo(entry, says);
      },
    });
  }

  #line(entry) {
    return el(
      "li",
      {},
      el("time", { dateTime: entry.at, textContent: clock(entry.at) }),
      el("span", { className: "does" }),
      el("button", { type: "button", className: "back", textContent: "undo" }),
    );
  }
}
