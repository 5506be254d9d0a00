"""The rehearsal engine: draws a watchable clip on the CPU from the words alone, with no model and no network."""

import time
from collections.abc import Callable, Iterator

import numpy as np

from gpu.engines import Frame, Place, Preview, Report
from gpu.engines.drawing.genga import STEPS, Desk, Look
from gpu.engines.drawing.shot import FRAME, Shot
from gpu.engines.drawing.storyboard import read
from gpu.engines.drawing.title import Tag, TitleCard
from sakuga.engine import EngineSpec, Making, RenderRequest, RenderStage
from sakuga.errors import RenderFailed

TEXT_END, KEY_END, FRAMES_END = 0.04, 0.6, 0.97
"""Which part of the whole is done after reading, after the key picture, and after the last frame."""
PREVIEW_EVERY = 8

SPECS = {
    "rehearsal": EngineSpec(
        name="rehearsal",
        summary="Draws a shot on the CPU from the words of the prompt. Needs no model and no network.",
        sizes=(FRAME,),
        fps=16.0,
        shortest_s=2.0,
        longest_s=8.0,
        default_s=5.0,
        frame_step=4,
        typical_s=7.0,
    )
}


def engine(_spec: EngineSpec, _place: Place) -> "Rehearsal":
    """Return the engine of `SPECS`."""
    return Rehearsal()


def _array(see: Look) -> Callable[[], Frame]:
    return lambda: np.asarray(see())


class Pace:
    """Spreads a render over at least `seconds`, evenly over what it reports."""

    def __init__(self, report: Report, seconds: float) -> None:
        self._report, self._seconds, self._begin = report, seconds, time.monotonic()

    def __call__(self, stage: RenderStage, step: int, total: int, fraction: float, preview: Preview = None) -> None:
        """Report, once it is time for `fraction`."""
        due = self._begin + self._seconds * fraction / FRAMES_END
        while (wait := due - time.monotonic()) > 0:
            time.sleep(min(wait, 0.05))
        self._report(stage, step, total, fraction, preview)


class Rehearsal:
    """Words in, a drawn shot out. The same request gives the same frames."""

    def __init__(self) -> None:
        self.spec = SPECS["rehearsal"]
        self.making: Making | None = None

    def load(self) -> None:
        """There is nothing to load."""

    def render(self, request: RenderRequest, report: Report) -> Iterator[Frame]:
        """Yield `request.num_frames` frames. Raises RenderFailed for a size or length that isn't offered."""
        self._check(request)
        pace = Pace(report, request.pace_s)
        pace("text", 0, 1, 0.01)
        board = read(request.prompt, request.style, request.seed)
        card = TitleCard(FRAME, request, board.dice("card"))
        tag = Tag(FRAME)
        shot = Shot(board)
        pace("text", 1, 1, TEXT_END)
        for step, see in enumerate(Desk(shot).passes(), start=1):
            pace("denoise", step, STEPS, TEXT_END + (KEY_END - TEXT_END) * step / STEPS, _array(see))
        for index in range(request.num_frames):
            picture = card.cover(shot.frame(index, request.num_frames, request.fps), index / request.fps)
            tag.put(picture)
            frame = np.asarray(picture)
            yield frame
            done = index + 1
            seen = frame if done % PREVIEW_EVERY == 0 else None
            pace("decode", done, request.num_frames, KEY_END + (FRAMES_END - KEY_END) * done / request.num_frames, seen)
        self.making = Making(engine=self.spec.name, preset=request.preset, device="cpu")

    def _check(self, request: RenderRequest) -> None:
        size, longest = (request.width, request.height), self.spec.num_frames(self.spec.longest_s)
        if size not in self.spec.sizes:
            raise RenderFailed(reason=f"{self.spec.name} draws {FRAME[0]}x{FRAME[1]}, not {size[0]}x{size[1]}")
        if not 1 <= request.num_frames <= longest:
            raise RenderFailed(reason=f"{self.spec.name} draws 1 to {longest} frames, not {request.num_frames}")
        if not 1 <= request.fps <= 60:  # noqa: PLR2004 (what a browser source shows)
            raise RenderFailed(reason=f"{self.spec.name} draws 1 to 60 frames per second, not {request.fps:g}")
