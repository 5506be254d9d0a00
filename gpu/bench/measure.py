"""One engine, measured on this machine's card from words to file, and diffusers as it comes beside it."""

import gc
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from gpu import price, weights
from gpu.bench.floors import work_of
from gpu.bench.fullsize import FULL
from gpu.bench.stock import Call, time_stock
from gpu.engines import Place, find_engine, find_spec
from gpu.pipeline.plan import Plan
from gpu.render import render
from gpu.telling import Telling
from sakuga.engine import GIGABYTE, EngineSpec, Preset, RenderRequest, RenderStage

CORES, SPARE_GIB = 4.0, 8
"""What a rented container has besides the card, as in `gpu/cloud/container.py`."""

STAGES: tuple[RenderStage, ...] = ("text", "denoise", "decode", "encode")
PICTURE = "bench.png"


@dataclass
class Row:
    """What was measured of one engine. Seconds are medians of the runs after the first, which warms up."""

    engine: str
    preset: Preset
    weights: str  # "real" or "random"
    width: int
    height: int
    num_frames: int
    steps: int = 0
    seconds: dict[RenderStage, float] = field(default_factory=dict)
    peak_vram_gb: float = 0.0
    variant: str | None = None
    usd: float | None = None  # for the clip alone, at Modal's prices; None for a card that Modal doesn't rent
    floor_s: float | None = None  # at the card's peak; None where that is not known
    stock: dict[RenderStage, float] | str | None = None  # diffusers as it comes; why not, if it could not be

    @property
    def total_s(self) -> float:
        """From the words to the end of the file."""
        return sum(self.seconds.values())


@dataclass(frozen=True, slots=True)
class Bench:
    """How to measure.

    An engine whose weights are not there is built at full size with random ones: speed does not depend on their values.
    """

    place: Place
    out: Path
    runs: int = 3
    stock: bool = False

    def measure(self, name: str, preset: Preset, card: str) -> Row:
        """Draw with an engine and return what it took. Raises RenderError, torch.OutOfMemoryError."""
        row, call = self._drawn(name, preset, card)
        if self.stock:
            row.stock = self._stock(name, call)
        _free()
        return row

    def _drawn(self, name: str, preset: Preset, card: str) -> tuple[Row, Call]:
        spec = find_spec(name)
        (width, height), frames = spec.presets[preset].size or spec.sizes[0], spec.num_frames(spec.default_s)
        engine, real = self._engine(name)
        row = Row(name, preset, "real" if real else "random", width, height, frames)
        asked = [self._request(spec, row, number) for number in range(self.runs + 1)]
        engine.load()
        _forget_peak()
        made = [render(engine, request, self.out, Telling(lambda _: None)).making for request in asked]
        kept = [making for making in made[1:] if making]
        row.seconds = _medians([making.seconds for making in kept])
        row.steps, row.variant, row.peak_vram_gb = kept[-1].num_inference_steps, kept[-1].variant, _peak_gb()
        row.usd = _usd(card, row.total_s, spec)
        work = work_of(spec, preset)
        floor = work.floor_s(card) if work else math.nan
        row.floor_s = None if math.isnan(floor) else round(floor, 3)
        plan = Plan.of(asked[0], spec, self.place)
        prompts = [each.words for each in asked]
        guidance = plan.recipe.guidance_scale
        return row, Call(_arguments(engine, plan), engine.scheduler(plan), spec.fps, guidance, prompts)

    def _engine(self, name: str) -> tuple[Any, bool]:
        """Return an engine that is not loaded, and whether its weights are real."""
        engine: Any = find_engine(name, self.place)
        if name not in FULL:  # those have no weights to fetch: they are made here, by dice
            return engine, engine.spec.licence is not None
        if weights.present(engine.spec, self.place.weights):
            return engine, True
        from gpu.bench.dice import thrown

        return thrown(engine), False

    def _stock(self, name: str, call: Call) -> dict[RenderStage, float] | str:
        """Return what diffusers takes for the same, or why it could not. The engine has left the card."""
        import torch

        from gpu.pipeline import hardware

        _free()
        engine, _ = self._engine(name)
        card = hardware.Hardware.found(self.place.device)
        try:
            pipe = engine.open(engine.found(engine.spec.source), hardware.dtype_of(card))
            pipe.set_progress_bar_config(disable=True)
            return _medians(time_stock(pipe, call, card.device, self.out)[1:])
        except torch.OutOfMemoryError:
            return "out of memory"

    def _request(self, spec: EngineSpec, row: Row, number: int) -> RenderRequest:
        """Return a request for the usual clip. Each has other words, as what was read is remembered."""
        image = None if "text-to-video" in spec.modes else _picture(self.place.media)
        return RenderRequest(
            job_id=f"bench-{spec.name}",
            number=number,
            attempt=number + 1,
            engine=spec.name,
            prompt=f"a courier on a scooter rides through rain, take {number}",
            style="",
            seed=number,
            width=row.width,
            height=row.height,
            num_frames=row.num_frames,
            fps=spec.fps,
            preset=row.preset,
            image=image,
        )


def _arguments(engine: Any, plan: Plan) -> dict[str, Any]:
    usual = {
        "height": plan.height,
        "width": plan.width,
        "num_frames": plan.num_frames,
        "num_inference_steps": plan.recipe.num_inference_steps,
        "guidance_scale": plan.recipe.guidance_scale,
    }
    return {name: value for name, value in (usual | engine.arguments(plan)).items() if value is not None}


def _picture(media: Path) -> str:
    """Put a picture to begin with into the media folder and return its name."""
    from PIL import Image

    media.mkdir(parents=True, exist_ok=True)
    Image.linear_gradient("L").convert("RGB").save(media / PICTURE)
    return PICTURE


def _medians(runs: Sequence[Mapping[RenderStage, float]]) -> dict[RenderStage, float]:
    return {stage: round(median(run.get(stage, 0.0) for run in runs), 3) for stage in STAGES}


def _usd(card: str, seconds: float, spec: EngineSpec) -> float | None:
    gpu = price.listed_as(card)
    memory_gib = math.ceil(spec.variants[0].vram_gb if spec.variants else 0) + SPARE_GIB
    cost = price.cost(gpu=gpu or "", seconds=seconds, cores=CORES, memory_gib=memory_gib)
    return round(cost.usd, 5) if cost else None


def _forget_peak() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def _peak_gb() -> float:
    import torch

    return round(torch.cuda.max_memory_allocated() / GIGABYTE, 2) if torch.cuda.is_available() else 0.0


def _free() -> None:
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
