/** Plays one clip at a time in a frame: poster first, a fresh video each time, and a watchdog that frees it. */

import { el } from "./dom.js";

const GRACE_S = 2;

export class ClipPlayer {
  #key = null;
  #video = null;
  #watchdog = null;

  /** `host` is the frame; `onEnd(key)` is called when a clip is over or can't be played; the last picture stays. */
  constructor(host, { muted = true, volume = 1, autoplay = true, onEnd } = {}) {
    Object.assign(this, { host, muted, volume, autoplay, onEnd });
    this.poster = el("img", { alt: "", hidden: true });
    this.poster.addEventListener("error", () => (this.poster.hidden = true));
    host.prepend(this.poster);
  }

  get playing() {
    return this.#key;
  }

  /** Play `clip` from `offset_s`; the same `key` again changes nothing. */
  show(clip, { key, offset_s = 0 }) {
    if (key === this.#key) return;
    this.clear();
    this.#key = key;
    this.poster.src = clip.poster_url;
    this.poster.hidden = false;
    this.host.classList.add("seen");
    if (!this.autoplay) return;
    if (offset_s >= clip.duration) return void this.#end(key);
    const video = el("video", {
      muted: this.muted,
      volume: this.volume,
      playsInline: true,
      preload: "auto",
      disablePictureInPicture: true,
    });
    video.setAttribute("aria-label", `clip ${clip.cut}`);
    video.style.opacity = "0";
    video.addEventListener("playing", () => (video.style.opacity = "1"), { once: true });
    video.addEventListener("ended", () => this.onEnd?.(key), { once: true });
    video.addEventListener("error", () => this.#end(key), { once: true });
    if (offset_s > 1) video.addEventListener("loadedmetadata", () => (video.currentTime = offset_s), { once: true });
    video.src = clip.video_url;
    this.poster.after(video);
    this.#video = video;
    this.#watchdog = setTimeout(() => this.#end(key), (clip.duration - offset_s + GRACE_S) * 1000);
    void this.#play(video);
  }

  /** Take everything off the frame and free the decoder. */
  clear() {
    this.#free();
    this.#key = null;
    this.poster.hidden = true;
    this.poster.removeAttribute("src");
    this.host.classList.remove("seen");
  }

  async #play(video) {
    try {
      await video.play();
    } catch (refusal) {
      if (refusal.name !== "NotAllowedError" || video.muted) return;
      video.muted = true;
      await video.play().catch(() => undefined);
    }
  }

  #end(key) {
    if (key !== this.#key) return;
    this.#free();
    this.onEnd?.(key);
  }

  #free() {
    clearTimeout(this.#watchdog);
    const video = this.#video;
    this.#video = null;
    if (!video) return;
    video.pause();
    video.removeAttribute("src");
    video.load();
    video.remove();
  }
}
