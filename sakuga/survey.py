"""The survey: the queue as the forecast sees it, in one cheap trip."""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from sakuga import store
from sakuga.job import pace

LISTED = 500  # jobs of those that wait; 0.9 ms of the broker's time


class Row(NamedTuple):
    """What a forecast needs to know of a job. Times are seconds since 1970 by the broker's clock."""

    job_id: str
    engine: str
    preset: str
    duration_s: float
    requested_at: float
    start_number: float
    admitted_at: float | None = None
    started_at: float | None = None
    progress: float = 0.0

    @property
    def pace(self) -> str:
        """The name under which the length of its render is remembered."""
        return pace(self.engine, self.preset)

    @property
    def credit_s(self) -> float:
        """Its head start, in seconds."""
        return self.requested_at - self.start_number


@dataclass(frozen=True, slots=True)
class Survey:
    """The queue at the moment `now`. `waiting` has the first LISTED of the `waiting_count` jobs that wait, in order.

    `newest` is the entry of the job that ended last, as sakuga/history.py keeps it. Two surveys with the same `content`
    tell of the same queue.
    """

    slots: int
    paused: bool
    waiting_count: int
    now: float
    newest: str
    running: tuple[Row, ...]
    waiting: tuple[Row, ...]

    @property
    def content(self) -> tuple[Any, ...]:
        """All of it but the time."""
        return self.slots, self.paused, self.waiting_count, self.newest, self.running, self.waiting


class Surveyor:
    """Looks at the queue. One atomic step in Redis."""

    def __init__(self, redis: store.Client) -> None:
        self._survey = store.script(redis, "survey")

    async def survey(self, limit: int = LISTED) -> Survey:
        """Return the queue as it is now, with the first `limit` jobs of those that wait."""
        slots, paused, count, now, newest, running, waiting = await self._survey(args=[limit])
        return Survey(
            slots=max(1, int(slots)),
            paused=paused == "1",
            waiting_count=int(count),
            now=float(now),
            newest=newest,
            running=tuple(_rows(running, run=True)),
            waiting=tuple(_rows(waiting, run=False)),
        )


def _rows(listed: Iterable[list[str]], *, run: bool) -> Iterator[Row]:
    """Yield the rows that can be read: one broken job must not cost all others their estimate."""
    for told in listed:
        with contextlib.suppress(ValueError):
            yield _row(told, run=run)


def _row(told: list[str], *, run: bool) -> Row:
    job_id, score, engine, preset, duration_s, requested_at, start_number, started_at, progress = told
    return Row(
        job_id=job_id,
        engine=engine,
        preset=preset or "live",
        duration_s=float(duration_s),
        requested_at=float(requested_at),
        start_number=float(start_number if run else score),
        admitted_at=float(score) if run else None,
        started_at=float(started_at) if run and started_at else None,
        progress=float(progress or 0) if run else 0.0,
    )
