"""Engines: each turns a request into frames, behind one protocol; none is imported before it is asked for."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt

from sakuga.engine import EngineSpec, RenderRequest, RenderStage
from sakuga.errors import RenderFailed

Frame = npt.NDArray[np.uint8]
"""One picture: height x width x 3, RGB, 0-255."""

Preview = Frame | Callable[[], Frame] | None
"""A picture of the work so far, or how to make one when somebody wants it."""

Report = Callable[[RenderStage, int, int, float, Preview], None]
"""Called as `report(stage, step, total, fraction, preview)`; `fraction` (0-1) is the done part of the whole render."""


class Engine(Protocol):
    """One model family, or the pencil that stands in for it."""

    spec: EngineSpec

    def load(self) -> None:
        """Bring everything into memory that the first frame needs. Called once."""

    def render(self, request: RenderRequest, report: Report) -> Iterator[Frame]:
        """Yield the frames of a request in order, and report on the way. Raises RenderFailed."""


# name: (module, class). A module is imported when its engine is asked for.
ENGINES: dict[str, tuple[str, str]] = {
    "rehearsal": ("gpu.engines.rehearsal", "Rehearsal"),
}


def find_engine(name: str) -> Engine:
    """Return a new engine that is not loaded yet. Raises RenderFailed for an unknown name."""
    if name not in ENGINES:
        raise RenderFailed(reason=f"there is no engine {name[:40]!r} here")
    module, factory = ENGINES[name]
    return cast("Engine", getattr(import_module(module), factory)())
