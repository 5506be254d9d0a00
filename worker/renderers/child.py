"""A child process that runs engines, and what it says."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from sakuga.engine import EngineSpec, Progress, RenderResult
from sakuga.errors import RendererUnavailable, RenderFailed, SakugaError, restored

COMMAND = sys.executable, "-m", "gpu"
LINE_LIMIT = 4 * 1024 * 1024  # bytes: a line may carry a preview
SPECS = TypeAdapter(list[EngineSpec])
END_S = 2.0
"""Seconds that a child which has said its last word may take to end, so that its status says why."""


class Failure(BaseModel):
    """An error of ours that crossed over."""

    code: str
    data: dict[str, Any]

    def error(self) -> SakugaError:
        """Return the error itself."""
        return restored(self.code, self.data)


class Ready(BaseModel):
    """What a resident child holds, and on which card."""

    engine: str | None
    device: str | None


class Said(BaseModel):
    """One line of a child; gpu/__main__.py and gpu/serve.py say what each may hold."""

    model_config = ConfigDict(extra="forbid")

    handle: str = ""
    progress: Progress | None = None
    result: RenderResult | None = None
    error: Failure | None = None
    ready: Ready | None = None
    warm: str = ""


class Child:
    """`python -m gpu …`, which ends when its standard input closes and so never outlives us."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.killed = False  # by us

    @property
    def status(self) -> int | None:
        """Its exit status, once it has ended; below zero it is a signal: -9 is mostly a machine without memory."""
        return self._process.returncode

    @classmethod
    async def start(cls, *arguments: str) -> Self:
        """Start one. Raises RendererUnavailable."""
        pipe = asyncio.subprocess.PIPE
        try:
            return cls(
                await asyncio.create_subprocess_exec(*COMMAND, *arguments, stdin=pipe, stdout=pipe, limit=LINE_LIMIT)
            )
        except OSError as error:
            raise RendererUnavailable(reason=str(error)) from error

    @property
    def alive(self) -> bool:
        """Whether it can still be told something."""
        return self._process.returncode is None

    def tell(self, line: str) -> None:
        """Send one line. One that is dead does not hear it."""
        assert self._process.stdin  # noqa: S101 - asked for above
        if not self._process.stdin.is_closing():
            self._process.stdin.write(line.encode() + b"\n")

    async def said(self) -> AsyncIterator[Said]:
        """Yield what it says until it has ended. Raises RenderFailed, and kills it, when it can't be understood."""
        assert self._process.stdout  # noqa: S101 - asked for above
        try:
            async for line in self._process.stdout:
                yield Said.model_validate_json(line)
            with suppress(TimeoutError):
                async with asyncio.timeout(END_S):
                    await self._process.wait()
        except ValueError as error:  # no JSON, JSON of another form, or a line without an end
            raise RenderFailed(reason=f"the engine said something unreadable ({type(error).__name__})") from error
        finally:
            await self.kill()

    async def kill(self) -> None:
        """End it at once, if it has not ended."""
        if self._process.returncode is None:
            self.killed = True
            self._process.kill()
        await self._process.wait()

    async def output(self) -> tuple[int, bytes]:
        """Wait for its end and return its exit status and all that it said."""
        said, _ = await self._process.communicate()
        return self._process.returncode or 0, said


async def specs(*arguments: str) -> list[EngineSpec]:
    """Return what `python -m gpu specs` prints. Raises what it names, or RendererUnavailable."""
    status, output = await (await Child.start("specs", *arguments)).output()
    try:
        if status:
            raise _first_error(output)
        return SPECS.validate_json(output)
    except ValidationError as error:
        raise RendererUnavailable(reason=f"python -m gpu specs ended with code {status}") from error


def _first_error(output: bytes) -> SakugaError:
    error = Said.model_validate_json(output).error
    return error.error() if error else RendererUnavailable(reason="python -m gpu specs said nothing")
