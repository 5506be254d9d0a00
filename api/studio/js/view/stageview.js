/** The monitor's elements: the clip on air, its eyecatch caption, and the invitation while nothing plays. */

import { bdi, el, mark, say, still } from "/overlay/js/dom.js";
import { ClipPlayer } from "/overlay/js/player.js";
import { nameOf } from "/overlay/js/wording.js";

const STATES = {
  result: "new cut",
  gallery: "from the gallery",
  cooking: "between cuts",
  idle: "",
  fallback: "short break",
  dumped: "off air",
};
const INVITES = {
  idle: "Nothing is on air. The first finished cut plays here by itself.",
  cooking: "The next cut is being drawn. It plays here when it is done.",
  fallback: "A short break. The stream shows its fallback scene.",
  dumped: "Off air. A moderator has cleared the stage.",
};

export class StageView {
  #key = null;

  /** `open(clip)` shows a clip with controls. */
  constructor({ open }) {
    [this.monitor, this.screen, this.idle, this.caption, this.state, this.cover] = [
      "monitor",
      "screen",
      "idle",
      "eyecatch",
      "stage-state",
      "open-stage",
    ].map((id) => document.getElementById(id));
    this.player = new ClipPlayer(this.screen, { autoplay: !still() });
    this.cover.addEventListener("click", () => this.clip && open(this.clip));
  }

  /** Show the stage document. Returns true when a clip has come on that was not there before. */
  show(stage) {
    const clip = ["result", "gallery"].includes(stage.state) ? stage.clip : null;
    const key = clip ? `${clip.clip_id} ${stage.since}` : null;
    this.clip = clip;
    mark(this.monitor.parentElement, "on", clip ? "" : null);
    this.cover.hidden = !clip;
    this.idle.hidden = Boolean(clip);
    say(this.state, STATES[stage.state] ?? "");
    say(this.idle, INVITES[stage.state] ?? INVITES.idle);
    if (key === this.#key) return false;
    this.#key = key;
    if (!clip) this.player.clear();
    else
      this.player.show(clip, {
        key,
        offset_s: Math.max(0, (Date.parse(stage.server_time) - Date.parse(stage.since)) / 1000),
      });
    this.#caption(clip);
    return Boolean(clip);
  }

  #caption(clip) {
    if (!clip) return this.caption.replaceChildren();
    this.caption.replaceChildren(
      el("span", { className: "no", textContent: clip.cut }),
      el(
        "p",
        {},
        el("bdi", { className: "what", textContent: clip.prompt }),
        el("span", { className: "by" }, "by ", bdi(nameOf(clip.requested_by))),
      ),
    );
  }
}
