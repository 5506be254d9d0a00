/** Elements without HTML: what a viewer wrote only ever becomes text. Lists that keep their elements and slide on twos. */

/** Whether the desk is to be still: the reader's system says so, or the address does (`?motion=reduced`). */
export function still() {
  return (
    new URLSearchParams(location.search).get("motion") === "reduced" ||
    matchMedia("(prefers-reduced-motion: reduce)").matches
  );
}

/** Make an element. `props` are properties (`className`, `textContent`), `aria-*`, `role` or `data` ({name: value}). */
export function el(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "data") Object.assign(made.dataset, value);
    else if (name.includes("-") || name === "role") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children);
  return made;
}

/** A viewer's words, kept apart from the direction of the words around them. */
export function bdi(text) {
  return el("bdi", { textContent: text });
}

/** Set the text only if it is another one, so that nothing is laid out or read aloud again. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Set a data attribute only if it is another one; null takes it away. */
export function mark(element, name, value) {
  if (value === null || value === undefined) delete element.dataset[name];
  else if (element.dataset[name] !== String(value)) element.dataset[name] = value;
}

/** Lay an element down from a little above, on twos. */
export function lay(element) {
  if (still()) return;
  const above = [
    { transform: "translateY(-14px)", opacity: 0 },
    { transform: "none", opacity: 1 },
  ];
  element.animate(above, { duration: 420, easing: "steps(5)" });
}

/** Show `items` as children of `list`: elements are kept by key, new ones arrive, moved ones slide. */
export function arrange(list, items, { key, make, update }) {
  const kept = new Map([...list.children].map((child) => [child.dataset.key, child]));
  const first = kept.size === 0;
  const before = new Map([...kept].map(([name, child]) => [name, child.offsetTop]));
  let last = null;
  for (const item of items) {
    const name = String(key(item));
    let child = kept.get(name);
    if (!child) {
      child = make(item);
      child.dataset.key = name;
      if (!first && !still()) child.classList.add("arrives");
    }
    kept.delete(name);
    update(child, item);
    const spot = last ? last.nextElementSibling : list.firstElementChild;
    if (spot !== child) list.insertBefore(child, spot);
    last = child;
  }
  for (const child of kept.values()) child.remove();
  if (!still()) for (const child of list.children) slide(child, before.get(child.dataset.key));
}

function slide(child, from) {
  const by = from === undefined ? 0 : from - child.offsetTop;
  if (by)
    child.animate([{ transform: `translateY(${by}px)` }, { transform: "none" }], { duration: 420, easing: "steps(5)" });
}
