"""A rented container in this process: the real client, and a puppet for an engine."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import modal
import pytest

from gpu import app
from gpu.cloud import container
from gpu.engines import ENGINES, Place, find_spec
from sakuga.engine import MODAL_CLAIMS, MODAL_PROGRESS, RenderRequest
from tests.fakes.modal_deploy import FakeWorkspace
from tests.fakes.puppet_engine import Puppet
from tests.fakes.terminal import at_home

Answer = dict[str, Any]


@pytest.fixture(scope="module")
def rented() -> Iterator[modal.Cls]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENGINES, "puppet", "tests.fakes.puppet_engine")
        yield app.rent(find_spec("puppet"))


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeWorkspace]:
    """The workspace that every handle of the container leads to."""
    async with at_home(FakeWorkspace(), monkeypatch) as workspace:
        for name in ("weights", "media"):
            monkeypatch.setattr(container, name, modal.Volume.from_name(f"sakuga-{name}", create_if_missing=True))
        monkeypatch.setattr(container, "progress", modal.Queue.from_name(MODAL_PROGRESS, create_if_missing=True))
        monkeypatch.setattr(container, "claims", modal.Dict.from_name(MODAL_CLAIMS, create_if_missing=True))
        monkeypatch.setattr(container, "ledger", modal.Dict.from_name("sakuga-ledger", create_if_missing=True))
        yield workspace


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A place with weights."""
    found = Place(weights=tmp_path / "weights", media=tmp_path / "media", cache=tmp_path / "cache")
    for folder in (found.weights, found.media, found.cache):
        folder.mkdir()
    (found.weights / "puppet").touch()
    monkeypatch.setattr(container, "PLACE", found)
    monkeypatch.setattr(Puppet, "seen", [])
    monkeypatch.setattr(Puppet, "loads", 0)
    return found


@pytest.fixture
def draw(rented: modal.Cls, fake: FakeWorkspace, place: Place) -> Callable[..., Any]:
    """Draw in one and the same container."""
    boxed = rented()

    async def drawn(**fields: Any) -> Answer:
        return await asyncio.to_thread(boxed.render.local, ask(**fields).model_dump(mode="json"))

    return drawn


def ask(**fields: Any) -> RenderRequest:
    plain = {"job_id": "job_01", "number": 42, "attempt": 1, "engine": "puppet", "prompt": "a cat", "style": "anime"}
    size = {"seed": 7, "width": 64, "height": 48, "num_frames": 5, "fps": 8.0}
    return RenderRequest.model_validate(plain | size | fields)


def suffers(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Let the engine that is loaded, and no other, fail in the middle of its steps."""
    loads = Puppet.loads

    def suffer(_: Puppet, _prompt: str) -> None:
        if Puppet.loads == loads:
            raise error

    monkeypatch.setattr(Puppet, "_suffer", suffer)


async def told(fake: FakeWorkspace, key: str = "job_01.1") -> list[dict[str, Any]]:
    """Return what a worker reads in the queue."""
    items = modal.Queue.from_name(MODAL_PROGRESS, create_if_missing=True)
    return [item async for item in items.iterate.aio(partition=key, item_poll_timeout=0)]


def lying(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
