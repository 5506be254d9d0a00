/** The console's one owner of state: documents come in from the feed, acts go out by the hand, views are drawn. */

import { still } from "/overlay/js/dom.js";
import { showChats } from "/studio/js/view/chats.js";
import { StageView } from "/studio/js/view/stageview.js";
import * as acts from "./acts.js";
import { Feed } from "./feed.js";
import { foresee, placeOf } from "./foresee.js";
import { Hand } from "./hand.js";
import { actOf } from "./keys.js";
import { EVENTS, heardOf } from "./news.js";
import { FrameView } from "./view/frameview.js";
import { QueueView } from "./view/queueview.js";
import { SheetView } from "./view/sheetview.js";
import { AuditView, BallotView, showBudget } from "./view/sideview.js";

if (still()) document.documentElement.dataset.motion = "reduced";

const DRAWER = matchMedia("(max-width: 759px)"); // where the sheet lies over the queue
const ARMED_MS = 6000;
const OF_JOB = ["top", "bottom", "promote", "hold", "approve", "reject", "cancel", "retry"];
const now = { me: null, queue: null, held: null, audit: null, bans: null, stage: null, seen: null };
const cuts = new Map();
const words = new Map();
let selected = null;
let armed = {};

const frame = new FrameView();
const queue = new QueueView({
  select: (job_id, how) => select(job_id, how),
  act: (name, job_id) => actOn(name, job_id),
  dropped: (job_id, laid) =>
    place(
      job_id,
      placeOf(
        job_id,
        laid,
        now.seen.waiting.map((job) => job.job_id),
      ),
    ),
});
const sheet = new SheetView({
  act: (name) => act(name),
  select: (job_id) => select(job_id),
  save: (job, changes) => void hand.do(acts.edit(job, changes)),
  close: () => select(null),
});
const stage = new StageView({ open: (clip) => window.open(clip.video_url, "_blank", "noopener") });
const ballot = new BallotView();
const audit = new AuditView({ undo: (entry, says) => void hand.takeBackOne(entry, says) });

const feed = new Feed({
  document: (name, document) => heard(name, document),
  gone: (name) => heard(name, null),
  denied: () => void enter(),
  trouble: (name, message) => frame.trouble(name, message),
  away: (retry_in_ms) => frame.gone(retry_in_ms),
  back: () => frame.gone(null),
});
const hand = new Hand({
  feed,
  audit: () => now.audit?.acts ?? [],
  name: () => now.me.name,
  shown: () => draw(),
  told: (told) => frame.tell(told),
});

function heard(name, document) {
  if (name === "job" && document?.job_id !== selected) return;
  now[name] = document;
  for (const job of [document?.jobs, document?.waiting, document?.running].flatMap((jobs) => jobs ?? [])) {
    cuts.set(job.job_id, job.cut);
    words.set(job.job_id, job.prompt);
  }
  if (name === "stage" && document) stage.show(document);
  if (name === "session") frame.during(document);
  if (name === "budget") showBudget(document);
  if (name === "health") showChats(document?.chats);
  if (name === "job" && document?.viewer) {
    feed.watch("history", `/viewers/${encodeURIComponent(document.viewer)}/jobs`, { every_ms: 10_000 });
  }
  draw();
}

/** Draw everything from what is known and what is under way. */
function draw() {
  if (!now.queue) return;
  const before = {
    order: queue.order,
    held: (now.seen?.held ?? []).map((job) => job.job_id),
    focused: Boolean(document.activeElement?.matches(".strip")),
  };
  now.seen = foresee({ queue: now.queue, held: now.held }, hand.pending);
  queue.show(now.seen);
  follow(before);
  document.querySelector("[data-act=remove]").hidden = !now.stage?.clip;
  const dumped = hand.pending.find(({ kind }) => kind === "stage")?.dumped;
  const on_air = dumped === undefined ? now.stage : { ...now.stage, state: dumped ? "dumped" : "idle" };
  frame.switches({ ...now.seen, stage: on_air, undoable: now.audit?.acts.some(({ undoable }) => undoable) });
  if (now.audit) audit.show(now.audit.acts, cuts);
  ballot.show(now.ballots?.ballot ?? null, (job_id) => words.get(job_id) ?? "");
  if (!sheet.editing) sheet.show(chosen(), { bans: now.bans?.bans, jobs: history() });
}

/** Move the selection on when its cut was decided or has left: to the next held one, or the one behind it. */
function follow(before) {
  const order = queue.order;
  const held = now.seen.held.map((job) => job.job_id);
  const decided = before.held.includes(selected) && !held.includes(selected);
  const left = before.order.includes(selected) && !order.includes(selected);
  if (sheet.editing || !(decided || left)) return;
  const behind = (ids, those) => ids.slice(ids.indexOf(selected)).find((job_id) => those.includes(job_id));
  const rest = DRAWER.matches ? null : left ? (behind(before.order, order) ?? order.at(-1) ?? null) : selected;
  const next = decided ? (behind(before.held, held) ?? held[0] ?? rest) : rest;
  select(next, { focus: before.focused, quiet: true });
}

function select(job_id, { focus = false, quiet = false } = {}) {
  if (job_id === selected) return;
  selected = job_id;
  now.job = null;
  queue.choose(job_id, { focus });
  if (job_id) feed.watch("job", `/jobs/${encodeURIComponent(job_id)}`, { every_ms: 3000 });
  else feed.unwatch("job");
  if (!quiet) draw();
}

