/** The pretend chat's elements: the log, the line, who writes it and the example prompts. */

import { bdi, el } from "/overlay/js/dom.js";
import { ask, read } from "../chatline.js";
import { requestedBy } from "../chat.js";

const LONGEST_LOG = 200;
const NAMES = ["Mika", "Aki", "Jo", "Haruka", "Lev", "Ines"];
const EXAMPLES = [
  "girl with sword, neon rain",
  "robot cat fights a vending machine",
  "night train through sunflowers",
  "paper lantern dragon over the harbour",
];

export class ChatBox {
  #busy = false;

  /** `send(line, by)` resolves to false when the line should stay in the field. */
  constructor({ send }) {
    this.send = send;
    [this.log, this.form, this.line, this.name, this.style] = ["log", "composer", "line", "name", "style"].map((id) =>
      document.getElementById(id),
    );
    this.name.value = kept("sakuga.name") ?? NAMES[Math.floor(Math.random() * NAMES.length)];
    keep("sakuga.name", this.name.value);
    this.name.addEventListener("change", () => keep("sakuga.name", this.name.value));
    this.form.addEventListener("submit", (submit) => {
      submit.preventDefault();
      void this.#submit();
    });
    document.getElementById("chips").replaceChildren(...EXAMPLES.map((prompt) => this.#chip(prompt)));
  }

  styles(styles) {
    const chosen = this.style.value;
    this.style.replaceChildren(
      this.style.options[0],
      ...styles.map(({ name, title, summary }) =>
        el("option", { value: name, textContent: title || name, title: summary ?? "" }),
      ),
    );
    this.style.value = chosen;
  }

  /** Say above the form why it can't send, or nothing. */
  locked(sentence) {
    const place = document.getElementById("locked");
    place.textContent = sentence;
    place.hidden = !sentence;
  }

  /** Add a line that the studio says: `kind` is answer, done or refused. */
  say({ kind, text }) {
    this.#add(el("li", { className: `answer ${kind}` }, el("b", { textContent: "sakuga" }), bdi(text)));
  }

  #chip(prompt) {
    const chip = el("button", { type: "button", textContent: prompt });
    chip.addEventListener("click", () => {
      this.line.value = ask(prompt);
      this.line.focus();
    });
    return chip;
  }

  async #submit() {
    const typed = this.line.value.trim();
    if (!typed || this.#busy) return;
    const command = read(typed);
    const styled = command.kind === "anime" && command.prompt && !command.style && this.style.value;
    const line = styled ? ask(command.prompt, { ...command, style: this.style.value }) : typed;
    const way = new FormData(this.form).get("way");
    const by = requestedBy(this.name.value, way);
    this.#busy = true;
    this.line.value = "";
    this.#add(el("li", { data: { way } }, badge(way), el("b", {}, bdi(by.display_name)), bdi(line)));
    const sent = await this.send(line, by).catch(() => false);
    this.#busy = false;
    if (sent === false && !this.line.value) this.line.value = typed;
  }

  #add(item) {
    const low = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 60;
    this.log.append(item);
    while (this.log.childElementCount > LONGEST_LOG) this.log.children[1].remove();
    if (low) this.log.scrollTop = this.log.scrollHeight;
  }
}

function badge(way) {
  const text = { viewer: "", sub: "sub" }[way] ?? `${way} bits`;
  return el("span", { className: "badge", textContent: text, hidden: !text });
}

function kept(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function keep(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    /* a browser that keeps nothing asks for the name again */
  }
}
