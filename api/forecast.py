"""The forecast: what a job is promised, from the outlook on the whole queue."""

import math
from dataclasses import dataclass
from typing import Any

from api.outlook import Outlook, Span
from api.paces import Paces
from sakuga.job import WAITING, Job
from sakuga.queue import Board


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds until a clip is ready: as likely sooner as later, and in nine of ten cases at most."""

    p50_s: float
    p90_s: float

    @property
    def words(self) -> str:
        """The estimate as people say it: "about 2 min, at most 4", "a few seconds"."""
        number, unit = _spoken(self.p50_s)
        if self.p90_s < FEW_S:
            return "a few seconds"
        most, most_unit = _spoken(self.p90_s, up=True)
        first = "a few seconds" if self.p50_s < FEW_S else f"about {number} {unit}"
        if (most, most_unit) == (number, unit):
            return first
        return f"{first}, at most {most}" + ("" if most_unit == unit and self.p50_s >= FEW_S else f" {most_unit}")


FEW_S = 10.0
MINUTES_FROM_S = 90.0
HOURS_FROM_S = 5400.0


def _spoken(seconds: float, *, up: bool = False) -> tuple[int, str]:
    step_s, unit, times = 10, "s", 10
    if seconds >= HOURS_FROM_S:
        step_s, unit, times = 3600, "h", 1
    elif seconds >= MINUTES_FROM_S:
        step_s, unit, times = 60, "min", 1
    return max(1, math.ceil(seconds / step_s) if up else round(seconds / step_s)) * times, unit


LOADS_S = 4.0  # from here on it is no warm engine that begins, but a model on its way into memory


@dataclass(frozen=True, slots=True)
class Forecast:
    """The board with the outlook on it; seconds count from `board.now`. `usual` is the show's engine and preset."""

    board: Board
    outlook: Outlook
    paces: Paces
    usual: tuple[str, str]
    most_credit_s: float = 0.0
    """Head start that a job can earn without a moderator."""

    def estimate(self, job: Job, place: int | None) -> Estimate | None:
        """Return when a job's clip is ready, in any state; None once it has ended or while nobody can know.

        `place` is that in the waiting room (1 is next). A paused queue promises nothing to those who wait.
        """
        if job.terminal or self._loads(job) or (job.status in WAITING and (place is None or self.board.paused)):
            return None
        span = self._span(job, place)
        if span is None:
            return None
        now = self.board.now
        p50_s = max(1.0, span.p50 - now)
        return Estimate(p50_s, max(p50_s, span.p90 - now))

    def _span(self, job: Job, place: int | None) -> Span | None:
        if known := self.outlook.by_id.get(job.id):
            return known
        if job.status in WAITING:
            return self.outlook.at(place or 1)
        pace = self.paces.render(job.engine, job.preset, job.duration_s)  # begun since the last outlook
        since = job.started_at or self.board.now
        return Span(since + pace.middle_s, since + pace.most_s)

    def until_ready_s(self, job: Job, place: int | None) -> float | None:
        """Return the likely seconds until a job's clip is ready; None as in `estimate`."""
        estimate = self.estimate(job, place)
        return estimate.p50_s if estimate else None

    def _loads(self, job: Job) -> bool:
        """Whether a model is being loaded: the first time takes minutes, and nobody measured how many."""
        return job.stage == "loading" and job.started_at is not None and self.board.now - job.started_at > LOADS_S

    def seconds_each(self) -> float:
        """Return the seconds between two clips while jobs wait."""
        each_s = self.paces.render(*self.usual).middle_s + self.paces.warm_start.middle_s
        return each_s / self.outlook.survey.slots


def whole_seconds(seconds: float | None) -> int | None:
    """Return seconds to show: rounded up, so that nobody is told zero."""
    return None if seconds is None else max(1, math.ceil(seconds))


def eta_of(estimate: Estimate | None) -> dict[str, Any]:
    """Return the fields of a document that tell when a clip is ready; null while nobody knows."""
    return {
        "eta_seconds": whole_seconds(estimate.p50_s) if estimate else None,
        "eta_p90_seconds": whole_seconds(estimate.p90_s) if estimate else None,
        "eta_text": estimate.words if estimate else None,
    }
