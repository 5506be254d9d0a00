import "./served.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";

const { follow } = await import("/overlay/js/desk.js");
const statuses = (status) => new Map([["a", { status }]]);

test("the oldest running job lies on the desk and stays while it runs", () => {
  const desk = follow(null, ["a", "b"], new Map(), 0);
  assert.deepEqual(desk, { job_id: "a", left_ms: null });
  assert.deepEqual(follow(desk, ["b", "a"], new Map(), 100), { job_id: "a", left_ms: null });
});

test("a failed job is shown for five seconds before the next one", () => {
  const desk = follow({ job_id: "a", left_ms: null }, ["b"], statuses("failed"), 1000);
  assert.deepEqual(desk, { job_id: "a", left_ms: 1000 });
  assert.equal(follow(desk, ["b"], statuses("failed"), 5999).job_id, "a");
  assert.equal(follow(desk, ["b"], statuses("failed"), 6000).job_id, "b");
});

test("a stopped job leaves at once, a done one after a moment", () => {
  assert.equal(follow({ job_id: "a", left_ms: null }, ["b"], statuses("cancelled"), 1000).job_id, "b");
  assert.equal(follow({ job_id: "a", left_ms: 0 }, [], statuses("succeeded"), 1400).job_id, "a");
  assert.equal(follow({ job_id: "a", left_ms: 0 }, [], statuses("succeeded"), 1500), null);
});

test("a job that is tried again takes its place back", () => {
  assert.deepEqual(follow({ job_id: "a", left_ms: 10 }, ["a"], statuses("starting"), 900), {
    job_id: "a",
    left_ms: null,
  });
});

test("an empty desk is empty", () => assert.equal(follow(null, [], new Map(), 0), null));
