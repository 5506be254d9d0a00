import "./served.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";

const { Feed } = await import("/console/js/feed.js");
const { EVENTS, heardOf } = await import("/console/js/news.js");

class FakeStream {
  listeners = new Map();
  readyState = 1;
  addEventListener(type, heard) {
    this.listeners.set(type, heard);
  }
  say(type, data) {
    this.listeners.get(type)?.({ data: JSON.stringify(data) });
  }
}

/** A gateway of documents by path; `pass` lets the answers go that are held back. */
function room(documents) {
  const world = { asked: [], heard: [], gone: [], denied: 0, trouble: [], away: 0, back: 0, timers: [], stream: null };
  const feed = new Feed(
    {
      document: (name, document) => world.heard.push([name, document]),
      gone: (name) => world.gone.push(name),
      denied: () => (world.denied += 1),
      trouble: (name, message) => world.trouble.push([name, message]),
      away: () => (world.away += 1),
      back: () => (world.back += 1),
    },
    {
      random: () => 0.5,
      setTimeout: (run, ms) => world.timers.push({ run, ms }),
      clearTimeout: () => undefined,
      EventSource: function () {
        return (world.stream = new FakeStream());
      },
      fetch: async (path, { headers }) => {
        world.asked.push([path, headers["If-None-Match"] ?? null]);
        const { status = 200, etag = null, body = {} } = documents[path]();
        return { status, headers: { get: () => etag }, text: async () => JSON.stringify(body) };
      },
    },
  );
  return { feed, world, settled: () => new Promise(setImmediate) };
}

test("a document is heard once, and asked again with its ETag", async () => {
  let status = 200;
  const { feed, world, settled } = room({ "/queue": () => ({ status, etag: '"7"', body: { waiting: [] } }) });
  feed.watch("queue", "/queue");
  await settled();
  status = 304;
  await feed.fresh("queue");
  assert.deepEqual(world.heard, [["queue", { waiting: [] }]]);
  assert.deepEqual(world.asked, [
    ["/queue", null],
    ["/queue", '"7"'],
  ]);
});

test("fresh waits for an answer whose question was asked after the call", async () => {
  let count = 0;
  const { feed, world } = room({ "/queue": () => ({ body: { count: ++count } }) });
  feed.watch("queue", "/queue");
  await Promise.all([feed.fresh("queue"), feed.fresh("queue")]);
  assert.deepEqual(world.heard.at(-1), ["queue", { count: 2 }], "one more question answers both");
});

test("an optional document that is not there is left alone until somebody rings", async () => {
  const { feed, world, settled } = room({ "/budget": () => ({ status: 404 }) });
  feed.watch("budget", "/budget", { optional: true });
  await settled();
  assert.deepEqual([world.gone, world.trouble], [["budget"], []]);
  const waits = world.timers.filter(({ ms }) => ms !== 8000).length;
  assert.equal(waits, 0, "no timer asks again");
});

test("a login that has ended is noticed", async () => {
  const { feed, world, settled } = room({ "/held": () => ({ status: 401 }) });
  feed.watch("held", "/held");
  await settled();
  assert.equal(world.denied, 1);
});

test("trouble is told in the gateway's words and ends with it; a silence is told as away", async () => {
  const answers = [{ status: 503, body: { error: { message: "No memory." } } }, new TypeError("away"), { body: {} }];
  const next = () => {
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const { feed, world, settled } = room({ "/held": next });
  feed.watch("held", "/held");
  await settled();
  await feed.fresh("held");
  await feed.fresh("held");
  assert.deepEqual(world.trouble, [
    ["held", "No memory."],
    ["held", null],
  ]);
  assert.deepEqual([world.away, world.back], [1, 1]);
});

test("while events come the clock asks seldom, without them often", async () => {
  const { feed, world, settled } = room({ "/queue": () => ({ body: {} }) });
  feed.follow(["job.queued"], () => undefined);
  feed.watch("queue", "/queue", { every_ms: 1000, live_ms: 15_000 });
  await settled();
  assert.equal(world.timers.at(-1).ms, 1000);
  world.stream.say("open");
  await feed.fresh("queue");
  assert.equal(world.timers.at(-1).ms, 15_000);
  world.stream.say("error");
  assert.equal(world.timers.at(-1).ms, 1000);
  assert.equal(feed.live, false);
});

test("a stream that was refused is opened again later", () => {
  const { feed, world } = room({});
  feed.follow([], () => undefined);
  const first = world.stream;
  first.readyState = 2;
  first.say("error");
  world.timers.at(-1).run();
  assert.notEqual(world.stream, first);
});

test("an event names the documents that it makes old", () => {
  assert.deepEqual(heardOf("job.progressed", { job_id: "a" }, "b"), ["queue"]);
  assert.deepEqual(heardOf("job.held", { job_id: "a" }, "a"), ["queue", "held", "audit", "job", "history"]);
  for (const type of EVENTS) assert.ok(heardOf(type, {}, null).length, type);
});
