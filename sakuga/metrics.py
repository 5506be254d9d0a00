"""Metrics in Redis: what the scripts counted, over all processes and their restarts, and the studio as it is now."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sakuga import store
from sakuga.metric import COUNTED, MONEY, OBSERVED, SECONDS

SEEN_WITHIN_S = 10
LISTED = 2000  # jobs of each kind that are looked at one by one; 4 ms of the broker's time

Labels = tuple[str, ...]


@dataclass(slots=True)
class Steps:
    """A histogram: how many were in each step of SECONDS and above, and the sum of all in seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(SECONDS) + 1))
    sum_s: float = 0.0

    def cumulated(self) -> Iterator[tuple[str, int]]:
        """Yield each upper bound with how many were at or below it, as Prometheus wants them."""
        total = 0
        for bound, count in zip([*map(str, SECONDS), "+Inf"], self.counts, strict=True):
            total += count
            yield bound, total


@dataclass(frozen=True, slots=True)
class Reading:
    """The studio at one moment. `figures` have names of sakuga/metric.py without `sakuga_`; `jobs` status and lane."""

    figures: Mapping[str, float]
    jobs: dict[Labels, int]
    webhooks: Mapping[str, int]
    workers: list[dict[str, Any]]
    counted: Mapping[str, dict[Labels, float]]
    observed: Mapping[str, Mapping[Labels, Steps]]


class Metrics:
    """Reads what the scripts counted. `count` is for what happens outside of a script."""

    def __init__(self, redis: store.Client) -> None:
        self._redis = redis
        self._read = store.script(redis, "metrics")

    async def read(self) -> Reading:
        """Return everything in one step."""
        figures, jobs, hooks, workers, counted = await self._read(args=[SEEN_WITHIN_S, LISTED])
        numbers, steps = _parsed(_pairs(counted))
        return Reading(
            figures={name: float(value) for name, value in _pairs(figures)},
            jobs={tuple(name.split("|")): int(value) for name, value in _pairs(jobs)},
            webhooks=dict(zip(("active", "disabled", "waiting", "dead"), map(int, hooks), strict=True)),
            workers=[json.loads(document) for document in workers if document],
            counted=numbers,
            observed=steps,
        )

    async def count(self, name: str, *labels: str) -> None:
        """Count one more."""
        await self._redis.hincrby(store.METRICS, "|".join((name, *labels)), 1)


def _pairs(flat: list[Any]) -> Iterable[tuple[Any, Any]]:
    return zip(flat[::2], flat[1::2], strict=True)


def _parsed(
    fields: Iterable[tuple[str, str]],
) -> tuple[dict[str, dict[Labels, float]], dict[str, dict[Labels, Steps]]]:
    """Return the counters and the histograms; a field of another version of the studio is left out."""
    numbers: dict[str, dict[Labels, float]] = {name: {} for name in COUNTED}
    steps: dict[str, dict[Labels, Steps]] = {name: {} for name in OBSERVED}
    for key, value in fields:
        name, *labels = key.split("|")
        if name in COUNTED and len(labels) == len(COUNTED[name].labels):
            numbers[name][tuple(labels)] = int(value) / (1_000_000 if name in MONEY else 1)
        elif name in OBSERVED and len(labels) == len(OBSERVED[name].labels) + 1:
            found = steps[name].setdefault(tuple(labels[:-1]), Steps())
            if labels[-1] == "ms":
                found.sum_s = int(value) / 1000
            elif 0 < int(labels[-1]) <= len(found.counts):
                found.counts[int(labels[-1]) - 1] = int(value)
    return numbers, steps
