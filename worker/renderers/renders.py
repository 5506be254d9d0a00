"""What a worker knows of the renders that it runs itself: their reports, their ends and their folders."""

import asyncio
import itertools
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from ulid import ULID

from sakuga.engine import Progress, RenderResult
from sakuga.errors import RenderCancelled, RenderLost, SakugaError


class Render:
    """What is known of one render, for any number of watchers."""

    def __init__(self, folder: Path, job_id: str = "") -> None:
        self.folder = folder
        self.job_id = job_id
        self.unwanted = False  # once set, it was cancelled, however it ends
        self.longest_pause_s = 0.0  # between two reports
        self._heard = 0.0
        self._reports: list[Progress] = []
        self._end: RenderResult | SakugaError | None = None
        self._changed = asyncio.Condition()

    @property
    def ended(self) -> bool:
        """Whether it came to anything yet."""
        return self._end is not None

    async def report(self, progress: Progress) -> None:
        """Add a report."""
        now = time.monotonic()
        if self._reports:
            self.longest_pause_s = max(self.longest_pause_s, now - self._heard)
        self._heard = now
        async with self._changed:
            self._reports.append(progress)
            self._changed.notify_all()

    async def finish(self, end: RenderResult | SakugaError) -> None:
        """Set what it came to; only the first end counts."""
        async with self._changed:
            self._end = self._end or (RenderCancelled() if self.unwanted else end)
            self._changed.notify_all()

    async def finished(self) -> RenderResult | SakugaError:
        """Wait for its end."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.ended)
        assert self._end is not None  # noqa: S101 - waited for
        return self._end

    async def watch(self) -> AsyncIterator[Progress]:
        """Yield every report from the first on, until it has ended."""
        for seen in itertools.count():
            async with self._changed:
                await self._changed.wait_for(partial(self._has, seen))
            if seen == len(self._reports):
                return
            yield self._reports[seen]

    async def result(self) -> RenderResult:
        """Return the files, waiting for them. Raises what it came to instead."""
        end = await self.finished()
        if isinstance(end, SakugaError):
            raise end
        return end

    def _has(self, number: int) -> bool:
        """Whether there is a report of that number, or will never be."""
        return self.ended or len(self._reports) > number


STALE_S = 86_400.0
"""Seconds after which nobody can want the files of a render any more, however long it waited."""


class Renders(dict[str, Render]):
    """Renders by handle. Each has a folder of its own below `home`."""

    def __init__(self, home: Path, name: str) -> None:
        super().__init__()
        self._home = home
        self._name = name

    def begin(self, job_id: str = "") -> tuple[str, Render]:
        """Return a new render, of that job, and its handle."""
        handle = f"{self._name}_{ULID()}"
        render = self[handle] = Render(self._home / handle, job_id)
        render.folder.mkdir(parents=True)
        return handle, render

    def find(self, handle: str) -> Render:
        """Return a render. Raises RenderLost."""
        try:
            return self[handle]
        except KeyError:
            raise RenderLost from None

    async def forget(self, handle: str) -> None:
        """Forget a render and remove its files."""
        if render := self.pop(handle, None):
            await asyncio.to_thread(shutil.rmtree, render.folder, ignore_errors=True)

    async def sweep(self) -> None:
        """Remove what workers left behind that were killed."""
        await asyncio.to_thread(self._sweep)

    def _sweep(self) -> None:
        for folder in self._home.glob(f"{self._name}_*"):
            with suppress(OSError):  # another worker may be at it
                if time.time() - folder.stat().st_mtime > STALE_S:
                    shutil.rmtree(folder, ignore_errors=True)
