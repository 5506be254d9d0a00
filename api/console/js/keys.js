/** The keys of the console: which act each one means, and the table of them that the page shows. */

export const KEYS = [
  ["J", "next", "next cut", ["j", "ArrowDown"]],
  ["K", "previous", "cut before", ["k", "ArrowUp"]],
  ["⇧↓", "down", "one place down", ["Shift+ArrowDown", "Shift+J"]],
  ["⇧↑", "up", "one place up", ["Shift+ArrowUp", "Shift+K"]],
  ["T", "top", "to the top", ["t"]],
  ["B", "bottom", "to the bottom", ["b"]],
  ["P", "promote", "60 s more head start", ["p"]],
  ["H", "hold", "hold back", ["h"]],
  ["A", "approve", "approve", ["a"]],
  ["R", "reject", "reject", ["r"]],
  ["X", "cancel", "stop", ["x"]],
  ["Y", "retry", "try again", ["y"]],
  ["E", "edit", "edit", ["e"]],
  ["⇧B", "ban", "ban or unban the viewer", ["Shift+B"]],
  ["Z", "undo", "take back the last act", ["z"]],
  ["Space", "pause", "pause or go on", [" "]],
  ["O", "open", "close or open for requests", ["o"]],
  ["⇧D", "drain", "draw what waits, then end", ["Shift+D"]],
  ["⇧X", "clear", "end all that wait", ["Shift+X"]],
  ["D", "dump", "dump or release the stage", ["d"]],
  ["Del", "remove", "twice: take the clip on air out", ["Delete"]],
  ["V", "ballot", "open or close a ballot", ["v"]],
  ["⇧S", "session", "begin or end the stream", ["Shift+S"]],
  ["/", "search", "search", ["/"]],
  ["?", "help", "these keys", ["?", "Shift+?"]],
  ["Esc", "leave", "let go", ["Escape"]],
];

const ACTS = new Map(KEYS.flatMap(([, act, , pressed]) => pressed.map((key) => [key, act])));

/** The key that is shown for an act. */
export function keyOf(act) {
  return KEYS.find(([, name]) => name === act)?.[0] ?? "";
}

/** The act that a press means, or null: while somebody types, or with Ctrl, it is none of ours. */
export function actOf({ key, shiftKey, ctrlKey, altKey, metaKey, target }) {
  if (ctrlKey || altKey || metaKey) return null;
  if (typing(target)) return null;
  if ((key === " " || key === "Enter") && target?.closest?.("button,a,summary")) return null;
  const name = key.length === 1 && !shiftKey ? key.toLowerCase() : key.length === 1 ? key.toUpperCase() : key;
  return ACTS.get(shiftKey ? `Shift+${name}` : name) ?? null;
}

/** Whether a press writes text there. */
function typing(target) {
  return Boolean(target?.closest?.("input,textarea,select,dialog"));
}
