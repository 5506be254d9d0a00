"""What a rented GPU costs: the table, a workspace's own rates, and the arithmetic of a clip and of a show."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from sakuga.engine import Cost, EngineSpec

AS_OF = "2026-10-08"
"""When https://modal.com/pricing was last read (as others had transcribed it); the same since 2025."""

GPU_USD_PER_S: dict[str, float] = {
    "T4": 0.000164,
    "L4": 0.000222,
    "A10": 0.000306,
    "L40S": 0.000542,
    "A100-40GB": 0.000583,
    "A100-80GB": 0.000694,
    "RTX-PRO-6000": 0.000842,
    "H100": 0.001097,
    "H200": 0.001261,
    "B200": 0.001736,
    "B300": 0.001972,
}
CORE_USD_PER_S = 0.0000131
"""A physical core, in a function. A container has an eighth of one at least."""
GIB_USD_PER_S = 0.00000222
LEAST_CORES = 0.125

CORES = 4.0  # that a container asks for: for the encoder and the loop
SPARE_GIB = 8  # of memory, on top of what the weights take on the card: a snapshot holds the card's memory in RAM

SAME_PRICE = {"A10G": "A10", "A100": "A100-40GB", "B200+": "B200"}
"""Other names in Modal's lists, and whose price they have."""

MINUTE, HOUR = 60, 3600
CREDIBLE = 8.0
"""A rate that differs from the table by more than this factor is in a unit that we don't know."""

OTHERS = {"SANDBOX", "SANDBOXES", "NOTEBOOK", "NOTEBOOKS", "VOLUME", "VOLUMES", "STORAGE", "EGRESS", "NONPREEMPTIBLE"}
"""Words of prices that are not for our functions."""


@dataclass(frozen=True, slots=True)
class Rates:
    """USD per second of each GPU, of a core, and of a GiB of memory. `own` names the GPUs whose price is no table's."""

    gpus: Mapping[str, float] = field(default_factory=lambda: dict(GPU_USD_PER_S))
    core: float = CORE_USD_PER_S
    gib: float = GIB_USD_PER_S
    own: frozenset[str] = frozenset()

    def of(self, gpu: str) -> float | None:
        """Return USD per second of a GPU in Modal's names (`H100`, `h100!`, `A100-80GB:2`); None for an unknown one."""
        name, _, count = gpu.partition(":")
        price = self.gpus.get(_listed(name))
        if price is None or (count and not count.isdigit()):
            return None
        return price * int(count or 1)

    def source(self, gpu: str) -> Literal["workspace", "table"]:
        """Return where the price of a GPU came from."""
        return "workspace" if _listed(gpu.partition(":")[0]) in self.own else "table"


TABLE = Rates()


def listed_as(device: str) -> str | None:
    """Return which GPU of the table a card is, by the name that torch has for it; None for one that can't be rented."""
    words = set(_words(device.replace("A10G", "A10")))
    return next((name for name in GPU_USD_PER_S if set(_words(name)) <= words), None)


def memory_gib(spec: EngineSpec) -> int:
    """Return the RAM that an engine's container asks for."""
    return math.ceil(spec.variants[0].vram_gb if spec.variants else 0) + SPARE_GIB


def usd_per_s(spec: EngineSpec, gpu: str | None = None) -> float:
    """Return what a second of an engine's container costs by the table, on the GPU that it asks for first or on `gpu`.

    0 where nothing is rented, or where the GPU has no price.
    """
    wanted = gpu or next(iter(spec.gpus), None)
    if not spec.gpus or wanted is None:
        return 0.0
    found = cost(gpu=wanted, seconds=1.0, cores=CORES, memory_gib=memory_gib(spec))
    return found.usd if found else 0.0


