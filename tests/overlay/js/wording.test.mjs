import "./served.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";

const { about, clock, doing, explain, nameOf, place, size, stampOf, wait, waiting, whereabouts } =
  await import("/overlay/js/wording.js");

test("a wait under a minute is in seconds, from there in minutes and hours", () => {
  assert.deepEqual([0, 14, 59.4, 60, 140, 3540, 3600, 3900].map(wait), [
    "0 s",
    "14 s",
    "59 s",
    "about 1 min",
    "about 2 min",
    "about 59 min",
    "about 1 h",
    "about 1 h 5 min",
  ]);
});

test("a wait that rounds up to a full hour is an hour", () => assert.equal(wait(3599), "about 1 h"));

test("an unknown wait is soon", () => {
  for (const unknown of [null, undefined, Number.NaN, Infinity]) assert.equal(about(unknown), "soon");
});

test("inside a sentence seconds are about", () => {
  assert.equal(about(14), "about 14 s");
  assert.equal(about(140), "about 2 min");
});

test("places are said as in a queue", () => {
  assert.deepEqual([1, 2, 3, 4, 11, 12, 13, 21, 22, 101, 111].map(place), [
    "next",
    "2nd",
    "3rd",
    "4th",
    "11th",
    "12th",
    "13th",
    "21st",
    "22nd",
    "101st",
    "111th",
  ]);
});

test("the clock is the reader's", () => {
  assert.equal(clock("2026-11-20T14:03:59Z", "UTC"), "14:03");
  assert.equal(clock("2026-11-20T14:03:59Z", "Asia/Tokyo"), "23:03");
  assert.equal(clock("nonsense", "UTC"), "");
});

test("a place is explained by its credits and the time it was asked", () => {
  const requested_at = "2026-11-20T14:03:00Z";
  const zone = "UTC";
  assert.equal(
    explain({ credits: [{ reason: "sub", seconds: 300 }], requested_at }, { zone }),
    "sub +300 s · asked 14:03",
  );
  assert.equal(explain({ credits: [], requested_at }, { zone }), "asked 14:03");
  assert.equal(
    explain(
      {
        credits: [
          { reason: "2nd job this stream", seconds: -60 },
          { reason: "2 votes", seconds: 30.2 },
        ],
        requested_at,
      },
      { zone },
    ),
    "2nd job this stream −60 s · 2 votes +30 s · asked 14:03",
  );
  assert.equal(
    explain({ credits: [{ reason: "sub", seconds: 300 }], requested_at }, { zone, brief: true }),
    "sub +300 s",
  );
  assert.equal(explain({ credits: [], requested_at }, { zone, brief: true }), "asked 14:03");
});

test("bits are stamped with their number, a viewer has no stamp", () => {
  assert.deepEqual(stampOf({ lane: "bits", credits: [{ reason: "300 bits", seconds: 180 }] }), {
    lane: "bits",
    big: "300",
    small: "BITS",
  });
  const many = (bits) => stampOf({ lane: "bits", credits: [{ reason: `${bits} bits`, seconds: 900 }] }).big;
  assert.deepEqual([300, 1000, 9999, 12400, 1000000].map(many), ["300", "1k", "10k", "12k", "1M"]);
  assert.deepEqual(stampOf({ lane: "bits", credits: [] }), { lane: "bits", big: "BITS", small: "" });
  assert.deepEqual(stampOf({ lane: "sub" }), { lane: "sub", big: "SUB", small: "" });
  assert.equal(stampOf({ lane: "viewer" }), null);
});

test("an accepted cut is told its place and wait", () => {
  assert.equal(
    whereabouts({ cut: "C-042", status: "queued", queue_position: 3, eta_seconds: 140 }),
    "C-042 is 3rd, about 2 min",
  );
  assert.equal(
    whereabouts({ cut: "C-042", status: "queued", queue_position: 1, eta_seconds: 14 }),
    "C-042 is next, about 14 s",
  );
});

test("a cut on the desk, held, done or refused says so", () => {
  assert.equal(
    whereabouts({ cut: "C-042", status: "rendering", stage: "denoise", eta_seconds: 9 }),
    "C-042 is on the desk: drawing, about 9 s",
  );
  assert.equal(whereabouts({ cut: "C-042", status: "held" }), "C-042 waits for a moderator");
  assert.equal(whereabouts({ cut: "C-042", status: "succeeded" }), "C-042 is done");
  assert.equal(
    whereabouts({ cut: "C-042", status: "failed", error: { message: "The drawing failed." } }),
    "C-042: The drawing failed.",
  );
  assert.equal(whereabouts({ cut: "C-042", status: "cancelled", error: null }), "C-042: stopped");
});

test("a model that is on its way into memory is named, and no wait is made up for it", () => {
  const job = { cut: "C-042", status: "rendering", stage: "loading", eta_seconds: null };
  assert.equal(doing(job), "loading the model");
  assert.equal(whereabouts(job), "C-042 is on the desk: loading the model, which the first time takes minutes");
  assert.equal(whereabouts({ ...job, eta_seconds: 8 }), "C-042 is on the desk: warming up, about 8 s");
});

test("the size of a file is in the unit that shows it", () => {
  assert.deepEqual([12, 41_600, 999_499, 999_500, 1_200_000].map(size), ["1 KB", "42 KB", "999 KB", "1.0 MB", "1.2 MB"]);
});

test("each stage of work has plain words", () => {
  assert.equal(doing({ status: "starting", stage: "waiting" }), "warming up");
  assert.equal(doing({ status: "rendering", stage: "denoise" }), "drawing");
  assert.equal(doing({ status: "finishing", stage: "encode" }), "filming");
  assert.equal(doing({ status: "rendering", stage: "something new" }), "drawing");
});

test("a viewer without a name is somebody", () => {
  assert.equal(nameOf({ display_name: "", login: "" }), "somebody");
  assert.equal(nameOf({ display_name: "", login: "mika" }), "mika");
  assert.equal(nameOf(null), "somebody");
});

test("the line over the queue counts and says how long each takes", () => {
  assert.equal(waiting(9, 40), "9 waiting · about 40 s each");
  assert.equal(waiting(1, null), "1 waiting");
  assert.equal(waiting(0, 40), "nobody waits");
});
