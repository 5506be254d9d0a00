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
const DASH = /(?:--|—|–)/u.source;
const STYLE = new RegExp(`(?:^|\\s)${DASH}style(?:\\s+|=)([\\p{L}\\p{N}_-]+)(?=\\s|$)`, "iu");
const UNSEEN = /[\u{E0000}-\u{E007F}\u200B\uFEFF]/gu;

/**
 * Read one line: `{kind: "anime", prompt, style}`, `{kind: "queue"}`, `{kind: "pos"}` or `{kind: "talk", text}`.
 * Quotes are optional, of any kind; `--style name` may stand anywhere outside them; `style` is null without it.
 */
export function read(line) {
  const text = line.replace(UNSEEN, "").trim();
  const command = /^[!！](\p{L}+)(?:\s+|$)/u.exec(text);
  const name = command?.[1].toLowerCase();
  if (name === "queue" || name === "pos") return { kind: name };
  if (name !== "anime") return { kind: "talk", text };
  let rest = text.slice(command[0].length).trim();
  const style = STYLE.exec(outside(rest));
  if (style) rest = `${rest.slice(0, style.index)}${rest.slice(style.index + style[0].length)}`;
  return { kind: "anime", prompt: unquoted(rest.trim()), style: style ? style[1].toLowerCase() : null };
}

/** Write the line that asks for `prompt`, as a viewer would type it. */
export function ask(prompt, style = "") {
  const quoted = prompt.includes('"') ? `“${prompt}”` : `"${prompt}"`;
  return `!anime ${quoted}${style ? ` --style ${style}` : ""}`;
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
