import "./served.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";

const { backoff, Poller } = await import("/overlay/js/poll.js");

/** A clock that a test turns, and a gateway that answers from a table. */
class World {
  now_ms = 0;
  timers = new Map();
  asked = [];
  answers = {};
  heard = [];
  #next = 1;

  constructor() {
    this.poller = new Poller({
      onDocument: (name, document) => this.heard.push([name, document]),
      onGone: (name) => this.heard.push([name, "gone"]),
      onTrouble: (name, message) => this.heard.push([name, message ?? "well"]),
      onAway: (retry_in_ms) => this.heard.push(["away", retry_in_ms]),
      onBack: () => this.heard.push(["back"]),
      now: () => this.now_ms,
      random: () => 0.5,
      setTimeout: (call, wait_ms) => (
        this.timers.set(this.#next, { call, at_ms: this.now_ms + wait_ms }),
        this.#next++
      ),
      clearTimeout: (id) => this.timers.delete(id),
      fetch: async (path, { headers }) => {
        this.asked.push([this.now_ms, path, headers["If-None-Match"] ?? null]);
        const answer = this.answers[path];
        if (!answer) throw new TypeError("refused");
        const { status = 200, etag = null, body = {} } = answer;
        return { status, headers: new Headers(etag ? { ETag: etag } : {}), text: async () => JSON.stringify(body) };
      },
    });
  }

  async pass(ms) {
    const end_ms = this.now_ms + ms;
    for (;;) {
      await new Promise((done) => setImmediate(done));
      const due = [...this.timers]
        .filter(([, { at_ms }]) => at_ms <= end_ms)
        .sort(([, a], [, b]) => a.at_ms - b.at_ms)[0];
      if (!due) break;
      this.timers.delete(due[0]);
      this.now_ms = Math.max(this.now_ms, due[1].at_ms);
      due[1].call();
    }
    this.now_ms = end_ms;
  }

  times(path) {
    return this.asked.filter(([, asked]) => asked === path).map(([at_ms]) => at_ms);
  }
}

test("back-off doubles from half a second to five, spread by a fifth", () => {
  assert.deepEqual(
    [1, 2, 3, 4, 5, 50].map((failures) => backoff(failures, 0.5)),
    [500, 1000, 2000, 4000, 5000, 5000],
  );
  assert.equal(backoff(2, 0), 800);
  assert.equal(backoff(2, 0.999), 1200);
  assert.equal(backoff(9, 0.999), 5000);
});

test("a document is asked for at its pace, and its own hint goes first", async () => {
  const world = new World();
  world.answers = { "/queue": { body: {} }, "/stage": { body: { poll_after_ms: 250 } } };
  world.poller.watch("queue", "/queue", 1000);
  world.poller.watch("stage", "/stage", 1000);
  world.poller.start();
  await world.pass(1000);
  assert.deepEqual(world.times("/queue"), [0, 1000]);
  assert.deepEqual(world.times("/stage"), [0, 250, 500, 750, 1000]);
});

test("the ETag goes along and 304 keeps the document without telling again", async () => {
  const world = new World();
  world.answers["/stage"] = { etag: '"7"', body: { poll_after_ms: 500 } };
  world.poller.watch("stage", "/stage", 1000);
  world.poller.start();
  await world.pass(0);
  world.answers["/stage"] = { status: 304, etag: '"7"' };
  await world.pass(1000);
  assert.deepEqual(world.asked, [
    [0, "/stage", null],
    [500, "/stage", '"7"'],
    [1000, "/stage", '"7"'],
  ]);
  assert.equal(world.heard.length, 1);
});

test("a hint of null ends the watching", async () => {
  const world = new World();
  world.answers["/status/a"] = { body: { status: "succeeded", poll_after_ms: null } };
  world.poller.watch("status", "/status/a", 500);
  world.poller.start();
  await world.pass(5000);
  assert.equal(world.asked.length, 1);
});

test("a gateway that is away is asked by one voice, ever more slowly", async () => {
  const world = new World();
  world.poller.watch("stage", "/stage", 500);
  world.poller.watch("queue", "/queue", 500);
  world.poller.start();
  await world.pass(20000);
  const stage = world.times("/stage");
  assert.equal(world.times("/queue").length, 1);
  assert.ok(stage.length <= 8, `${stage}`);
  assert.ok(world.heard.every(([name]) => name === "away"));
  const gaps = stage.slice(1).map((at_ms, at) => at_ms - stage[at]);
  assert.equal(gaps.at(-1), 5000);
});

test("when the gateway is back everything is asked at once", async () => {
  const world = new World();
  world.poller.watch("stage", "/stage", 500);
  world.poller.watch("queue", "/queue", 4000);
  world.poller.start();
  await world.pass(3000);
  world.answers = { "/stage": { body: {} }, "/queue": { body: {} } };
  await world.pass(5000);
  const back = world.heard.findIndex(([name]) => name === "back");
  assert.ok(back > 0);
  assert.deepEqual(
    world.heard
      .slice(back + 1, back + 3)
      .map(([name]) => name)
      .sort(),
    ["queue", "stage"],
  );
});

test("an error of the gateway is told, slows only its own document, and is told to be well again", async () => {
  const world = new World();
  world.answers = {
    "/stage": { body: {} },
    "/clips": { status: 503, body: { error: { message: "The clip storage is not answering." } } },
  };
  world.poller.watch("stage", "/stage", 500);
  world.poller.watch("clips", "/clips", 500);
  world.poller.start();
  await world.pass(10000);
  assert.equal(world.times("/stage").length, 21);
  assert.ok(world.times("/clips").length < 7);
  assert.deepEqual(
    world.heard.find(([name]) => name === "clips"),
    ["clips", "The clip storage is not answering."],
  );
  world.answers["/clips"] = { body: { clips: [] } };
  await world.pass(5000);
  assert.equal(world.heard.filter(([name, what]) => name === "clips" && what === "well").length, 1);
});

test("an unhealthy health document is a document, whatever its status", async () => {
  const world = new World();
  world.answers["/health"] = { status: 503, body: { status: "unhealthy" } };
  world.poller.watch("health", "/health", 5000);
  world.poller.start();
  await world.pass(0);
  assert.deepEqual(world.heard, [["health", { status: "unhealthy" }]]);
});

test("a document that is gone is let go", async () => {
  const world = new World();
  world.answers["/status/a"] = { status: 404, body: { error: { message: "There is no such job." } } };
  world.poller.watch("status", "/status/a", 500);
  world.poller.start();
  await world.pass(3000);
  assert.deepEqual(world.heard, [["status", "gone"]]);
  assert.equal(world.asked.length, 1);
});

test("ringing asks at once, and another path under the same name starts afresh", async () => {
  const world = new World();
  world.answers = { "/clips": { etag: '"1"', body: {} }, "/clips?limit=2": { body: {} } };
  world.poller.watch("clips", "/clips", 5000);
  world.poller.start();
  await world.pass(1000);
  world.poller.ring("clips");
  await world.pass(0);
  world.poller.watch("clips", "/clips?limit=2", 5000);
  await world.pass(0);
  assert.deepEqual(world.asked, [
    [0, "/clips", null],
    [1000, "/clips", '"1"'],
    [1000, "/clips?limit=2", null],
  ]);
});
