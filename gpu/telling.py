"""What a listener hears of a render: numbered reports with the time left and a small preview, until told to stop."""

import io
import time
from collections.abc import Callable

import numpy as np

from gpu.engines import Frame, Preview
from sakuga.engine import Progress, RenderRequest, RenderStage
from sakuga.errors import RenderCancelled

PREVIEW_WIDTH = 472
"""Pixels; wider pictures are made smaller. It is the width of the picture on the overlay's desk."""
PREVIEW_QUALITY = 70
MEASURABLE = 0.1
"""From this fraction on, the time left is taken from the speed so far."""


def never() -> bool:
    """Nobody can stop this render."""
    return False


class Telling:
    """Turns what an engine reports into Progress. Its clock starts when it is made, and again while an engine loads."""

    def __init__(self, send: Callable[[Progress], None], stopped: Callable[[], bool] = never) -> None:
        self._send = send
        self._stopped = stopped
        self._sequence = 0
        self._pace_s = 0.0
        self._loaded = self._done = 0.0
        self._drawing_since = self.begin = time.monotonic()

    def expect(self, request: RenderRequest) -> None:
        """Take the pace of a request into account when guessing the time left."""
        self._pace_s = request.pace_s

    def report(self, stage: RenderStage, step: int, total: int, fraction: float, preview: Preview = None) -> None:
        """Send one Progress; the arguments are those of `gpu.engines.Report`. Raises RenderCancelled once stopped.

        A preview is made here and now, in the caller's thread. A fraction that goes back is held.
        """
        if self._stopped():
            raise RenderCancelled
        fraction = self._done = min(max(fraction, self._done), 1.0)
        if stage == "loading":
            self._loaded, self._drawing_since = fraction, time.monotonic()
        self._sequence += 1
        self._send(
            Progress(
                sequence=self._sequence,
                stage=stage,
                step=step,
                total=total,
                fraction=fraction,
                seconds_left=self._seconds_left(fraction),
                preview=_jpeg(preview() if callable(preview) else preview) if preview is not None else None,
            )
        )

    def _seconds_left(self, fraction: float) -> float | None:
        spent = time.monotonic() - self._drawing_since
        if fraction >= MEASURABLE and fraction > self._loaded:
            return round(max(spent * (1 - fraction) / (fraction - self._loaded), 0.0), 2)
        return round(self._pace_s - spent, 2) if self._pace_s > spent else None


def _jpeg(picture: Frame) -> bytes:
    from PIL import Image  # specs must not wait for it

    image = Image.fromarray(np.ascontiguousarray(picture))
    if image.width > PREVIEW_WIDTH:
        image = image.resize((PREVIEW_WIDTH, round(image.height * PREVIEW_WIDTH / image.width)), Image.Resampling.BOX)
    target = io.BytesIO()
    image.save(target, format="JPEG", quality=PREVIEW_QUALITY)
    return target.getvalue()
