import "./served.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";

const { deed, dollars, edge, pace, pot, signed, spoken, whyOutside } = await import("/console/js/wording.js");

const cuts = new Map([["job_1", "C-042"]]);
const said = (type, more = {}) => deed({ type, job_id: "job_1", detail: {}, ...more }, cuts);

test("an act is told by its cut", () => {
  assert.equal(said("job.held"), "held C-042");
  assert.equal(deed({ type: "job.held", job_id: "job_9", detail: {} }, cuts), "held an older cut");
  assert.equal(deed({ type: "ban.added", viewer: "twitch:3", detail: {} }, cuts), "banned twitch:3");
  assert.equal(deed({ type: "queue.paused", detail: {} }, cuts), "paused the queue");
  assert.equal(said("job.mended"), "job.mended C-042", "an act that this page has not heard of");
});

test("a change is told by what was changed", () => {
  const changed = (detail) => said("job.amended", { detail });
  assert.equal(changed({ position: 3, fields: {} }), "moved C-042 to 3");
  assert.equal(changed({ position: 1_000_000, fields: [] }), "moved C-042 to the bottom");
  assert.equal(changed({ credit_s: -60 }), "promoted C-042 by −60 s");
  assert.equal(changed({ lane: "sub", fields: ["prompt"] }), "changed words, lane of C-042");
  assert.equal(changed({ fields: ["engine", "preset", "duration_s"] }), "changed engine of C-042");
});

test("what a chat took back is told by whose it was and how much went", () => {
  const back = (detail, viewer = null) => deed({ type: "chat.retracted", job_id: null, viewer, detail }, cuts);
  const message = { kind: "message", platform: "twitch", message_id: "m1", cancelled: ["job_1"] };
  assert.equal(back(message), "took back a deleted message: 1 cut");
  const viewer = { kind: "viewer", platform: "twitch", cancelled: ["job_1", "job_2"], removed: ["clip_3"] };
  assert.equal(back(viewer, "twitch:3000"), "took back twitch:3000: 2 cuts, 1 clip");
  assert.equal(
    back({ kind: "chat", platform: "twitch", removed: ["a", "b"] }),
    "took back the chat of twitch: 2 clips",
  );
});

test("money has cents, and under ten of them a tenth more", () => {
  assert.deepEqual([dollars(0), dollars(1.2), dollars(0.034)], ["$0.00", "$1.20", "$0.034"]);
  assert.equal(pot({ spent_usd: 1, limit_usd: null, left_usd: null }), "$1.00, no limit");
  assert.equal(pot({ spent_usd: 6, limit_usd: 5, refilled_usd: 0.5, left_usd: -0.5 }), "$6.00 of $5.50, $0.00 left");
});

test("no wait is promised while the queue is paused", () => {
  const job = { status: "queued", eta_seconds: 14 };
  assert.deepEqual([edge(job), edge(job, { paused: true })], ["14 s", ""]);
  assert.equal(pace({ waiting_count: 9, seconds_each: 7, paused: false }), "9 · about 7 s each");
  assert.equal(pace({ waiting_count: 9, seconds_each: 7, paused: true }), "9");
});

test("the edge of a strip says what is done with it, or why it is held", () => {
  assert.equal(edge({ status: "rendering", stage: "denoise", progress: 57.6 }), "drawing 58 %");
  assert.equal(edge({ status: "rendering", stage: "denoise", progress: 57.6, leaving: true }), "stopping");
  assert.equal(edge({ status: "held", held_for: "word list: hold" }), "word list: hold");
});

test("a strip is read aloud with its place", () => {
  const job = { cut: "C-042", queue_position: 3, prompt: "robot cat", requested_by: { display_name: "Aki" } };
  assert.equal(spoken(job, 9), "C-042, place 3 of 9, robot cat, asked by Aki");
});

test("moderators come in, everybody else is told how", () => {
  assert.equal(whyOutside({ role: "moderator", name: "alice" }), null);
  assert.equal(whyOutside({ role: "broadcaster", name: "me" }), null);
  for (const role of [null, "overlay", "viewer", "bot"]) {
    assert.match(whyOutside({ role, name: "x" }).line, /^\.venv\/bin\/python -m sakuga keys link/);
  }
});

test("seconds carry their sign", () => assert.deepEqual([signed(60), signed(-15.4)], ["+60 s", "−15 s"]));
