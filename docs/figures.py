"""Writes the figures of the pages on speed and cost from the code: `python -m docs.figures`, or `--check` to only look.

A page holds hand-written prose and, between `<!-- NAME -->` and `<!-- end -->`, the table of that name.
"""

import argparse
import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from docs.table import table
from gpu.bench.floors import PEAK_TFLOPS, TUNED, UNTUNED, Work, work_of
from gpu.bench.fullsize import FULL
from gpu.bench.measure import CORES, SPARE_GIB
from gpu.engines import find_spec
from gpu.pipeline.hardware import Hardware, choose
from gpu.price import AS_OF, GPU_USD_PER_S, HOUR, Show, cost
from sakuga.engine import EngineSpec, Preset
from sakuga.errors import RenderFailed

Pair = tuple[float, float]

DOCS = Path(__file__).parent
PLACE = re.compile(r"<!-- (?P<name>[a-z-]+) -->\n.*?<!-- end -->", re.DOTALL)

PER_SHOW, PER_TEN_SECONDS = 0.60, 0.05
"""What was promised, in USD: a show of two hours with 30 clips, and ten seconds of film."""

BOOT_S = 10.0
"""Of a container that is restored from a snapshot: 7 s were published for a model of 18 GB."""

SHOWS: dict[str, Show] = {
    "one by one": Show(bursts=30, boot_s=BOOT_S),
    "one by one, idle 10 s": Show(bursts=30, boot_s=BOOT_S, idle_s=10),
    "six bursts": Show(bursts=6, boot_s=BOOT_S),
    "kept warm": Show(kept_warm=True, boot_s=BOOT_S),
}

RENTED_GB = {"L4": 22.0, "L40S": 44.4, "A100-80GB": 79.2, "H100": 79.2, "H200": 139.8, "B200": 178.0}
"""GiB that torch finds on the GPUs that are compared here."""

OWN_GB = {"8 GB": 7.7, "12 GB": 11.6, "16 GB": 15.6, "24 GB": 23.5, "32 GB": 31.4, "48 GB": 47.4}
"""GiB that torch finds on cards that are sold with so many GB."""

DESKTOP_GB = 0.5
"""What a desktop and OBS take of one's own card."""

HOW: Mapping[str, str] = {"bf16": "whole", "fp8": "8 bits", "offload": "in parts", "offload-fp8": "in parts, 8 bits"}


def specs() -> Iterator[EngineSpec]:
    """Yield the engines that are known at full size."""
    return map(find_spec, FULL)


def clips(presets: tuple[Preset, ...]) -> Iterator[tuple[EngineSpec, Preset, Work]]:
    """Yield the usual clips of all engines."""
    for spec in specs():
        for preset in presets:
            work = work_of(spec, preset)
            if work:
                yield spec, preset, work


def gpus(spec: EngineSpec) -> list[str]:
    """Return the GPU that an engine is rented on first, and the cheapest that holds it whole, if it is another."""
    whole = spec.variants[0].vram_gb
    fitting = [gpu for gpu in GPU_USD_PER_S if RENTED_GB.get(gpu, 0.0) * 0.95 >= whole]
    return list(dict.fromkeys([spec.gpus[0], fitting[0]]))


def per_clip(spec: EngineSpec, gpu: str, seconds: float, overhead_s: float = 0.0) -> float:
    """Return the USD of a clip that takes so many seconds, and of its share of boot and idle."""
    found = cost(gpu=gpu, seconds=seconds, overhead_s=overhead_s, cores=CORES, memory_gib=_memory_gib(spec))
    assert found  # noqa: S101 - all of them have a price
    return found.usd


def per_ten_seconds(spec: EngineSpec, gpu: str, seconds: float) -> float:
    """Return the USD of ten seconds of film, out of clips of the usual length, drawing alone."""
    return per_clip(spec, gpu, seconds) * 10 * spec.fps / spec.num_frames(spec.default_s)


