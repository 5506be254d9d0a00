import "./served.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";

const { whyLocked } = await import("/studio/js/door.js");

test("whoever may ask for cuts is told nothing", () => {
  for (const role of ["viewer", "bot", "moderator", "broadcaster"]) assert.equal(whyLocked({ role }), "");
});

test("everybody else is told how to log in", () => {
  for (const role of [null, "overlay"]) assert.match(whyLocked({ role }), /keys link/);
});
