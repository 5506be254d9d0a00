/** The studio page's one owner of state: documents come in from the poller, views are drawn from them. */

import { still } from "/overlay/js/dom.js";
import { TWOS_MS } from "/overlay/js/easing.js";
import { follow } from "/overlay/js/desk.js";
import { Poller } from "/overlay/js/poll.js";
import { Chat } from "./chat.js";
import { whyLocked } from "./door.js";
import { ChatBox } from "./view/chatbox.js";
import { showChats } from "./view/chats.js";
import { DeskView } from "./view/deskview.js";
import { Gallery } from "./view/gallery.js";
import { Header } from "./view/header.js";
import { StageView } from "./view/stageview.js";

if (still()) document.documentElement.dataset.motion = "reduced";

const state = { queue: null, stage: null, clips: null, health: null, catalog: null, statuses: new Map(), desk: null };

const header = new Header();
const desk = new DeskView();
const gallery = new Gallery();
const stage = new StageView({ open: (clip) => gallery.open(clip) });
const chatbox = new ChatBox({ send: (line, by) => chat.hear(line, by) });
const chat = new Chat({ say: (line) => chatbox.say(line), state: () => state.queue, asked: () => ring() });

const poller = new Poller({
  onDocument(name, document) {
    if (name.startsWith("status:")) state.statuses.set(document.job_id, document);
    else state[name] = document;
    heard(name);
  },
  onGone(name) {
    if (name.startsWith("status:")) state.statuses.delete(name.slice("status:".length));
  },
  onTrouble: (name, message) => header.trouble(name, message),
  onAway(retry_in_ms) {
    document.body.dataset.away = "";
    header.away(retry_in_ms, performance.now());
  },
  onBack() {
    delete document.body.dataset.away;
    header.back();
    void knock();
  },
});

function ring() {
  poller.ring("queue");
  poller.ring("stage");
}

function heard(name) {
  if (name === "queue") {
    desk.queue(state.queue);
    void chat.follow(state.queue, statusOf);
  }
  if (name === "stage") {
    const finished = stage.show(state.stage, state.queue);
    if (finished) poller.ring("clips");
  }
  if (name === "clips") gallery.show(state.clips.clips);
  if (name === "health") {
    header.health(state.health);
    showChats(state.health.chats);
  }
  if (name === "catalog") {
    chatbox.styles(state.catalog.styles);
    gallery.styles(state.catalog.styles);
    poller.unwatch("catalog");
  }
  layDesk();
}

/** Keep one status document watched: the job's that lies on the desk. */
function layDesk() {
  const running = state.stage?.cooking ?? state.queue?.running.map((job) => job.job_id) ?? [];
  const now_ms = performance.now();
  const before = state.desk?.job_id;
  state.desk = follow(state.desk, running, state.statuses, now_ms);
  const job_id = state.desk?.job_id;
  if (before && before !== job_id) {
    poller.unwatch(`status:${before}`);
    state.statuses.delete(before);
    poller.ring("clips");
  }
  if (job_id && before !== job_id) poller.watch(`status:${job_id}`, `/status/${job_id}`, 500);
  desk.show(
    state.statuses.get(job_id) ?? (job_id ? state.queue?.running.find((job) => job.job_id === job_id) : null),
    now_ms,
  );
}

async function statusOf(job_id) {
  const known = state.statuses.get(job_id);
  if (known?.poll_after_ms === null) return known;
  try {
    const response = await fetch(`/status/${encodeURIComponent(job_id)}`, { cache: "no-store" });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

async function knock() {
  try {
    const response = await fetch("/me", { cache: "no-store" });
    if (response.ok) chatbox.locked(whyLocked(await response.json()));
  } catch {
    /* the header tells that the gateway is away */
  }
}

setInterval(
  () => {
    const now_ms = performance.now();
    if (state.desk?.left_ms) layDesk();
    if (!poller.away) desk.paint(now_ms);
    header.paint(now_ms);
  },
  still() ? 1000 : TWOS_MS,
);

poller.watch("stage", "/stage", 500);
poller.watch("queue", "/queue", 1000);
poller.watch("clips", "/clips?limit=50", 5000);
poller.watch("health", "/health", 5000);
poller.watch("catalog", "/catalog", 5000);
poller.start();
void knock();