def per_show(spec: EngineSpec, gpu: str, seconds: float, show: Show) -> float:
    """Return the USD of a whole show."""
    drawing = show.clips * seconds
    return per_clip(spec, gpu, drawing, show.billed_s(seconds) - drawing)


def paces(work: Work, gpu: str) -> Pair:
    """Return the seconds of a clip: those that may be hoped for, and those of diffusers as it comes."""
    return work.expected_s(gpu, TUNED), work.expected_s(gpu, UNTUNED)


def span(both: Pair, digits: int) -> str:
    """Return two figures as the text of one cell, or one where they are alike."""
    low, high = (f"{each:,.{digits}f}" for each in both)
    return low if low == high else f"{low} to {high}"


def verdict(both: Pair, promised: float) -> str:
    """Return whether a promise is kept."""
    return "yes" if both[1] <= promised else "if tuned" if both[0] <= promised else "no"


def floors() -> str:
    """Return what a clip consists of, and the least time that it can take."""
    rows = []
    for spec, preset, work in clips(("draft", "live", "quality")):
        recipe, gpu = spec.presets[preset], spec.gpus[0]
        width, height = recipe.size or spec.sizes[0]
        size = f"{width}x{height}x{spec.num_frames(spec.default_s)}"
        parts = [f"{tflop:,.0f}" for tflop in (work.text, work.begin, work.denoise, work.decode)]
        times = f"{work.floor_s(gpu):.2f}", span(paces(work, gpu), 1)
        rows.append((f"`{spec.name}`", preset, size, recipe.num_inference_steps, *parts, gpu, *times))
    heads = (
        "Engine",
        "Preset",
        "Clip",
        "Steps",
        "Text",
        "Begin",
        "Denoise",
        "Decode",
        "GPU",
        "Floor, s",
        "Expected, s",
    )
    return table(heads, rows)


def peaks() -> str:
    """Return what cards can do at best."""
    return table(("Card", "TFLOP/s"), PEAK_TFLOPS.items())


def prices() -> str:
    """Return the price list."""
    rows = [(gpu, f"{usd:.6f}", f"{usd * HOUR:.2f}") for gpu, usd in GPU_USD_PER_S.items()]
    return table(("GPU", f"USD a second, {AS_OF}", "USD an hour"), rows)


def clip_costs() -> str:
    """Return what a clip costs while it is drawn, and ten seconds of film."""
    rows = []
    for spec, preset, work in clips(("draft", "live", "quality")):
        for gpu in gpus(spec):
            low, high = paces(work, gpu)
            clip = per_clip(spec, gpu, low), per_clip(spec, gpu, high)
            ten = per_ten_seconds(spec, gpu, low), per_ten_seconds(spec, gpu, high)
            kept = verdict(ten, PER_TEN_SECONDS)
            rows.append((f"`{spec.name}`", preset, gpu, span((low, high), 1), span(clip, 4), span(ten, 3), kept))
    heads = ("Engine", "Preset", "GPU", "Seconds", "USD a clip", "USD for 10 s of film", f"Under {PER_TEN_SECONDS:.2f}")
    return table(heads, rows)


def show_costs() -> str:
    """Return what a show costs, by how its clips come."""
    rows = []
    for spec, _, work in clips(("live",)):
        for gpu in gpus(spec):
            low, high = paces(work, gpu)
            cells = []
            for show in SHOWS.values():
                usd = per_show(spec, gpu, low, show), per_show(spec, gpu, high, show)
                mark = {"yes": "**", "if tuned": "*", "no": ""}[verdict(usd, PER_SHOW)]
                cells.append(f"{mark}{span(usd, 2)}{mark}")
            rows.append((f"`{spec.name}`", gpu, *cells))
    return table(("Engine", "GPU", *SHOWS), rows)


def own_cards() -> str:
    """Return how each engine is held on one's own card."""
    rows = []
    for spec in specs():
        cells = []
        for gb in OWN_GB.values():
            card = Hardware("it", vram_gb=gb, capability=(8, 9), is_cuda=True, free_gb=gb - DESKTOP_GB)
            try:
                variant = choose(spec.variants, card)
            except RenderFailed:
                cells.append("-")
            else:
                cells.append(HOW[variant.name] if variant else "-")
        rows.append((f"`{spec.name}`", *cells))
    return table(("Engine", *OWN_GB), rows)


