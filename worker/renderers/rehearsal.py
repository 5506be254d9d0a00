"""The rehearsal renderer: each render in a child process on this CPU, with no model."""

import asyncio
import itertools
import shutil
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter
from ulid import ULID

from sakuga.engine import EngineSpec, Progress, RenderRequest, RenderResult
from sakuga.errors import RenderCancelled, RendererUnavailable, RenderFailed, RenderLost
from sakuga.settings import Settings

LINE_LIMIT = 4 * 1024 * 1024  # bytes: a line may carry a preview
SPECS = TypeAdapter(list[EngineSpec])


class _Reported(BaseModel):
    progress: Progress


class _Made(BaseModel):
    result: RenderResult


class _Failure(BaseModel):
    code: str
    data: dict[str, Any]


class _Failed(BaseModel):
    error: _Failure


LINE: TypeAdapter[_Reported | _Made | _Failed] = TypeAdapter(_Reported | _Made | _Failed)  # what a child says in one


@dataclass
class _Render:
    process: asyncio.subprocess.Process
    folder: Path
    reports: list[Progress] = field(default_factory=list)
    result: RenderResult | None = None
    error: str | None = None
    cancelled: bool = False
    ended: bool = False
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    reader: asyncio.Task[None] | None = None

    def has(self, number: int) -> bool:
        """Whether there is a report of that number, or will never be."""
        return self.ended or len(self.reports) > number


class RehearsalRenderer:
    """Runs `python -m gpu render` per job. The child ends when its standard input closes, so it never outlives us."""

    name = "rehearsal"
    outlives_worker = False

    def __init__(self, settings: Settings) -> None:
        self._pace_s = settings.rehearsal_seconds.total_seconds()
        self._folder = settings.var_dir.resolve() / "renders"
        self._stale_s = 2 * settings.render_timeout.total_seconds()
        self._renders: dict[str, _Render] = {}

    async def specs(self) -> list[EngineSpec]:
        """Ask the engines what they are. Raises RendererUnavailable."""
        await asyncio.to_thread(self._sweep)
        process = await _child("specs", stdin=asyncio.subprocess.DEVNULL)
        output, _ = await process.communicate()
        if process.returncode:
            raise RendererUnavailable(reason=f"python -m gpu specs ended with code {process.returncode}")
        found = SPECS.validate_json(output)
        return [spec.model_copy(update={"typical_s": self._pace_s + 1.0}) for spec in found]

    async def start(self, request: RenderRequest) -> str:
        """Start a child for this request and return its handle."""
        handle = f"rehearsal_{ULID()}"
        folder = self._folder / handle
        folder.mkdir(parents=True)
        try:
            process = await _child("render", "--out", str(folder), stdin=asyncio.subprocess.PIPE)
        except RendererUnavailable:
            await asyncio.to_thread(folder.rmdir)
            raise
        assert process.stdin  # noqa: S101 - asked for above
        process.stdin.write(request.model_copy(update={"pace_s": self._pace_s}).model_dump_json().encode() + b"\n")
        render = _Render(process, folder)
        render.reader = asyncio.create_task(_read(render))
        self._renders[handle] = render
        return handle

    async def watch(self, handle: str) -> AsyncIterator[Progress]:
        """Yield every report from the first on. Raises RenderLost."""
        render = self._find(handle)
        for seen in itertools.count():
            async with render.changed:
                await render.changed.wait_for(partial(render.has, seen))
            if seen == len(render.reports):
                return
            yield render.reports[seen]

    async def result(self, handle: str) -> RenderResult:
        """Return the files. Raises RenderFailed, RenderLost, RenderCancelled."""
        render = self._find(handle)
        async with render.changed:
            await render.changed.wait_for(lambda: render.ended)
        if render.result:
            return render.result
        if render.cancelled:
            raise RenderCancelled
        if render.error is None:
            raise RenderLost
        raise RenderFailed(reason=render.error)

    async def cancel(self, handle: str) -> None:
        """End the child at once."""
        render = self._renders.get(handle)
        if render and not render.ended:
            render.cancelled = True
            if render.process.returncode is None:
                render.process.kill()
            async with render.changed:
                await render.changed.wait_for(lambda: render.ended)

    async def release(self, handle: str) -> None:
        """Remove a render's files."""
        await self.cancel(handle)
        self._renders.pop(handle, None)
        await asyncio.to_thread(shutil.rmtree, self._folder / handle, ignore_errors=True)

    async def close(self) -> None:
        """End all children."""
        for handle in list(self._renders):
            await self.release(handle)

    def _sweep(self) -> None:
        """Remove what workers left behind that were killed."""
        for folder in self._folder.glob("rehearsal_*"):
            if time.time() - folder.stat().st_mtime > self._stale_s:
                shutil.rmtree(folder, ignore_errors=True)

    def _find(self, handle: str) -> _Render:
        try:
            return self._renders[handle]
        except KeyError:
            raise RenderLost from None


async def _child(*arguments: str, stdin: int) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gpu", *arguments, stdin=stdin, stdout=asyncio.subprocess.PIPE, limit=LINE_LIMIT
        )
    except OSError as error:
        raise RendererUnavailable(reason=str(error)) from error


async def _read(render: _Render) -> None:
    """Take in what the child says, line by line, until it ends."""
    assert render.process.stdout  # noqa: S101 - asked for at start
    try:
        async for line in render.process.stdout:
            said = LINE.validate_json(line)
            async with render.changed:
                if isinstance(said, _Reported):
                    render.reports.append(said.progress)
                elif isinstance(said, _Made):
                    render.result = said.result
                else:
                    render.error = str(said.error.data.get("reason", said.error.code))
                render.changed.notify_all()
    except ValueError as error:  # no JSON, or JSON of another form
        render.error = f"the engine said something unreadable ({type(error).__name__})"
        render.process.kill()
    finally:
        await render.process.wait()
        async with render.changed:
            render.ended = True
            render.changed.notify_all()
