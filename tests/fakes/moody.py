"""`python -m gpu` with moody engines: the prompt says what happens to the process that draws. `making` has its id."""

import os
import sys
import time
from collections.abc import Iterator

import numpy as np

from gpu.engines import ENGINES, Frame, Place, Report
from sakuga.engine import EngineSpec, Making, RenderRequest, Source

MOODY = EngineSpec(
    name="moody",
    summary="Does what its prompt says.",
    sizes=((64, 48),),
    fps=8.0,
    shortest_s=1.0,
    longest_s=2.0,
    default_s=1.0,
    frame_step=4,
    typical_s=1.0,
)
SPECS = {
    "moody": MOODY,
    "real": MOODY.model_copy(update={"name": "real", "gpus": ("L40S",)}),
    "slow": MOODY.model_copy(update={"name": "slow"}),
    "heavy": MOODY.model_copy(update={"name": "heavy", "source": Source(repository="moody/heavy")}),
}
FULL = "CUDA out of memory"
BROKEN = "CUDA error: an illegal memory access was encountered"


class Moody:
    """Draws one grey after the other, unless its prompt is one of those below. `heavy` and `slow` do not even load."""

    loads = 0

    def __init__(self, spec: EngineSpec) -> None:
        self.spec = spec
        self.making: Making | None = None

    def load(self) -> None:
        Moody.loads += 1
        if self.spec.name == "heavy":
            raise RuntimeError(FULL)
        if self.spec.name == "slow":
            time.sleep(60)

    def render(self, request: RenderRequest, report: Report) -> Iterator[Frame]:
        report("denoise", 1, 2, 0.3, np.zeros((48, 64, 3), np.uint8))
        match request.prompt:
            case "burn":
                raise RuntimeError(FULL)
            case "short":
                raise RuntimeError(BROKEN)
            case "stumble":
                raise KeyError(request.prompt)
            case "die":
                os._exit(9)
            case "hang":
                time.sleep(60)
            case "wait":
                while True:
                    time.sleep(0.01)
                    report("denoise", 1, 2, 0.3, None)
        for number in range(request.num_frames):
            yield np.full((request.height, request.width, 3), 10 * number, np.uint8)
        self.making = Making(engine=self.spec.name, device=str(os.getpid()), revision=str(self.loads))


def engine(spec: EngineSpec, _place: Place) -> Moody:
    return Moody(spec)


if __name__ == "__main__":
    from gpu.__main__ import main

    ENGINES.update(dict.fromkeys(SPECS, "tests.fakes.moody"))
    sys.exit(main())
