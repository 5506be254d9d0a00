import "./served.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";

const { KEYS, actOf, keyOf } = await import("/console/js/keys.js");

const within = (...selectors) => ({
  closest: (wanted) => (wanted.split(",").some((one) => selectors.includes(one)) ? {} : null),
});
const press = (key, more = {}) =>
  actOf({ key, shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, ...more });

test("no key means two acts, and each act has a key that is shown", () => {
  const pressed = KEYS.flatMap(([, , , keys]) => keys);
  assert.equal(new Set(pressed).size, pressed.length);
  for (const [shown, act] of KEYS) assert.equal(keyOf(act), shown);
});

test("letters are acts in either case of the keyboard, with shift others", () => {
  assert.equal(press("x"), "cancel");
  assert.equal(press("X"), "cancel", "caps lock");
  assert.equal(press("X", { shiftKey: true }), "clear");
  assert.equal(press("ArrowUp", { shiftKey: true }), "up");
  assert.equal(press("?", { shiftKey: true }), "help");
  assert.equal(press(" "), "pause");
});

test("the browser's own shortcuts stay its own", () => {
  for (const held of ["ctrlKey", "altKey", "metaKey"]) assert.equal(press("r", { [held]: true }), null);
});

test("while somebody types, a letter is a letter", () => {
  for (const place of ["input", "textarea", "select", "dialog"])
    assert.equal(press("x", { target: within(place) }), null);
});

test("space on a button presses the button", () => {
  assert.equal(press(" ", { target: within("button") }), null);
  assert.equal(press("x", { target: within("button") }), "cancel");
});
