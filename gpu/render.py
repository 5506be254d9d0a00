"""One render: a loaded engine's pictures into a clip, with the seconds that each stage took."""

import logging
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gpu.encode import Encoder
from gpu.engines import Engine, Preview
from gpu.telling import Telling
from sakuga.engine import Making, RenderRequest, RenderResult, RenderStage
from sakuga.errors import GpuMemoryExhausted, RenderCancelled, RenderFailed, RenderLost, SakugaError, Unexpected

ENCODING = 0.98
"""Which part of the whole is done when the last frame is drawn."""
EXHAUSTED = ("out of memory", "ALLOC_FAILED")
"""What CUDA, cuDNN and cuBLAS say when a card is full and torch has no class for it."""
BROKEN = ("CUDA error", "CUDA driver error", "Triton Error [CUDA]", "CUDNN_STATUS_EXECUTION_FAILED")
"""What stands in anything else that a card says; from then on it says so to whatever this process asks of it."""
WARN = ("diffusers", "transformers")
"""Libraries whose warnings repeat the end of a prompt that is too long."""


class _Stopwatch:
    """Adds up the seconds of each stage. They sum up to the whole render: encoding that overlaps costs nothing."""

    def __init__(self, begin: float) -> None:
        self.seconds: dict[RenderStage, float] = {}
        self._stage: RenderStage = "loading"
        self._since = begin

    def lap(self, stage: RenderStage) -> None:
        """Put the time since the last lap down to a stage."""
        now = time.monotonic()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._since
        self._since = now

    def reported(self, stage: RenderStage, step: int) -> None:
        """Put the time since the last lap down to the stage that was reported, or to the one that it follows."""
        self.lap(stage if step else self._stage)
        self._stage = stage


@contextmanager
def translated(engine: str) -> Iterator[None]:
    """Raise what an engine raises as ours.

    That is GpuMemoryExhausted for a full card, RenderLost for one that this process can't use any more, else
    RenderFailed with what the system said or with the type of the exception.
    """
    try:
        yield
    except SakugaError:
        raise
    except Exception as error:
        if _exhausted(error):
            raise GpuMemoryExhausted(engine=engine) from error
        if _broken(error):
            raise RenderLost from error
        if isinstance(error, OSError) and error.strerror:
            raise RenderFailed(reason=f"{error.strerror}, where {engine} draws") from error
        raise RenderFailed(reason=f"{_unforeseen(error)}{engine}") from error


def needs_fresh_process(error: SakugaError) -> bool:
    """Whether a render that ended so leaves a process that should draw nothing more."""
    return isinstance(error, GpuMemoryExhausted | RenderLost)


def leaves_doubts(error: SakugaError) -> bool:
    """Whether a render that ended so may leave its engine in any state, since nobody foresaw it."""
    if isinstance(error, RenderFailed) and error.__cause__:
        return str(error.data["reason"]).startswith(_unforeseen(error.__cause__))
    return isinstance(error, Unexpected)


@contextmanager
def hushed() -> Iterator[None]:
    """Keep warnings of the pipelines' libraries out of the log: what is cut off a prompt is a viewer's."""
    loggers = [logging.getLogger(name) for name in WARN]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(max(logger.level, logging.ERROR))
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def render(engine: Engine, request: RenderRequest, folder: Path, telling: Telling) -> RenderResult:
    """Draw a request with an engine that is loaded, into files in `folder`.

    `RenderResult.making` holds the seconds per stage: `loading` is what passed since `telling` was made,
    `encode` what encoding took on top of drawing. Raises RenderError; nothing is left in the folder then.
    """
    telling.expect(request)
    watch = _Stopwatch(telling.begin)
    watch.lap("loading")

    def report(stage: RenderStage, step: int, total: int, fraction: float, preview: Preview = None) -> None:
        watch.reported(stage, step)
        telling.report(stage, step, total, fraction, preview)

    with translated(request.engine):
        folder.mkdir(parents=True, exist_ok=True)
    with translated(request.engine), hushed(), Encoder(request, folder) as film:
        drawing = engine.render(request, report)
        try:
            for item in drawing:
                watch.lap("decode")
                film.add(item)
                watch.lap("encode")
        finally:
            if isinstance(drawing, Generator):
                drawing.close()
        report("encode", 0, 1, ENCODING)
        result = film.finish()
        watch.lap("encode")
    with suppress(RenderCancelled):  # too late: it is made
        telling.report("encode", 1, 1, 1.0)
    making = engine.making or Making(engine=engine.spec.name, preset=request.preset, mode=request.mode)
    seconds = {stage: round(spent, 3) for stage, spent in (watch.seconds | making.seconds).items()}
    return result.model_copy(update={"making": making.model_copy(update={"seconds": seconds})})


def _exhausted(error: Exception) -> bool:
    text = str(error)
    return _of_torch(error, "OutOfMemoryError") or (
        isinstance(error, RuntimeError) and any(words in text for words in EXHAUSTED)
    )


def _broken(error: Exception) -> bool:
    text = str(error)
    return _of_torch(error, "AcceleratorError") or (
        isinstance(error, RuntimeError) and any(words in text for words in BROKEN)
    )


def _unforeseen(cause: BaseException) -> str:
    """Return how the reason begins of what `translated` has no better words for."""
    return f"{type(cause).__name__} in "


def _of_torch(error: Exception, name: str) -> bool:
    return ("torch", name) in {(kind.__module__.partition(".")[0], kind.__name__) for kind in type(error).__mro__}
