/** The overlay's elements: draws a scene, and nothing else. */

import { arrange, bdi, el, lay, mark, say } from "./dom.js";
import { CutPaper, pegs, strip, writeStrip } from "./paper.js";
import { ClipPlayer } from "./player.js";

export class OverlayView {
  #clip_key = null;

  /** `sound` is whether clips may be heard, `volume` 0 to 1. */
  constructor({ sound, volume }) {
    [this.clip, this.screen, this.eyecatch, this.desk, this.slip, this.next, this.waiting, this.bags, this.away] = [
      "clip",
      "screen",
      "eyecatch",
      "desk",
      "slip",
      "next",
      "waiting",
      "bags",
      "away",
    ].map((id) => document.getElementById(id));
    this.paper = new CutPaper();
    this.desk.append(this.paper.root);
    this.clip.prepend(pegs());
    this.slip.append(
      "Type ",
      el("code", { textContent: "!anime “what to draw”" }),
      " in chat, and watch it being drawn",
    );
    this.player = new ClipPlayer(this.screen, { muted: !sound, volume });
  }

  /** Draw `view`, as scene.js makes it. */
  show(view, now_ms) {
    this.away.hidden = !view.away;
    this.slip.hidden = view.slip === null;
    this.#showClip(view.clip);
    this.desk.hidden = !view.desk;
    if (view.desk) {
      mark(this.desk, "size", view.desk.size);
      this.paper.heard(view.desk.job, now_ms);
    }
    this.next.hidden = view.next.length === 0;
    say(this.waiting, view.heading);
    arrange(this.bags, view.next, {
      key: (job) => job.job_id,
      make: strip,
      update: (element, job) => writeStrip(element, job, { brief: true }),
    });
  }

  paint(now_ms) {
    if (!this.desk.hidden) this.paper.paint(now_ms);
  }

  #showClip(view) {
    this.clip.hidden = !view;
    if ((view?.key ?? null) === this.#clip_key) return;
    this.#clip_key = view?.key ?? null;
    if (!view) return this.player.clear();
    this.screen.style.setProperty("--ratio", view.ratio);
    this.eyecatch.replaceChildren(
      el("span", { className: "no", textContent: view.clip.cut }),
      el(
        "p",
        {},
        el("bdi", { className: "what", textContent: view.clip.prompt }),
        el("span", { className: "by" }, "by ", bdi(view.by)),
      ),
      el("span", {
        className: "kind",
        data: { kind: view.kind },
        textContent: view.kind === "gallery" ? "GALLERY" : "NEW CUT",
      }),
    );
    this.player.show(view.clip, { key: view.key, offset_s: view.offset_s });
    lay(this.clip);
  }
}
