"""A terminal: commands of the GPU half run in this process, against a workspace that is found by the environment."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import modal
import pytest

from gpu import app
from gpu.cloud import __main__ as cloud
from gpu.engines import Place
from tests.fakes.modal_calls import Body
from tests.fakes.modal_deploy import FakeWorkspace
from tests.fakes.modal_gpu import draw

ROOT = Path(__file__).parents[2]
LIMIT_S = 60


def everything(**more: Body) -> dict[str, Body]:
    """Return what runs where the whole app is deployed."""
    return {f"{spec.class_name}.render": draw for spec in app.RENTED} | more


@asynccontextmanager
async def at_home(fake: FakeWorkspace, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeWorkspace]:
    """Run a workspace that every handle without a client of its own leads to."""
    async with fake:
        for name, value in fake.environ.items():
            monkeypatch.setenv(name, value)
        yield fake
        client = await modal.Client.from_env.aio()
        await client.close.aio()


def mount(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Place:
    """Let the volumes of the app's functions be mounted in a folder."""
    found = Place(weights=folder / "weights", media=folder / "media", cache=folder / "cache")
    for mounted in (found.weights, found.media, found.cache):
        mounted.mkdir(parents=True)
    monkeypatch.setattr(app, "PLACE", found)
    return found


class Said:
    """What a command said, and how it ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def rows(self) -> dict[str, list[str]]:
        """Return the lines of a table by their first word."""
        return {line.split()[0]: line.split()[1:] for line in self.out.splitlines() if line.strip()}


class Terminal:
    """Runs commands with the media, the weights and the studio file of a folder."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.media, self.weights, self._capsys = folder / "media", folder / "weights", capsys
        self.studio_file = folder / "studio.toml"

    async def run(self, *words: str) -> Said:
        places = {"--media": self.media, "--weights": self.weights, "--studio-file": self.studio_file}
        told = [word for name, path in places.items() for word in (name, str(path))]
        code = await asyncio.to_thread(cloud.main, [*told, *words])
        return Said(code, *self._capsys.readouterr())


async def python(environ: Mapping[str, str], *words: str) -> Said:
    """Run Python in a process of its own, in the folder of the studio."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=ROOT, env=dict(environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), LIMIT_S)
    assert process.returncode is not None
    return Said(process.returncode, out.decode(), err.decode())
