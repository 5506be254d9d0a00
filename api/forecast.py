"""The forecast: when a job's clip is ready, from how long renders took here."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from sakuga.job import WAITING, Job
from sakuga.queue import Board

UNKNOWN_S = 30.0  # for an engine that nobody has told anything about
LOADS_S = 4.0  # from here on it is no warm engine that begins, but a model on its way into memory
MEASURABLE = 0.05  # of a render: from here its own pace says more than history


@dataclass(frozen=True, slots=True)
class Forecast:
    """Seconds from `board.now` on. `typical_s` is by `Job.pace` too, the usual one first, until there is history."""

    board: Board
    typical_s: Mapping[str, float]

    def render_s(self, pace: str) -> float:
        """Return how long one render takes of the engine and preset that this pace is of."""
        return self.board.seconds_each.get(pace) or self.typical_s.get(pace) or UNKNOWN_S

    def left_s(self, job: Job) -> float:
        """Return how long a running job still takes."""
        if job.started_at is None:
            return self.render_s(job.pace)
        elapsed = max(0.0, self.board.now - job.started_at)
        done = job.progress / 100
        if done >= MEASURABLE:
            return elapsed * (1 - done) / done
        return max(1.0, self.render_s(job.pace) - elapsed)

    def ready_s(self, place: int, pace: str) -> float | None:
        """Return how long the job at a place in the waiting room (1 is next) takes; None while the queue is paused."""
        if self.board.paused:
            return None
        busy = sorted(self.left_s(job) for job in self.board.running)
        free = max(0, self.board.slots - len(busy))
        ends = ([0.0] * free + busy)[: self.board.slots]
        rounds, slot = divmod(place - 1, self.board.slots)
        return ends[slot] + rounds * self.render_s(pace) + self.render_s(pace)

    def until_ready_s(self, job: Job, place: int | None) -> float | None:
        """Return how long until a job's clip is ready, in any state; None once it has ended or while it is unknown.

        So it is while a model is loaded: the first time takes minutes, and nobody measured how many.
        """
        if job.status in WAITING:
            return self.ready_s(place, job.pace) if place else None
        return None if job.terminal or self._loads(job) else self.left_s(job)

    def _loads(self, job: Job) -> bool:
        return job.stage == "loading" and job.started_at is not None and self.board.now - job.started_at > LOADS_S

    def seconds_each(self) -> float:
        """Return the seconds between two clips while jobs wait."""
        known = [self.board.seconds_each.get(pace, typical_s) for pace, typical_s in self.typical_s.items()]
        return (known[0] if known else UNKNOWN_S) / self.board.slots


def whole_seconds(seconds: float | None) -> int | None:
    """Return seconds to show: rounded up, so that nobody is told zero."""
    return None if seconds is None else max(1, math.ceil(seconds))
