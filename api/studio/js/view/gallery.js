/** The gallery's elements: a cel per finished clip, and the viewer that plays one with its particulars. */

import { arrange, bdi, el, say, still } from "/overlay/js/dom.js";
import { clock, cut, nameOf, size } from "/overlay/js/wording.js";

export class Gallery {
  #clips = [];
  #titles = new Map();
  #shown = null;

  constructor() {
    [this.list, this.empty, this.count, this.viewer] = ["cels", "cels-empty", "gallery-count", "viewer"].map((id) =>
      document.getElementById(id),
    );
    this.viewer.addEventListener("close", () => this.#closed());
    this.viewer.addEventListener("click", (click) => click.target === this.viewer && this.viewer.close());
    this.viewer.addEventListener("keydown", (press) => this.#turn({ ArrowLeft: -1, ArrowRight: 1 }[press.key], press));
  }

  styles(styles) {
    this.#titles = new Map(styles.map(({ name, title }) => [name, title]));
  }

  show(clips) {
    this.#clips = clips;
    arrange(this.list, clips, {
      key: (clip) => clip.clip_id,
      make: (clip) => this.#cel(clip),
      update: () => undefined,
    });
    this.empty.hidden = clips.length > 0;
    this.list.hidden = clips.length === 0;
    say(this.count, clips.length ? `${clips.length}${clips.length === 50 ? " newest" : ""}` : "");
  }

  /** Play `clip` in the viewer, with controls. */
  open(clip) {
    this.#shown = clip.clip_id;
    const video = el("video", {
      src: clip.video_url,
      poster: clip.poster_url,
      controls: true,
      loop: true,
      playsInline: true,
      autoplay: !still(),
    });
    video.style.aspectRatio = `${clip.width || 832} / ${clip.height || 480}`;
    const close = el("button", { type: "button", className: "quiet close", textContent: "Close" });
    close.addEventListener("click", () => this.viewer.close());
    this.#free();
    this.viewer.append(
      el(
        "div",
        { className: "sheet-of-clip paper" },
        el("div", { className: "reel" }, video),
        el(
          "div",
          { className: "particulars" },
          el("h3", { id: "viewer-title", textContent: clip.cut }),
          el("p", { className: "what" }, bdi(clip.prompt)),
          el(
            "dl",
            {},
            ...this.#particulars(clip).flatMap(([term, value]) => [
              el("dt", { textContent: term }),
              el("dd", {}, value instanceof Node ? value : bdi(value)),
            ]),
          ),
          el(
            "div",
            { className: "acts" },
            el("a", { href: clip.video_url, download: `${clip.cut}.mp4`, textContent: "Download MP4" }),
            close,
          ),
        ),
      ),
    );
    if (!this.viewer.open) this.viewer.showModal();
    close.focus();
  }

  #particulars(clip) {
    return [
      ["asked by", clip.ensemble?.length ? clip.ensemble.join(", ") : nameOf(clip.requested_by)],
      ...(clip.parent ? [["from", this.#parent(clip)]] : []),
      ["style", this.#titles.get(clip.style) ?? clip.style],
      ...(clip.characters?.length ? [["with", clip.characters.join(", ")]] : []),
      ["seed", String(clip.seed)],
      ["drawn in", `${clip.render_seconds.toFixed(1)} s${clip.attempt > 1 ? `, take ${clip.attempt}` : ""}`],
      ["by", clip.engine === clip.renderer ? clip.engine : `${clip.engine} on ${clip.renderer}`],
      ...(clip.preset ? [["preset", clip.preset]] : []),
      [
        "film",
        `${clip.duration.toFixed(1)} s, ${clip.resolution.replace("x", " × ")}, ${size(clip.bytes)}`,
      ],
      ["finished", clock(clip.finished_at)],
    ];
  }

  /** The cut that a clip is a remix of: a way to it where it is in the list. */
  #parent(clip) {
    const parent = this.#clips.find(({ clip_id, job_id }) => clip.parent === clip_id || clip.parent === job_id);
    if (!parent) return cut(clip.parent_number);
    const way = el("button", { type: "button", className: "way", textContent: parent.cut });
    way.addEventListener("click", () => this.open(parent));
    return way;
  }

  #cel(clip) {
    const poster = el("img", { alt: "", loading: "lazy", src: clip.poster_url });
    poster.addEventListener("error", () => poster.remove());
    const button = el(
      "button",
      { type: "button", title: clip.prompt },
      el("span", { className: "frame" }, poster),
      el("span", { className: "no", textContent: clip.cut }),
      el("span", { className: "by" }, bdi(nameOf(clip.requested_by))),
      ...(clip.parent ? [el("span", { className: "from", textContent: `from ${cut(clip.parent_number)}` })] : []),
      el("span", { className: "unseen" }, bdi(clip.prompt)),
    );
    button.addEventListener("click", () => this.open(clip));
    return el("li", {}, button);
  }

  #turn(by, press) {
    if (!by || press.target.tagName === "VIDEO") return;
    const at = this.#clips.findIndex((clip) => clip.clip_id === this.#shown);
    const next = this.#clips[at + by];
    if (at < 0 || !next) return;
    press.preventDefault();
    this.open(next);
  }

  #free() {
    const video = this.viewer.querySelector("video");
    video?.removeAttribute("src");
    video?.load();
    this.viewer.replaceChildren();
  }

  #closed() {
    this.#free();
    const cel = [...this.list.children].find((item) => item.dataset.key === this.#shown);
    cel?.querySelector("button").focus({ preventScroll: true });
    this.#shown = null;
  }
}
