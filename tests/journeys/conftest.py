"""A whole studio, as `make demo` runs it, with a folder and a port of its own."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Self

import httpx
import psutil
import pytest

from sakuga.settings import Settings
from tests.fakes.keys import BEARER, KEY
from tests.fakes.twitch import FakeTwitch

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Studio:
    """`python -m sakuga demo` in a process of its own."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = Settings(var_dir=folder / "var", api_port=self.port, key=KEY)
        self._environ = self.settings.environ(
            var_dir=self.settings.var_dir,
            api_port=self.port,
            **{"key": KEY, "studio_file": ROOT / "studio.toml", **settings},
        )
        self.http = httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=30, headers=BEARER)
        self.said = ""
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "sakuga", "demo"),
            cwd=ROOT,
            env=self._environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert self._process.stdout
        async with asyncio.timeout(60):
            async for line in self._process.stdout:
                self.said += line.decode()
                if "Ctrl-C" in self.said:
                    break
        assert "ready" in self.said, self.said
        self._reading = asyncio.create_task(self._read(self._process.stdout))

    async def _read(self, output: asyncio.StreamReader) -> None:
        async for line in output:
            self.said += line.decode()

    async def stop(self) -> int:
        """End it as Ctrl-C does and return its exit code."""
        await self.http.aclose()
        assert self._process
        if self._process.returncode is None:
            self._process.send_signal(2)
            async with asyncio.timeout(60):
                await self._process.wait()
        if self._reading:
            await self._reading
        return int(self._process.returncode or 0)

    def kill(self) -> None:
        """End its first process as `kill -9` does."""
        assert self._process
        self._process.kill()

    async def kill_all(self) -> None:
        """End all of its processes so, that of its memory as well."""
        assert self._process
        family = [psutil.Process(self._process.pid), *psutil.Process(self._process.pid).children(recursive=True)]
        for strike in (psutil.Process.suspend, psutil.Process.kill):  # none may act on the death of another
            for process in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    strike(process)
        await self._process.wait()

    def process(self, name: str) -> psutil.Process:
        """Return the running process of a part: api, worker, overlay, bot or valkey."""
        assert self._process
        children = psutil.Process(self._process.pid).children()
        return next(child for child in children if name in child.cmdline() or child.name().startswith(name))

    async def ask(self, prompt: str = "girl with sword, neon rain", **more: Any) -> dict[str, Any]:
        answer = await self.http.post("/generate", json={"prompt": prompt, **more})
        assert answer.status_code == 202, answer.text
        document: dict[str, Any] = answer.json()
        return document

    async def polled(self, path: str, true: Callable[[dict[str, Any]], bool], limit_s: float = 60) -> dict[str, Any]:
        """Ask again and again, as pages do, over errors and silence, until the answer is the one that is meant."""
        async with asyncio.timeout(limit_s):
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    answer = await self.http.get(path)
                    if answer.is_success and true(answer.json()):
                        document: dict[str, Any] = answer.json()
                        return document
                await asyncio.sleep(0.1)

    async def until(self, job_id: str, *statuses: str, limit_s: float = 60) -> list[dict[str, Any]]:
        """Poll a job until it has one of the statuses, as pages do, and return all answers."""
        answers: list[dict[str, Any]] = []
        async with asyncio.timeout(limit_s):
            while not answers or answers[-1]["status"] not in statuses:
                answers.append(await self.polled(f"/status/{job_id}", lambda _: True))
                assert answers[-1]["status"] not in {"failed", "cancelled"} - set(statuses), answers[-1]
                await asyncio.sleep(0.1)
        return answers


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    async with Studio(tmp_path, rehearsal_seconds=0, bot=False) as studio:
        yield studio


@pytest.fixture
async def twitch() -> AsyncIterator[FakeTwitch]:
    async with FakeTwitch() as fake:
        yield fake