def to_rent() -> str:
    """Return which GPU to rent for a clip, and what it gives."""
    rows = []
    for spec, preset, work in clips(("draft", "live", "quality")):
        cells = []
        for gpu in (spec.gpus[0], gpus(spec)[-1]):
            low, high = paces(work, gpu)
            cents = 100 * per_clip(spec, gpu, low), 100 * per_clip(spec, gpu, high)
            cells.append(f"{gpu}: {span((low, high), 0)} s, {span(cents, 1)} ct")
        rows.append((f"`{spec.name}`", preset, *cells))
    return table(("Engine", "Preset", "First of its list", "Cheapest that holds it whole"), rows)


def modal_costs() -> str:
    """Return what is paid on Modal for an hour, for waiting and for a clip, on the first GPU of each engine's list."""
    rows = []
    for spec, _, work in clips(("live",)):
        gpu, both = spec.gpus[0], paces(work, spec.gpus[0])
        second = per_clip(spec, gpu, 1.0)
        clip = f"{span(both, 0)} s, ${span((both[0] * second, both[1] * second), 3)}"
        waiting = Show().idle_s * second
        rows.append((f"`{spec.name}`", gpu, f"${second * HOUR:.2f}", f"${waiting:.2f}", clip))
    return table(
        ("Engine", "GPU", "An hour", "Waiting 60 s after a clip", "Drawing one clip at `live`, expected"), rows
    )


def promises() -> str:
    """Return who keeps the price of ten seconds of film on the first GPU of its list, and at which preset."""
    found: dict[str, dict[str, list[str]]] = {"yes": {}, "if tuned": {}, "no": {}}
    for spec, preset, work in clips(("draft", "live", "quality")):
        gpu = spec.gpus[0]
        low, high = (per_ten_seconds(spec, gpu, seconds) for seconds in paces(work, gpu))
        found[verdict((low, high), PER_TEN_SECONDS)].setdefault(spec.name, []).append(preset)
    rows = []
    for kept, engines in found.items():
        named = ", ".join(f"`{name}` ({', '.join(presets)})" for name, presets in engines.items())
        rows.append((kept, named))
    return table((f"Under ${PER_TEN_SECONDS:.2f}", "Who, on the first GPU of its list"), rows)


FIGURES: Mapping[str, Callable[[], str]] = {
    "floors": floors,
    "peaks": peaks,
    "prices": prices,
    "promises": promises,
    "clip-costs": clip_costs,
    "show-costs": show_costs,
    "own-cards": own_cards,
    "to-rent": to_rent,
    "modal-costs": modal_costs,
}
PAGES = ("reference/performance.md", "explanation/costs.md", "how-to/choose-a-gpu.md", "how-to/modal.md")


def fresh(page: str) -> str:
    """Return the text that a page should have."""
    text = (DOCS / page).read_text("utf-8")
    return PLACE.sub(lambda place: f"<!-- {place['name']} -->\n\n{FIGURES[place['name']]()}\n\n<!-- end -->", text)


def _memory_gib(spec: EngineSpec) -> int:
    return math.ceil(spec.variants[0].vram_gb) + SPARE_GIB


def main() -> int:
    """Write the pages; with `--check` only name those that are out of date, and return 1 if there are any."""
    arguments = argparse.ArgumentParser(prog="python -m docs.figures", description=__doc__)
    arguments.add_argument("--check", action="store_true", help="change nothing")
    check = arguments.parse_args().check
    stale = [page for page in PAGES if fresh(page) != (DOCS / page).read_text("utf-8")]
    for page in stale:
        if not check:
            (DOCS / page).write_text(fresh(page), "utf-8")
        sys.stdout.write(f"docs/{page} {'is out of date' if check else 'written'}\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
