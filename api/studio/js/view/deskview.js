/** The desk's elements: the paper on the light box and the strips that wait. */

import { arrange, mark, say } from "/overlay/js/dom.js";
import { CutPaper, strip, writeStrip } from "/overlay/js/paper.js";
import { doing, wait, waiting } from "/overlay/js/wording.js";

const SHOWN = 30;

export class DeskView {
  constructor() {
    [this.lightbox, this.blank, this.bags, this.empty, this.count, this.says] = [
      "lightbox",
      "blank",
      "bags",
      "bags-empty",
      "waiting",
      "blank-says",
    ].map((id) => document.getElementById(id));
    this.paper = new CutPaper();
    this.paper.root.hidden = true;
    this.lightbox.append(this.paper.root);
    this.on_desk = null;
  }

  /** Lay `job` on the light box; null clears it. */
  show(job, now_ms) {
    this.paper.root.hidden = !job;
    this.blank.hidden = Boolean(job);
    mark(this.lightbox, "lit", job ? "" : null);
    if (job) this.paper.heard(job, now_ms);
    if (this.on_desk !== job?.job_id) {
      this.on_desk = job?.job_id;
      if (this.last) this.queue(this.last);
    }
  }

  queue(queue) {
    this.last = queue;
    const others = queue.running.filter((job) => job.job_id !== this.on_desk);
    const jobs = [...others, ...queue.waiting].slice(0, SHOWN);
    arrange(this.bags, jobs, {
      key: (job) => job.job_id,
      make: strip,
      update: (element, job) => this.#strip(element, job),
    });
    this.empty.hidden = jobs.length > 0;
    this.bags.hidden = jobs.length === 0;
    say(
      this.count,
      queue.paused
        ? "paused, new cuts wait"
        : queue.waiting_count
          ? waiting(queue.waiting_count, queue.seconds_each)
          : "",
    );
    say(
      this.says,
      queue.paused
        ? "The studio is paused. What you ask for now waits until it goes on."
        : "The desk is empty. Ask for a cut in the chat and watch it being drawn here.",
    );
  }

  paint(now_ms) {
    if (!this.paper.root.hidden) this.paper.paint(now_ms);
  }

  #strip(element, job) {
    const runs = ["starting", "rendering", "finishing"].includes(job.status);
    mark(element, "runs", runs ? "" : null);
    const when = runs
      ? `${doing(job)} ${Math.round(job.progress)} %`
      : job.status === "held"
        ? "held"
        : wait(job.eta_seconds);
    writeStrip(element, job, { when });
    element.title = job.prompt;
  }
}
