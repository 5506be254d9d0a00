/** What a chat line asks for, read as the bot on Twitch reads it. */

const QUOTES = [
  ['"', '"'],
  ["'", "'"],
  ["“", "”"],
  ["„", "“"],
  ["„", "”"],
  ["«", "»"],
  ["「", "」"],
  ["”", "”"],
];
const CAST = 3;
const DASH = /(?:--|—|–)/u.source;
const OPTION = new RegExp(`(?:^|\\s)${DASH}(style|character|preset)(?:\\s+|=)([\\p{L}\\p{N}_-]+)(?=\\s|$)`, "iu");
const UNSEEN = /[\u{E0000}-\u{E007F}\u200B\uFEFF]/gu;

/**
 * Read one line: `{kind: "anime", prompt, style, characters, preset}`, `{kind: "queue"}`, `{kind: "pos"}` or
 * `{kind: "talk", text}`. Quotes are optional, of any kind; `--style name`, `--preset name` and, up to three times,
 * `--character name` may stand anywhere outside them; style and preset are null without theirs.
 */
export function read(line) {
  const text = line.replace(UNSEEN, "").trim();
  const command = /^[!！](\p{L}+)(?:\s+|$)/u.exec(text);
  const name = command?.[1].toLowerCase();
  if (name === "queue" || name === "pos") return { kind: name };
  if (name !== "anime") return { kind: "talk", text };
  let rest = text.slice(command[0].length).trim();
  const asked = { style: [], character: [], preset: [] };
  for (let option; (option = OPTION.exec(outside(rest))); ) {
    asked[option[1].toLowerCase()].push(option[2].toLowerCase());
    rest = `${rest.slice(0, option.index)}${rest.slice(option.index + option[0].length)}`.trim();
  }
  return {
    kind: "anime",
    prompt: unquoted(rest),
    style: asked.style[0] ?? null,
    characters: [...new Set(asked.character)].slice(0, CAST),
    preset: asked.preset[0] ?? null,
  };
}

/** Write the line that asks for `prompt`, as a viewer would type it. */
export function ask(prompt, { style, characters = [], preset } = {}) {
  const quoted = prompt.includes('"') ? `“${prompt}”` : `"${prompt}"`;
  const options = [["style", style], ...characters.map((name) => ["character", name]), ["preset", preset]];
  return ["!anime", quoted, ...options.filter(([, name]) => name).map(([key, name]) => `--${key} ${name}`)].join(" ");
}

/** The text with its quoted part blanked, so that what stands inside quotes is never read as an option. */
function outside(text) {
  for (const [open, close] of QUOTES) {
    if (!text.startsWith(open)) continue;
    const end = text.lastIndexOf(close);
    if (end > 0) return " ".repeat(end + 1) + text.slice(end + 1);
  }
  return text;
}

function unquoted(text) {
  for (const [open, close] of QUOTES) {
    if (text.length > 1 && text.startsWith(open) && text.endsWith(close)) return text.slice(1, -1).trim();
  }
  return text;
}
