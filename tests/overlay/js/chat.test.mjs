import "./served.mjs";
import assert from "node:assert/strict";
import { test } from "node:test";

const { Chat, requestedBy } = await import("/studio/js/chat.js");

function room({ answer, status = 202, queue = null }) {
  const said = [];
  const sent = [];
  const chat = new Chat({
    say: (line) => said.push(line),
    state: () => queue,
    fetch: async (path, options) => {
      sent.push({ path, key: options.headers["Idempotency-Key"], body: JSON.parse(options.body) });
      if (answer instanceof Error) throw answer;
      return { ok: status < 400, status, json: async () => answer };
    },
  });
  return { chat, said, sent };
}

const queued = { job_id: "job_1", cut: "C-042", status: "queued", queue_position: 3, eta_seconds: 140 };

test("an asked cut goes to the gateway as the bot sends it and is told its place", async () => {
  const { chat, said, sent } = room({ answer: queued });
  assert.equal(await chat.hear('!anime "fox" --style neon', requestedBy(" Mika K ", "300")), true);
  assert.equal(sent[0].path, "/generate");
  assert.deepEqual(sent[0].body, {
    prompt: "fox",
    style: "neon",
    requested_by: { platform: "studio", id: "mika_k", login: "mika_k", display_name: "Mika K", roles: [], bits: 300 },
  });
  assert.deepEqual(
    said.map(({ text }) => text),
    ["C-042 is 3rd, about 2 min"],
  );
});

test("characters and a preset go along when they are named", async () => {
  const { chat, sent } = room({ answer: queued });
  await chat.hear("!anime fox --character hana --preset draft", requestedBy("Mika", "viewer"));
  const { prompt, style, characters, preset } = sent[0].body;
  assert.deepEqual([prompt, style, characters, preset], ["fox", undefined, ["hana"], "draft"]);
});

test("each cut has a key of its own", async () => {
  const { chat, sent } = room({ answer: queued });
  await chat.hear("!anime fox", requestedBy("Mika", "viewer"));
  await chat.hear("!anime fox", requestedBy("Mika", "viewer"));
  assert.match(sent[0].key, /^studio-[0-9a-f]{24}$/);
  assert.notEqual(sent[0].key, sent[1].key);
});

test("a line that could not be sent is kept and goes out again under the same key", async () => {
  const { chat, said, sent } = room({ answer: new TypeError("away") });
  assert.equal(await chat.hear("!anime fox", requestedBy("Mika", "viewer")), false);
  assert.equal(await chat.hear("!anime fox", requestedBy("Mika", "viewer")), false);
  assert.equal(sent[0].key, sent[1].key);
  assert.match(said[0].text, /press Enter/);
});

test("a refusal is said in the gateway's words", async () => {
  const { chat, said } = room({
    status: 429,
    answer: { error: { message: "30 cuts wait already. Ask again in a minute." } },
  });
  await chat.hear("!anime fox", requestedBy("Mika", "viewer"));
  assert.deepEqual(said, [{ kind: "refused", text: "30 cuts wait already. Ask again in a minute." }]);
});

test("talk is not sent anywhere, and whoever only talks is told once how to ask", async () => {
  const { chat, said, sent } = room({ answer: queued });
  await chat.hear("!hello", requestedBy("Mika", "viewer"));
  assert.deepEqual([said, sent], [[], []]);
  await chat.hear("nice one", requestedBy("Mika", "viewer"));
  await chat.hear("girl with sword", requestedBy("Mika", "viewer"));
  assert.equal(said.length, 1);
  assert.match(said[0].text, /begin with !anime/);
  assert.deepEqual(sent, []);
});

const queue = {
  waiting_count: 2,
  seconds_each: 7,
  running: [],
  waiting: [
    {
      job_id: "job_1",
      cut: "C-041",
      status: "queued",
      queue_position: 1,
      eta_seconds: 9,
      requested_by: { platform: "twitch", login: "aki", display_name: "Aki" },
    },
    {
      job_id: "job_2",
      cut: "C-042",
      status: "queued",
      queue_position: 2,
      eta_seconds: 18,
      requested_by: { platform: "studio", login: "mika", display_name: "Mika" },
    },
  ],
};

test("!queue counts and names the next, !pos finds one's own", async () => {
  const { chat, said } = room({ queue });
  await chat.hear("!queue", requestedBy("Mika", "viewer"));
  await chat.hear("!pos", requestedBy("Mika", "viewer"));
  await chat.hear("!pos", requestedBy("Aki", "viewer"));
  assert.deepEqual(
    said.map(({ text }) => text),
    [
      "2 waiting, about 7 s each. Next is C-041 by Aki",
      "C-042 is 2nd, about 18 s",
      "Aki, you have no cut in the queue",
    ],
  );
});

test("the end of one's own cut is told once", async () => {
  const { chat, said } = room({ answer: { ...queued, job_id: "job_2" } });
  await chat.hear("!anime fox", requestedBy("Mika", "viewer"));
  const statusOf = async () => ({ cut: "C-042", status: "succeeded", requested_by: { display_name: "Mika" } });
  await chat.follow({ running: [], waiting: [] }, statusOf);
  assert.equal(said.length, 1, "a queue heard before the cut came into it is no end");
  await chat.follow(queue, statusOf);
  await chat.follow({ running: [], waiting: [] }, statusOf);
  await chat.follow({ running: [], waiting: [] }, statusOf);
  assert.deepEqual(
    said.slice(1).map(({ text }) => text),
    ["C-042 is done, Mika. It goes on air next"],
  );
});

test("a cut that failed at once is told of as well", async () => {
  const { chat, said } = room({ answer: { ...queued, job_id: "job_3" } });
  await chat.hear("!anime fox", requestedBy("Mika", "viewer"));
  const error = { code: "renderer_unauthorised", message: "The drawing room is locked." };
  const statusOf = async () => ({ cut: "C-042", status: "failed", requested_by: { display_name: "Mika" }, error });
  for (let heard = 0; heard < 4; heard += 1) await chat.follow({ running: [], waiting: [] }, statusOf);
  assert.deepEqual(
    said.slice(1).map(({ text }) => text),
    ["C-042 is NG, sorry Mika. The drawing room is locked."],
  );
});
