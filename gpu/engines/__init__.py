"""Engines: each turns a request into frames, behind one protocol; none is imported before it is asked for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from sakuga.engine import EngineSpec, Making, RenderRequest, RenderStage
from sakuga.errors import RenderFailed

Frame = npt.NDArray[np.uint8]
"""One picture: height x width x 3, RGB, 0-255."""

Frames = npt.NDArray[np.uint8]
"""Pictures one after the other: frames x height x width x 3."""

Preview = Frame | Callable[[], Frame] | None
"""A picture of the work so far, or how to make one when somebody wants it."""

Report = Callable[[RenderStage, int, int, float, Preview], None]
"""Called as `report(stage, step, total, fraction, preview)`; `fraction` (0-1) is the done part of the whole render.

May raise RenderCancelled: then the engine stops at once and stays fit to render again.
"""


@dataclass(frozen=True, slots=True)
class Sound:
    """The sound of a whole clip: channels x samples, -1 to 1, and samples per second."""

    samples: npt.NDArray[np.float32]
    rate: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where an engine works: its weights, the streamer's media, and what it may keep between runs."""

    weights: Path = Path("var/weights")
    media: Path = Path("media")
    cache: Path = Path("var/cache")
    device: str | None = None  # "cuda", "cpu"; the best there is if None
    compile: bool = False  # regional torch.compile: the first render takes minutes, later ones less than before


class Engine(Protocol):
    """One model family, or the pencil that stands in for it."""

    spec: EngineSpec
    making: Making | None  # how the last render was made; set when its frames have ended

    def load(self) -> None:
        """Bring everything into memory that the first frame needs. Called once. Raises RenderError."""

    def render(self, request: RenderRequest, report: Report) -> Iterator[Frame | Sound]:
        """Yield the frames of a request in order, and its sound if there is one; report on the way.

        The request is fitted to the engine's rules. Raises RenderError, and whatever `report` raises.
        """


# name: module. A module is imported when one of its engines is asked for; it has SPECS and engine(spec, place).
ENGINES: dict[str, str] = {
    "rehearsal": "gpu.engines.rehearsal",
    "tiny": "gpu.engines.tiny",
    "wan2.1-t2v-1.3b": "gpu.engines.wan",
    "wan2.1-t2v-14b": "gpu.engines.wan",
    "wan2.1-i2v-14b-480p": "gpu.engines.wan",
    "wan2.1-i2v-14b-720p": "gpu.engines.wan",
    "wan2.1-vace-1.3b": "gpu.engines.wan",
    "wan2.2-ti2v-5b": "gpu.engines.wan",
    "ltx-video-2b": "gpu.engines.ltx",
    "ltx-video-13b": "gpu.engines.ltx",
    "ltx-2": "gpu.engines.ltx2",
    "mochi-1": "gpu.engines.mochi",
    "hunyuanvideo-1.5": "gpu.engines.hunyuan",
    "hunyuanvideo-1.5-i2v": "gpu.engines.hunyuan",
}


def find_spec(name: str) -> EngineSpec:
    """Return what an engine is, without importing torch. Raises RenderFailed for an unknown name."""
    if name not in ENGINES:
        raise RenderFailed(reason=f"there is no engine {name[:40]!r} here")
    found: EngineSpec = import_module(ENGINES[name]).SPECS[name]
    return found


def find_engine(name: str, place: Place | None = None) -> Engine:
    """Return a new engine that is not loaded yet. Raises RenderFailed for an unknown name."""
    spec = find_spec(name)
    found: Engine = import_module(ENGINES[name]).engine(spec, place or Place())
    return found
