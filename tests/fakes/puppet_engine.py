"""The puppet engine: a rented engine with no model, whose prompt says what happens to it."""

from collections.abc import Callable, Iterator
from typing import ClassVar

import numpy as np
from modal.exception import InputCancellation

from gpu.engines import Frame, Place, Report
from gpu.media import locate
from sakuga.engine import EngineSpec, Making, Recipe, RenderRequest, Source, Variant
from sakuga.errors import WeightsMissing

STEPS = 4
FULL = "CUDA out of memory"
SECRET = "the secret words of a viewer"
SPECS = {
    "puppet": EngineSpec(
        name="puppet",
        summary="Does what its prompt says.",
        sizes=((64, 48),),
        fps=8.0,
        shortest_s=1.0,
        longest_s=2.0,
        default_s=1.0,
        frame_step=4,
        typical_s=1.0,
        source=Source(repository="puppets/one", revision="0" * 40),
        presets={"live": Recipe(num_inference_steps=STEPS, guidance_scale=1.0, typical_s=1.0, size=(48, 32))},
        variants=(Variant(name="bf16", vram_gb=20.5), Variant(name="offload", vram_gb=8)),
        gpus=("H100", "L40S"),
    )
}


def engine(spec: EngineSpec, place: Place) -> "Puppet":
    """Return the engine, not loaded. Its weights are a file `puppet` in their folder."""
    return Puppet(spec, place)


class Puppet:
    """Draws one grey after the other. `seen` are the prompts that it was told, `loads` how often one was loaded."""

    seen: ClassVar[list[str]] = []
    loads: ClassVar[int] = 0
    pause: ClassVar[Callable[[], object]]  # what "wait" waits for

    def __init__(self, spec: EngineSpec, place: Place) -> None:
        self.spec, self._place = spec, place
        self.making: Making | None = None

    def load(self) -> None:
        if not (self._place.weights / "puppet").exists():
            raise WeightsMissing(engine="puppet")
        Puppet.loads += 1

    def render(self, request: RenderRequest, report: Report) -> Iterator[Frame]:
        Puppet.seen.append(request.prompt)
        if request.image:
            locate(self._place.media, request.image)
        for step in range(1, STEPS + 1):
            report("denoise", step, STEPS, step / (STEPS + 1), np.full((32, 48, 3), 40 * step, np.uint8))
            if step == STEPS // 2:
                self._suffer(request.prompt)
        for index in range(request.num_frames):
            yield np.full((request.height, request.width, 3), 10 * index, np.uint8)
        self.making = Making(engine="puppet", device="NVIDIA L40S")

    def _suffer(self, prompt: str) -> None:
        if prompt == "burn":
            raise RuntimeError(FULL)
        if prompt == "stumble":
            raise KeyError(prompt, SECRET)
        if prompt == "wait":
            Puppet.pause()
        if prompt == "cancel":
            raise InputCancellation  # as Modal's signal handler does
