/** The overlay's one owner of state: polls the stage and the job on the desk, and rebuilds everything from them. */

import { follow } from "./desk.js";
import { still } from "./dom.js";
import { TWOS_MS } from "./easing.js";
import { Poller } from "./poll.js";
import { scene } from "./scene.js";
import { OverlayView } from "./view.js";

const asked = new URLSearchParams(location.search);
const volume = Math.min(1, Math.max(0, Number(asked.get("volume") ?? 1) || 0));
if (still()) document.documentElement.dataset.motion = "reduced";

const view = new OverlayView({ sound: asked.get("sound") !== "0" && volume > 0, volume });
const statuses = new Map();
let stage = null;
let desk = null;
let away_since_ms = null;

const poller = new Poller({
  onDocument(name, document) {
    if (name === "stage") stage = document;
    else statuses.set(document.job_id, document);
    draw();
  },
  onAway() {
    away_since_ms ??= performance.now();
    draw();
  },
  onBack() {
    away_since_ms = null;
    draw();
  },
});

function draw() {
  const now_ms = performance.now();
  const before = desk?.job_id;
  desk = follow(desk, stage?.cooking ?? [], statuses, now_ms);
  if (before && before !== desk?.job_id) {
    poller.unwatch(`status:${before}`);
    statuses.delete(before);
  }
  if (desk && before !== desk.job_id) poller.watch(`status:${desk.job_id}`, `/status/${desk.job_id}`, 500);
  const away_ms = away_since_ms === null ? 0 : Math.max(1, now_ms - away_since_ms);
  view.show(scene({ stage, job: statuses.get(desk?.job_id) ?? null, away_ms }), now_ms);
}

setInterval(
  () => {
    if (desk?.left_ms || away_since_ms !== null) draw();
    view.paint(performance.now());
  },
  still() ? 1000 : TWOS_MS,
);

poller.watch("stage", "/stage", 500);
poller.start();
