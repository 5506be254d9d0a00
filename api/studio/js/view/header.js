/** The top of the page: how each part is, the overlay's address, and the line that says the gateway is away. */

import { el, mark, say } from "/overlay/js/dom.js";

const PARTS = ["gateway", "broker", "worker", "renderer", "stage", "storage"];

export class Header {
  #retry_at_ms = null;
  #troubles = new Map();

  constructor() {
    this.parts = new Map(
      PARTS.map((part) => [
        part,
        el(
          "li",
          { data: { status: "unknown" } },
          el("span", { textContent: part }),
          el("span", { className: "unseen" }),
        ),
      ]),
    );
    document.getElementById("health").replaceChildren(...this.parts.values());
    this.slip = document.getElementById("away");
    this.copy = document.getElementById("copy");
    this.copy.addEventListener("click", () => void this.#copy());
  }

  health(health) {
    this.#part("gateway", "up", `version ${health.version}, ${health.status}`);
    for (const part of PARTS.slice(1)) this.#part(part, lightOf(health[part]), detail(part, health[part]));
    this.trouble("studio file", health.studio_file?.message ?? null);
  }

  away(retry_in_ms, now_ms) {
    this.#retry_at_ms = now_ms + retry_in_ms;
    this.#part("gateway", "down", "not answering");
    for (const part of PARTS.slice(1)) this.#part(part, "unknown", "not known while the gateway is away");
    this.paint(now_ms);
  }

  back() {
    this.#retry_at_ms = null;
    this.#part("gateway", "up", "");
    this.#slip();
  }

  /** Show what the gateway says is wrong with a document, or that it is well again (null). */
  trouble(name, message) {
    if (message === null) this.#troubles.delete(name);
    else this.#troubles.set(name, message);
    this.#slip();
  }

  paint(now_ms) {
    if (this.#retry_at_ms !== null) this.#slip(Math.max(1, Math.ceil((this.#retry_at_ms - now_ms) / 1000)));
  }

  #slip(retry_s = null) {
    const [trouble] = this.#troubles.values();
    const text = retry_s === null ? trouble : "The gateway is away. ";
    this.slip.hidden = !text;
    say(this.slip.children[0], text ?? "");
    say(this.slip.children[1], retry_s === null ? "" : `Trying again in ${retry_s} s`);
  }

  #part(name, status, title) {
    const part = this.parts.get(name);
    mark(part, "status", status);
    part.title = title ? `${name}: ${status}, ${title}` : `${name}: ${status}`;
    say(part.children[1], ` ${status}${status === "limited" ? `: ${title}` : ""}`);
  }

  async #copy() {
    const url = `${location.origin}/overlay`;
    try {
      await navigator.clipboard.writeText(url);
      say(this.copy, "Copied");
    } catch {
      window.prompt("The overlay's address for an OBS browser source, 1920 × 1080:", url);
    }
    setTimeout(() => say(this.copy, "Copy URL for OBS"), 2000);
  }
}

/** A part is "limited" that is up and says what is wrong with it. */
function lightOf(health) {
  return health?.status === "up" && health.trouble ? "limited" : (health?.status ?? "unknown");
}

function detail(part, health) {
  if (part === "renderer" && health?.trouble) return [health.name, health.message ?? health.trouble].join(", ");
  if (part === "worker") return `${health?.busy ?? 0} of ${health?.slots ?? 0} slots busy`;
  if (part === "renderer")
    return [health?.name, health?.model, health?.gpu, health?.warm ? "warm" : "cold"].filter(Boolean).join(", ");
  return [health?.kind, health?.detail].filter(Boolean).join(", ");
}
