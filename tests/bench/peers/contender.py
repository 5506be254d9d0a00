"""A contender: a library as it comes, or with the options that serve it best here."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any

from tests.bench.peers.environment import HOUSE, python_of
from tests.bench.peers.hand import Told

PATIENCE_S = 60.0
LEASE_S = 6.0  # or the nearest that a library has
LINE = 1 << 24


@dataclass(frozen=True)
class Contender:
    """One row of the tables. `quick` takes part where milliseconds count; `busy` is asked for more after a crash."""

    name: str
    library: str
    options: dict[str, Any] = field(default_factory=dict)
    quick: bool = True
    busy: bool = False


# It never renews: a job that takes longer than this idle time is begun again while its worker lives (seen after 6.1 and
# 12.1 s), and it claims the jobs of the dead only when another job arrives.
_STREAM = {
    "broker": "stream",
    "of_broker": {"consumer_id": "0", "idle_timeout": round(LEASE_S * 1000), "unacknowledged_lock_timeout": LEASE_S},
    "worker": {"max_async_tasks": 10},
}
SAKUGA = Contender("Sakuga", "sakuga", {"lease_s": 9.0})
ARQ = Contender("arq", "arq")
CONTENDERS = [
    SAKUGA,
    Contender("Sakuga, lease 6 s", "sakuga", {"lease_s": LEASE_S}, quick=False),
    ARQ,
    Contender("arq, looks every 10 ms", "arq", {"poll_delay": 0.01, "keep_result": 0}),
    Contender("SAQ", "saq"),
    Contender(
        "SAQ, heartbeat 6 s, sweeps every 1 s",
        "saq",
        {"worker": {"timers": {"sweep": 1}}, "job": {"heartbeat": round(LEASE_S), "timeout": 0, "retries": 3}},
    ),
    Contender("streaq", "streaq"),
    Contender("streaq, idle 6 s, 10 at a time", "streaq", {"idle_timeout": LEASE_S, "concurrency": 10}),
    Contender("taskiq, list", "taskiq", {"broker": "list"}),
    Contender("taskiq, list, 10 at a time", "taskiq", {"broker": "list", "worker": {"max_async_tasks": 10}}),
    Contender("taskiq, stream", "taskiq", {"broker": "stream"}),
    Contender("taskiq, stream, idle 6 s, 10 at a time", "taskiq", _STREAM),
    Contender("the same, while other jobs come", "taskiq", _STREAM, quick=False, busy=True),
]


class Turn:
    """A contender at work: who asks, and a worker that can be killed and replaced."""

    def __init__(self, contender: Contender, told: Told) -> None:
        self.contender = contender
        self._told = told
        self._marks = Path(told.marks)
        self._asker: asyncio.subprocess.Process | None = None
        self._worker: asyncio.subprocess.Process | None = None

    async def ask(self, names: Iterable[str], apart_s: tuple[float, float] | None = None) -> dict[str, float]:
        """Ask for jobs, some seconds apart, and return the moment just before each request."""
        wanted = list(names)
        self._asker = self._asker or await self._spawned("ask")
        assert self._asker.stdin
        assert self._asker.stdout
        self._asker.stdin.write(json.dumps({"names": wanted, "apart_s": apart_s}).encode() + b"\n")
        async with asyncio.timeout(PATIENCE_S):
            reply = await self._asker.stdout.readline()
        if not reply:
            raise ChildProcessError(self._complaint())
        return dict(zip(wanted, json.loads(reply), strict=True))

    async def work(self) -> None:
        """Start a worker."""
        self._worker = await self._spawned("work")

    async def kill(self) -> None:
        """End the worker at once."""
        if self._worker is not None:
            with contextlib.suppress(ProcessLookupError):
                self._worker.kill()
            await self._worker.wait()
            self._worker = None

    def begun(self) -> list[tuple[str, float]]:
        """Return the jobs that were begun and when, in that order; one that was begun twice is there twice."""
        if not self._marks.exists():
            return []
        rows = [line.split() for line in self._marks.read_text("ascii").splitlines()]
        return [(name, float(at)) for name, at in rows]

    async def until(self, count: int, patience_s: float = PATIENCE_S) -> list[tuple[str, float]]:
        """Wait until so many were begun and return them. Raises TimeoutError with what the processes complained of."""
        try:
            async with asyncio.timeout(patience_s):
                while len(begun := self.begun()) < count:  # noqa: ASYNC110 - it is another process that begins them
                    await asyncio.sleep(0.01)
        except TimeoutError as error:
            reason = f"{self.contender.name} began {len(self.begun())} of {count}. {self._complaint()}"
            raise TimeoutError(reason) from error
        return begun

    async def end(self) -> None:
        """End both processes."""
        await self.kill()
        if self._asker is not None:
            with contextlib.suppress(ProcessLookupError):
                self._asker.kill()
            await self._asker.communicate()

    async def _spawned(self, role: str) -> asyncio.subprocess.Process:
        python = python_of(self.contender.library)
        module = f"tests.bench.peers.by_{self.contender.library}"
        with self._marks.with_suffix(".log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *(python, "-m", module, role, json.dumps(asdict(self._told))),
                stdin=PIPE if role == "ask" else DEVNULL,
                stdout=PIPE if role == "ask" else DEVNULL,
                stderr=log,
                cwd=HOUSE,
                limit=LINE,
            )

    def _complaint(self) -> str:
        return self._marks.with_suffix(".log").read_text("utf-8", errors="replace")[-2000:]


@contextlib.asynccontextmanager
async def turn(contender: Contender, url: str, folder: Path, name: str) -> AsyncIterator[Turn]:
    """Give a contender its turn, with a file of its own for what it begins."""
    one = Turn(contender, Told(url, str(folder / f"{name}.marks"), contender.options))
    try:
        yield one
    finally:
        await one.end()
