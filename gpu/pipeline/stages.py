"""Stages of a render: the seconds that each took, and from them how much of the whole is done."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sakuga.engine import RenderStage

GUESSED_SHARES: dict[RenderStage, float] = {"text": 0.03, "denoise": 0.77, "decode": 0.2}
"""Which part of a render each stage takes, until one has been measured."""


class Stages:
    """Seconds per stage, and from them how much of a render is done."""

    def __init__(self) -> None:
        self._shares = dict(GUESSED_SHARES)
        self.seconds: dict[RenderStage, float] = {}

    @contextmanager
    def spent(self, stage: RenderStage) -> Iterator[None]:
        """Add the time within to a stage."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - began

    def fraction(self, stage: RenderStage, done: float) -> float:
        """Return how much of the whole is done when `done` (0-1) of a stage is."""
        before = 0.0
        for name, share in self._shares.items():
            if name == stage:
                return min(0.98, before + share * done)
            before += share
        return before

    def learn(self) -> None:
        """Take what was measured as the shares of the next render."""
        known = {stage: max(self.seconds.get(stage, 0.0), 1e-6) for stage in GUESSED_SHARES}
        whole = sum(known.values())
        self._shares = {stage: spent / whole for stage, spent in known.items()}