/** The selected cut: where the queue sees it, with what moderators may know of it once that has come. */
function chosen() {
  const listed = [...now.seen.held, ...now.seen.running, ...now.seen.waiting].find((job) => job.job_id === selected);
  const known = now.job ?? now.history?.jobs.find((job) => job.job_id === selected);
  return listed || known ? { ...known, ...listed, prompt: known?.prompt ?? listed?.prompt } : null;
}

function history() {
  const jobs = now.history?.jobs;
  return jobs?.length && jobs[0].viewer === chosen()?.viewer ? jobs : null;
}

function step(by) {
  const order = queue.order;
  const at = order.indexOf(selected);
  const next = at < 0 ? (by > 0 ? 0 : order.length - 1) : Math.min(order.length - 1, Math.max(0, at + by));
  if (order.length) select(order[next], { focus: true });
  queue.focus();
}

function place(job_id, to) {
  const job = now.seen.waiting.find((one) => one.job_id === job_id);
  if (job) void hand.do(acts.move(job, to));
  else draw();
}

function shift(by) {
  const at = now.seen.waiting.findIndex((job) => job.job_id === selected);
  const to = at + 1 + by;
  if (at >= 0 && to >= 1 && to <= now.seen.waiting.length) place(selected, to);
}

function actOn(name, job_id) {
  if (job_id !== selected) select(job_id);
  act(name);
}

const DOES = {
  next: () => step(1),
  previous: () => step(-1),
  up: () => shift(-1),
  down: () => shift(1),
  pause: () => hand.do(acts.pause(now.seen)),
  open: () => hand.do(acts.open(now.seen)),
  drain: () => hand.do(acts.drain()),
  clear() {
    const count = now.seen.waiting_count + now.seen.held.length;
    if (count) void hand.do(acts.clear(count));
  },
  dump: () => hand.do(acts.dump(now.stage ?? {})),
  remove() {
    const clip = now.stage?.clip;
    if (!clip) return;
    const twice = armed.clip_id === clip.clip_id && performance.now() < armed.until_ms;
    armed = twice ? {} : { clip_id: clip.clip_id, until_ms: performance.now() + ARMED_MS };
    if (twice) void hand.do(acts.remove(clip));
    else frame.tell({ says: `This can't be taken back. Once more takes ${clip.cut} out for good.` });
  },
  ballot: () => hand.do(acts.ballot(now.ballots?.ballot)),
  session: () => hand.do(acts.session(now.session)),
  undo: () => hand.takeBack(),
  search: () => document.getElementById("search").focus(),
  help: () => frame.help.showModal(),
  leave: () => select(null),
  edit: () => chosen()?.revision !== undefined && EDITABLE.has(chosen().status) && sheet.edit(true, now.catalog),
  ban() {
    const job = chosen();
    if (!job?.viewer) return;
    const banned = now.bans?.bans.some(({ viewer }) => viewer === job.viewer);
    void hand.do(banned ? acts.unban(job) : acts.ban(job));
  },
};
const EDITABLE = new Set(["queued", "held"]);
const TAKES = {
  top: ["queued"],
  bottom: ["queued"],
  promote: ["queued"],
  hold: ["queued"],
  approve: ["held"],
  reject: ["held", "queued"],
  cancel: ["held", "queued", "starting", "rendering", "finishing"],
  retry: ["failed", "cancelled", "rejected", "expired"],
};

/** Do the act of a button or a key. */
function act(name) {
  if (!now.me || !(name === "session" ? now.session : now.queue)) return; // it is not known yet what that would do
  if (!OF_JOB.includes(name)) return void DOES[name]?.();
  const job = chosen();
  if (job && TAKES[name].includes(job.status)) void hand.do(acts[name](job));
}

async function enter() {
  const response = await fetch("/me", { cache: "no-store" }).catch(() => null);
  if (!response?.ok) return void setTimeout(() => void enter(), 2000);
  const me = await response.json();
  const again = Boolean(now.me);
  if (!frame.admit(me)) return again && location.reload();
  now.me = me;
  if (again) return;
  feed.watch("queue", "/queue", { every_ms: 1000 });
  feed.watch("held", "/held");
  feed.watch("audit", "/audit?limit=100", { every_ms: 3000 });
  feed.watch("stage", "/stage", { every_ms: 1000, live_ms: 5000 });
  feed.watch("bans", "/bans", { every_ms: 5000 });
  feed.watch("session", "/session", { every_ms: 5000 });
  feed.watch("health", "/health", { every_ms: 5000, live_ms: 5000 });
  feed.watch("catalog", "/catalog", { every_ms: 60_000, live_ms: 60_000 });
  feed.watch("ballots", "/ballots", { every_ms: 2000, live_ms: 5000 });
  feed.watch("budget", "/budget", { every_ms: 5000, optional: true });
  feed.follow(EVENTS, (type, data) => feed.ring(...heardOf(type, data, selected)));
}

document.addEventListener("keydown", (press) => {
  const name = frame.keyed ? actOf(press) : null;
  if (!name || (press.repeat && !["next", "previous", "up", "down"].includes(name))) return;
  press.preventDefault();
  act(name);
});
document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-act]");
  if (button) act(button.dataset.act);
});
const search = document.getElementById("search");
search.addEventListener("input", () => queue.filter(search.value));
search.addEventListener("keydown", (press) => {
  if (press.key === "Escape") queue.filter((search.value = ""));
  if (press.key === "Escape" || press.key === "Enter" || press.key === "ArrowDown") {
    press.preventDefault();
    search.blur();
    step(queue.order.includes(selected) ? 0 : 1);
  }
});
document.getElementById("leave").addEventListener("click", async () => {
  await fetch("/logout", { method: "POST" }).catch(() => null);
  location.reload();
});

void enter();
