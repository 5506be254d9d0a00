import "./served.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";

const { scene, STALE_MS } = await import("/overlay/js/scene.js");

const clip = { clip_id: "clip_1", width: 704, height: 480, requested_by: { display_name: "Mika" } };
const stage = (fields) => ({
  state: "idle",
  clip: null,
  since: "2026-11-20T14:00:00Z",
  server_time: "2026-11-20T14:00:02.5Z",
  next: [],
  waiting_count: 0,
  seconds_each: 7,
  paused: false,
  ...fields,
});
const job = { job_id: "job_1" };

test("before the first answer nothing is shown", () => {
  assert.deepEqual(scene({ stage: null, job: null, away_ms: 0 }), {
    clip: null,
    desk: null,
    next: [],
    heading: "",
    slip: null,
    away: false,
  });
});

test("an idle stage invites, a busy one does not", () => {
  assert.equal(scene({ stage: stage(), job: null, away_ms: 0 }).slip, "invite");
  assert.equal(scene({ stage: stage({ next: [job], waiting_count: 1 }), job: null, away_ms: 0 }).slip, null);
  assert.equal(scene({ stage: stage(), job, away_ms: 0 }).slip, null);
});

test("a page that is reloaded mid-clip joins it where it is", () => {
  const view = scene({ stage: stage({ state: "result", clip }), job: null, away_ms: 0 });
  assert.equal(view.clip.offset_s, 2.5);
  assert.equal(view.clip.key, "clip_1 2026-11-20T14:00:00Z");
  assert.equal(view.clip.ratio, 704 / 480);
});

test("the cut on the desk makes room for a clip", () => {
  assert.equal(scene({ stage: stage({ state: "cooking" }), job, away_ms: 0 }).desk.size, "full");
  assert.equal(scene({ stage: stage({ state: "gallery", clip }), job, away_ms: 0 }).desk.size, "strip");
  assert.equal(scene({ stage: stage({ state: "gallery", clip }), job, away_ms: 0 }).clip.kind, "gallery");
});

test("a cut that is on air is not on the desk as well", () => {
  const finished = { ...clip, job_id: "job_1" };
  assert.equal(scene({ stage: stage({ state: "result", clip: finished }), job, away_ms: 0 }).desk, null);
});

test("the next five are shown, no more", () => {
  const next = Array.from({ length: 8 }, (_, at) => ({ job_id: `job_${at}` }));
  assert.equal(scene({ stage: stage({ next, waiting_count: 8 }), job: null, away_ms: 0 }).next.length, 5);
});

test("a dumped stage shows nothing of anybody", () => {
  for (const state of ["dumped", "fallback"]) {
    const view = scene({ stage: stage({ state, clip, next: [job] }), job, away_ms: 0 });
    assert.deepEqual([view.clip, view.desk, view.next, view.slip], [null, null, [], null]);
  }
});

test("without the gateway the picture stays for a while, with a dot, and then goes", () => {
  const on_air = { stage: stage({ state: "cooking", next: [job] }), job };
  const early = scene({ ...on_air, away_ms: 1000 });
  assert.ok(early.away && early.desk && early.next.length === 1);
  const late = scene({ ...on_air, away_ms: STALE_MS + 1 });
  assert.ok(late.away && !late.desk && late.next.length === 0);
});
