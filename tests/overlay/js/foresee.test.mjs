import "./served.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";

const { foresee, placeOf } = await import("/console/js/foresee.js");

const job = (id, start_number = 0, status = "queued") => ({ job_id: id, start_number, status });
const studio = (waiting, { held = [], running = [] } = {}) => ({
  queue: { waiting, running, waiting_count: waiting.length, paused: false, open: true, draining: false },
  held: { jobs: held },
});
const ids = (jobs) => jobs.map((one) => one.job_id).join("");
const abc = () => [job("a", 10), job("b", 100), job("c", 190)];

test("a cut that is moved stands at its new place at once", () => {
  const seen = (place) => ids(foresee(studio(abc()), [{ kind: "move", job_id: "c", place }]).waiting);
  assert.deepEqual([seen(1), seen(2), seen(1_000_000)], ["cab", "acb", "abc"]);
});

test("places are counted anew and no ETA is claimed that nobody has worked out", () => {
  const seen = foresee(studio(abc()), [{ kind: "cancel", job_id: "a" }]);
  assert.deepEqual(
    seen.waiting.map((one) => [one.job_id, one.queue_position, one.eta_seconds]),
    [
      ["b", 1, null],
      ["c", 2, null],
    ],
  );
  assert.equal(seen.waiting_count, 2);
});

test("head start brings a cut in front of those it overtakes, and of nobody else", () => {
  const seen = (credit_s) => ids(foresee(studio(abc()), [{ kind: "promote", job_id: "c", credit_s }]).waiting);
  assert.deepEqual([seen(60), seen(95), seen(600)], ["abc", "acb", "cab"]);
});

test("a held cut is in the held ones also while neither document has it", () => {
  const held = { kind: "hold", job_id: "b", job: job("b", 100) };
  assert.equal(ids(foresee(studio(abc()), [held]).held), "b");
  const between = foresee(studio([job("a", 10), job("c", 190)]), [held]);
  assert.deepEqual([ids(between.held), ids(between.waiting)], ["b", "ac"]);
  assert.equal(ids(foresee(studio([job("a")], { held: [job("b")] }), [held]).held), "b");
});

test("an approved cut waits at the place of its start number, unless it is drawn already", () => {
  const approved = { kind: "approve", job_id: "h", job: job("h", 50, "held") };
  assert.equal(ids(foresee(studio(abc(), { held: [job("h", 50)] }), [approved]).waiting), "ahbc");
  assert.equal(ids(foresee(studio(abc(), { running: [job("h", 50)] }), [approved]).waiting), "abc");
});

test("several acts under way are seen one on top of the other", () => {
  const acts = [
    { kind: "move", job_id: "c", place: 1 },
    { kind: "cancel", job_id: "a" },
    { kind: "pause", paused: true },
  ];
  const seen = foresee(studio(abc()), acts);
  assert.deepEqual([ids(seen.waiting), seen.paused], ["cb", true]);
});

test("an act on a cut that has gone changes nothing, and the documents stay as they came", () => {
  const told = studio(abc());
  for (const kind of ["move", "cancel", "promote", "reject"]) {
    assert.equal(ids(foresee(told, [{ kind, job_id: "gone", place: 1, credit_s: 9 }]).waiting), "abc");
  }
  foresee(told, [{ kind: "clear" }]);
  assert.equal(ids(told.queue.waiting), "abc");
});

test("a drop counts from the strip above it that still waits", () => {
  assert.equal(placeOf("d", ["a", "d", "b", "c"], ["a", "b", "c", "d"]), 2);
  assert.equal(placeOf("d", ["d", "a", "b", "c"], ["a", "b", "c", "d"]), 1);
  assert.equal(placeOf("d", ["a", "b", "d", "c"], ["new", "a", "c", "d"]), 3);
  assert.equal(placeOf("d", ["a", "d"], ["d", "x"]), 1);
});
