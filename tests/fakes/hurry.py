"""Hurry: a clock that jumps to the end of every sleep, so that a day takes a moment."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 20, 18, tzinfo=UTC)  # ten in the morning in California


class Hurry:
    """One task may sleep by it at a time. At `until` time stands still, and `over` is set."""

    def __init__(self, start: datetime = START) -> None:
        self.start = self.at = start
        self.slept: list[float] = []
        self.over = asyncio.Event()
        self._until: datetime | None = None
        self._plans: list[tuple[datetime, Callable[[], object]]] = []

    def now(self) -> datetime:
        return self.at

    def plan(self, seconds: float, what: Callable[[], object]) -> None:
        """Do something so many seconds after the start."""
        self._plans.append((self.start + timedelta(seconds=seconds), what))
        self._plans.sort(key=lambda plan: plan[0])

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        target = self.at + timedelta(seconds=seconds)
        if self._until and target >= self._until:
            self._jump(self._until)
            self.over.set()
            await asyncio.Event().wait()
        self._jump(target)
        await asyncio.sleep(0)

    async def run(self, seconds: float) -> None:
        """Let so much time pass, from the start."""
        self._until = self.start + timedelta(seconds=seconds)
        async with asyncio.timeout(50):
            await self.over.wait()
        for _ in range(10):  # whoever heard of the last moment may still act on it
            await asyncio.sleep(0)

    def _jump(self, target: datetime) -> None:
        while self._plans and self._plans[0][0] <= target:
            self.at, what = self._plans.pop(0)
            what()
        self.at = target
