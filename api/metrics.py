"""GET /metrics: how the studio is doing, for Prometheus."""

import asyncio
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import TypeAlias

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from redis.exceptions import RedisError

from api.door import reads
from api.errors import described
from api.state import State
from sakuga import __version__
from sakuga.budget import dollars
from sakuga.history import Judged
from sakuga.job import RUNNING, TERMINAL, WAITING, JobStatus
from sakuga.lane import Lane
from sakuga.ledger import Funds
from sakuga.metric import COUNTED, NOW, OBSERVED, Family
from sakuga.metrics import Metrics, Reading

router = APIRouter(tags=["health"])

KEPT_S = 1.0
LEVELS = {"open": 0, "soft": 1, "hard": 2}
QUANTILES = (0.5, 0.9)
# What is told from the start: Prometheus sees growth only from a value that it has seen.
BEGUN: dict[str, list[tuple[str, ...]]] = {
    "accepted": [(lane,) for lane in Lane],
    "ended": [(status, "") for status in sorted(TERMINAL - {JobStatus.FAILED})],
    "helped": [("directed",), ("failed",), ("refused",), ("budget",)],
    "leases_lost": [()],
    "reconciled": [("cancelled",), ("failed",), ("requeued",)],
}

Samples: TypeAlias = Iterable[tuple[tuple[str, ...], float]]
AnyFamily: TypeAlias = GaugeMetricFamily | CounterMetricFamily | HistogramMetricFamily


@dataclass(frozen=True, slots=True)
class Found:
    """What the broker said."""

    reading: Reading
    judged: list[Judged]
    funds: Funds


@dataclass(eq=False)
class Meters:
    """Made once per gateway: the registry, and what the broker said at most a second ago."""

    studio: State
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    _found: Found | None = None
    _until: float = 0.0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self._metrics = Metrics(self.studio.redis)
        self.registry.register(self)

    async def look(self) -> None:
        """Ask the broker, unless somebody just did. One that is away is told as such."""
        async with self._turn:
            if monotonic() < self._until:
                return
            try:
                self._found = Found(
                    await self._metrics.read(),
                    await self.studio.forecaster.history.judged(),
                    await self.studio.ledger.funds(self.studio.catalog.budget),
                )
            except (RedisError, OSError):
                self._found = None
            self._until = monotonic() + KEPT_S

    def collect(self) -> Iterator[AnyFamily]:
        """Yield what was found, as Prometheus' client calls for it."""
        yield _gauge("build_info", [((__version__,), 1)])
        yield _gauge("broker_up", [((), self._found is not None)])
        if self._found:
            yield from _studio(self._found.reading)
            yield from _counted(self._found.reading)
            yield from _promises(self._found.judged)
            yield from _budget(self._found.funds)


@router.get(
    "/metrics",
    dependencies=reads(),
    response_class=Response,
    responses={
        **described(),
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus' text format."},
    },
    summary="How the studio is doing, for Prometheus",
)
async def metrics(
    request: Request,
) -> Response:
    """Return all metrics, as OpenMetrics to who asks for that.

    Those of the studio are the same at every gateway; HTTP requests are this one's own.
    """
    meters: Meters = request.app.state.meters
    await meters.look()
    encode, media_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(meters.registry), headers={"Content-Type": media_type})


def _gauge(name: str, samples: Samples) -> GaugeMetricFamily:
    family = NOW[f"sakuga_{name}"]
    gauge = GaugeMetricFamily(family.name, family.help, labels=family.labels)
    for labels, value in samples:
        gauge.add_metric(labels, float(value))
    return gauge


def _studio(reading: Reading) -> Iterator[AnyFamily]:
    for name, value in reading.figures.items():
        yield _gauge(name, [((), value)])
    jobs: dict[tuple[str, ...], int] = {(status, lane): 0 for status in sorted(WAITING | RUNNING) for lane in Lane}
    yield _gauge("jobs", (jobs | reading.jobs).items())
    hooks = reading.webhooks
    yield _gauge("webhooks", [((state,), hooks[state]) for state in ("active", "disabled")])
    yield _gauge("webhook_messages", [((state,), hooks[state]) for state in ("waiting", "dead")])
    yield _gauge("renderers_up", [((), sum(worker.get("there", True) for worker in reading.workers))])
    yield _gauge("gpus_warm", [((), sum(bool(worker.get("warm")) for worker in reading.workers))])
    troubles = Counter(str(worker["trouble"]) for worker in reading.workers if worker.get("trouble"))
    yield _gauge("renderer_trouble", (((code,), number) for code, number in troubles.items()))


def _counted(reading: Reading) -> Iterator[AnyFamily]:
    for name, family in COUNTED.items():
        numbers = dict.fromkeys(BEGUN.get(name, ()), 0.0) | reading.counted[name]
        counter = CounterMetricFamily(family.name.removesuffix("_total"), family.help, labels=family.labels)
        for labels, value in sorted(numbers.items()):
            counter.add_metric(labels, value)
        yield counter
    for name, family in OBSERVED.items():
        yield _histogram(family, reading, name)


def _histogram(family: Family, reading: Reading, name: str) -> HistogramMetricFamily:
    histogram = HistogramMetricFamily(family.name, family.help, labels=family.labels)
    for labels, steps in sorted(reading.observed[name].items()):
        histogram.add_metric(labels, list(steps.cumulated()), steps.sum_s)
    return histogram


def _promises(judged: list[Judged]) -> Iterator[AnyFamily]:
    off = sorted(abs(promise.error) for promise in judged)
    yield _gauge("eta_judged", [((), len(off))])
    ranks = {str(part): max(0, math.ceil(part * len(off)) - 1) for part in QUANTILES}
    yield _gauge("eta_error_ratio", [((part,), off[rank]) for part, rank in ranks.items()] if off else [])
    kept = sum(promise.kept for promise in judged)
    yield _gauge("eta_kept_ratio", [((), kept / len(off))] if off else [])


def _budget(funds: Funds) -> Iterator[AnyFamily]:
    pots = {"session": funds.session, "day": funds.day}
    limited = [(name, pot, pot.limit) for name, pot in pots.items() if pot.limit is not None]
    yield _gauge("budget_level", [((), LEVELS[funds.level])])
    yield _gauge("budget_promised_usd", [((), dollars(funds.promised))])
    yield _gauge("budget_spent_usd", [((name,), dollars(pot.spent)) for name, pot in pots.items()])
    yield _gauge("budget_limit_usd", [((name,), dollars(limit + pot.refilled)) for name, pot, limit in limited])
    yield _gauge("budget_left_usd", [((name,), dollars(pot.left(funds.promised) or 0)) for name, pot, _ in limited])