def cost(
    *,
    gpu: str,
    seconds: float,
    cores: float,
    memory_gib: float,
    overhead_s: float = 0.0,
    rates: Rates | None = None,
) -> Cost | None:
    """Return what `seconds` of a container cost, and `overhead_s` more for its share of boot and idle.

    `gpu` is the one that was asked for, which is what is paid for: an H100 may be answered with an H200 at the price of
    the H100. None for a GPU without a price, such as the streamer's own card. Negative seconds count as none.
    """
    seconds, overhead_s = max(seconds, 0.0), max(overhead_s, 0.0)
    rates = rates or TABLE
    rate = rates.of(gpu)
    if rate is None:
        return None
    per_s = rate + max(cores, LEAST_CORES) * rates.core + memory_gib * rates.gib
    return Cost(
        gpu=gpu,
        seconds=seconds,
        usd=per_s * (seconds + overhead_s),
        usd_overhead=per_s * overhead_s,
        rates=rates.source(gpu),
    )


@dataclass(frozen=True, slots=True)
class Show:
    """How a show's clips come: in bursts that follow each other closely, with quiet in between."""

    clips: int = 30
    bursts: int = 30
    hours: float = 2.0
    boot_s: float = 0.0
    idle_s: float = 60.0
    """How long a container stays after a clip before it goes, which is paid for."""
    kept_warm: bool = False
    """Whether one container stays for the whole show."""

    def billed_s(self, clip_s: float) -> float:
        """Return the seconds that are paid for, when each clip takes `clip_s` and one container draws them all.

        Each burst begins with a boot and ends with the whole idle window; the clips of a burst leave no gap.
        """
        drawing = self.clips * clip_s
        if self.kept_warm:
            return max(self.hours * HOUR, drawing) + self.boot_s
        return drawing + self.bursts * (self.boot_s + self.idle_s)

    def cost(
        self, *, gpu: str, clip_s: float, cores: float, memory_gib: float, rates: Rates | None = None
    ) -> Cost | None:
        """Return what the show costs; None for a GPU without a price."""
        drawing = self.clips * clip_s
        overhead_s = self.billed_s(clip_s) - drawing
        return cost(gpu=gpu, seconds=drawing, cores=cores, memory_gib=memory_gib, overhead_s=overhead_s, rates=rates)


def rates_from(found: Mapping[str, Decimal | float | str]) -> Rates:
    """Return the rates in a workspace's own price list; what can't be told from it stays as in the table.

    The names of its keys and its units are the server's business, so names are compared by their words (`gpu_h100`,
    `NVIDIA H100 80GB`), and a price counts as per second, minute or hour by which of them is near the table's.
    """
    prices = [(_words(key), price) for key, value in found.items() if (price := _number(value)) is not None]
    gpus = {name: _nearest(prices, name, price) for name, price in GPU_USD_PER_S.items()}
    known = {name: price for name, price in gpus.items() if price is not None}
    core = _nearest(prices, "cpu", CORE_USD_PER_S, {"GPU"}) or _nearest(prices, "core", CORE_USD_PER_S, {"GPU"})
    gib = _nearest(prices, "memory", GIB_USD_PER_S, {"GPU"}) or _nearest(prices, "mem", GIB_USD_PER_S, {"GPU"})
    return Rates(
        gpus=GPU_USD_PER_S | known,
        core=core or CORE_USD_PER_S,
        gib=gib or GIB_USD_PER_S,
        own=frozenset(known),
    )


def _listed(name: str) -> str:
    plain = name.strip().upper().removesuffix("!")
    return SAME_PRICE.get(plain, plain)


def _words(name: str) -> list[str]:
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return [word for word in re.split(r"[^A-Z0-9]+", apart.upper()) if word]


def _number(value: Decimal | float | str) -> float | None:
    try:
        price = float(value)
    except (TypeError, ValueError):
        return None
    return price if math.isfinite(price) and price > 0 else None


def _nearest(
    prices: Iterable[tuple[list[str], float]], wanted: str, known: float, never: Iterable[str] = ()
) -> float | None:
    """Return the price per second that belongs to `wanted` and lies nearest to the known one; None if none is near."""
    needed, others = set(_words(wanted)), OTHERS.union(never)
    candidates = (
        price / unit
        for words, price in prices
        if needed <= set(words) and not others & set(words)
        for unit in (1, MINUTE, HOUR)
    )
    near = [price for price in candidates if known / CREDIBLE <= price <= known * CREDIBLE]
    return min(near, key=lambda price: abs(math.log(price / known)), default=None)
