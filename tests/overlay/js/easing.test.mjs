import "./served.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";

const { Eased, rowsAt, secondsLeft, TWOS_MS } = await import("/overlay/js/easing.js");

test("progress glides to the new value and never past it", () => {
  const eased = new Eased();
  eased.jump(10);
  eased.at(0);
  eased.aim(50);
  let before = 10;
  for (let now_ms = TWOS_MS; now_ms < 4000; now_ms += TWOS_MS) {
    const shown = eased.at(now_ms);
    assert.ok(shown >= before && shown <= 50, `${shown} after ${before}`);
    before = shown;
  }
  assert.equal(before, 50);
});

test("a fall is taken at once, for the next take starts over", () => {
  const eased = new Eased();
  eased.jump(80);
  eased.aim(5);
  assert.equal(eased.at(0), 5);
});

test("a still desk jumps", () => {
  const eased = new Eased({ still: true });
  eased.aim(70);
  assert.equal(eased.at(0), 70);
});

test("nonsense and overshoot stay within 0 and 100", () => {
  const eased = new Eased({ still: true });
  for (const [percent, shown] of [
    [130, 100],
    [-4, 0],
    [undefined, 0],
    [Number.NaN, 0],
  ]) {
    eased.aim(percent);
    assert.equal(eased.at(0), shown);
  }
});

test("the time sheet has 24 rows, one of them is now until all are full", () => {
  assert.deepEqual(rowsAt(0), { full: 0, now: 0 });
  assert.deepEqual(rowsAt(58), { full: 13, now: 13 });
  assert.deepEqual(rowsAt(99.9), { full: 23, now: 23 });
  assert.deepEqual(rowsAt(100), { full: 24, now: null });
});

test("seconds count down between polls and stop at zero", () => {
  assert.equal(secondsLeft(14, 1000, 5000), 10);
  assert.equal(secondsLeft(2, 1000, 9000), 0);
  assert.equal(secondsLeft(null, 1000, 9000), null);
  assert.equal(secondsLeft(14, 5000, 1000), 14);
});
