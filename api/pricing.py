"""Pricing: what a clip will cost, before it is drawn."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from api.paces import Paces
from sakuga.budget import MICRO, Price, Prices, micro
from sakuga.engine import EngineSpec

RENDERERS = {"modal", "local", "rehearsal"}
SEEN = 30  # clips whose bill teaches how much comes on top of drawing


def price_of(spec: EngineSpec, prices: Prices, workers: Iterable[Mapping[str, Any]]) -> Price:
    """Return the price of a second at the dearest renderer that may draw: a limit must hold whichever it is.

    `workers` is what they said of themselves; a chain names several. While no worker is there it may be any renderer.
    """
    names = {name for worker in workers for name in str(worker.get("renderer", "")).split(",")} or RENDERERS
    return max((prices.of(name, spec) for name in sorted(names)), key=lambda price: price.usd_per_s)


def foreseen(paces: Paces, usd_per_s: float, asked: tuple[str, str, float]) -> int:
    """Return what a render of this engine, preset and duration (s) will likely cost, in millionths of a dollar."""
    if not usd_per_s:
        return 0
    engine, preset, duration_s = asked
    drawing_s = paces.render(engine, preset, duration_s).middle_s
    return max(1, micro(drawing_s * usd_per_s * beside(paces, engine, usd_per_s, drawing_s)))


def beside(paces: Paces, engine: str, usd_per_s: float, drawing_s: float) -> float:
    """Return how many seconds are paid for each second of drawing: starting, waiting and failing cost too.

    Learnt from what the engine's last clips cost here. Before there are any, it is a start as it usually is.
    """
    drawn = islice((job for job in paces.ended if job.engine == engine and job.succeeded and job.spent), SEEN)
    bills = [(job.spent / MICRO / usd_per_s, job.drawing_s or 0.0) for job in drawn]
    start_s = paces.cold_start.middle_s
    paid_s = sum(paid for paid, _ in bills) + drawing_s + start_s
    return paid_s / (sum(took for _, took in bills) + drawing_s)
