import "./served.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";

const { Hand, newer } = await import("/console/js/hand.js");
const acts = await import("/console/js/acts.js");

const JOB = {
  job_id: "job_1",
  cut: "C-001",
  status: "queued",
  viewer: "twitch:1",
  requested_by: { display_name: "Mika" },
};

/** A gateway that writes each act into the audit, as the real one does; `refuse` answers with that sentence. */
function room({ name = "alice" } = {}) {
  const world = { audit: [], sent: [], told: [], seen: [], rung: [], refuse: null, gate: Promise.resolve() };
  const write = (type, act) =>
    world.audit.unshift({ act_id: `1000-${world.audit.length + 1}`, undoable: true, act: { type, by: name, ...act } });
  const hand = new Hand({
    feed: { fresh: async (of) => void world.rung.push(of), ring: (...of) => world.rung.push(...of) },
    audit: () => world.audit,
    name: () => name,
    shown: () => world.seen.push(hand.pending.map(({ kind }) => kind)),
    told: (told) => world.told.push(told),
    fetch: async (path, { method, body }) => {
      world.sent.push([method, path, body && JSON.parse(body)]);
      await world.gate;
      if (world.refuse instanceof Error) throw world.refuse;
      if (world.refuse) return answer(409, { error: { message: world.refuse } });
      if (path.endsWith("/cancel")) write("job.cancelled", { job_id: "job_1" });
      if (path === "/bans") {
        write("ban.added", { viewer: "twitch:1" });
        write("job.cancelled", { job_id: "job_1" });
      }
      return answer(200, {});
    },
  });
  return { hand, world };
}

const answer = (status, body) => ({ ok: status < 400, status, text: async () => JSON.stringify(body) });

test("an act is seen at once, and told when it is done", async () => {
  const { hand, world } = room();
  const doing = hand.do(acts.cancel(JOB));
  assert.deepEqual([world.seen.at(-1), world.told], [["cancel"], []]);
  await doing;
  assert.deepEqual(world.seen.at(-1), []);
  assert.deepEqual(world.told, [{ says: "C-001 is stopped", undoable: "Undo" }]);
  assert.ok(["queue", "audit", "held"].every((name) => world.rung.includes(name)));
});

test("an act that comes too late is told in the gateway's words and seen no more", async () => {
  const { hand, world } = room();
  world.refuse = "The job is rendering and can't be moved any more.";
  assert.equal(await hand.do(acts.top(JOB)), null);
  assert.deepEqual(world.told, [{ says: world.refuse, bad: true }]);
  assert.deepEqual(world.seen.at(-1), []);
  assert.ok(world.rung.includes("queue"), "the present state is asked for");
});

test("without a gateway nothing is claimed to be done", async () => {
  const { hand, world } = room();
  world.refuse = new TypeError("away");
  await hand.do(acts.top(JOB));
  assert.match(world.told[0].says, /Nothing was changed/);
});

test("acts on one cut are sent one after another, acts on others do not wait for it", async () => {
  const { hand, world } = room();
  let open = null;
  world.gate = new Promise((done) => (open = done));
  const doing = [hand.do(acts.move(JOB, 2)), hand.do(acts.move(JOB, 3)), hand.do(acts.dump({}))];
  await new Promise(setImmediate);
  assert.deepEqual(world.sent.map(([, path]) => path).sort(), ["/jobs/job_1", "/stage/dump"]);
  open();
  await Promise.all(doing);
  assert.deepEqual(
    world.sent.filter(([, path]) => path === "/jobs/job_1").map(([, , body]) => body.position),
    [2, 3],
  );
});

test("all that a ban did is taken back, the ban first", async () => {
  const { hand, world } = room();
  await hand.do(acts.ban(JOB));
  world.sent.length = 0;
  await hand.takeBack();
  assert.deepEqual(
    world.sent.map(([, path]) => path),
    ["/audit/1000-1/undo", "/audit/1000-2/undo"],
  );
  assert.equal(world.told.at(-1).says, "Taken back: Mika is kept out");
});

test("after a reload the last own act of the audit is taken back, never another's", async () => {
  const { hand, world } = room();
  world.audit.unshift({ act_id: "5-1", undoable: true, act: { type: "queue.paused", by: "alice" } });
  world.audit.unshift({ act_id: "6-1", undoable: true, act: { type: "queue.closed", by: "bob" } });
  await hand.takeBack();
  assert.deepEqual(world.sent[0].slice(0, 2), ["POST", "/audit/5-1/undo"]);
});

test("a drawing that was stopped is tried again instead", async () => {
  const { hand, world } = room();
  world.refuse = null;
  const running = { ...JOB, status: "rendering" };
  await hand.do({ ...acts.cancel(running), path: "/jobs/job_1/stop" });
  assert.equal(world.told[0].undoable, "Try again");
  await hand.takeBack();
  assert.equal(world.sent.at(-1)[1], "/jobs/job_1/retry");
});

test("with nothing done there is nothing to take back", async () => {
  const { hand, world } = room();
  await hand.takeBack();
  assert.deepEqual([world.sent, world.told], [[], [{ says: "There is nothing to take back" }]]);
});

test("ids of the audit are compared as numbers", () => {
  assert.ok(newer("1000-10", "1000-9"));
  assert.ok(newer("10000-0", "9999-5"));
  assert.ok(!newer("1000-1", "1000-1"));
});
