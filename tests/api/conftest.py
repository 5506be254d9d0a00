"""The gateway on a real Valkey, spoken to over ASGI."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from api.state import State
from sakuga import store
from sakuga.clip import Clip
from sakuga.queue import Queue
from sakuga.role import Role
from sakuga.storage import Storage
from tests.fakes.jobs import clip
from tests.fakes.keys import BEARER, bearer
from tests.fakes.renderer import SPEC
from tests.fakes.valkey import Valkey
from worker import upkeep
from worker.renderers import Readiness

BASE = "http://127.0.0.1:8420"


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[store.Client]:
    """A client of the real server."""
    client = store.connect(valkey.url)
    yield client
    await client.aclose()


@pytest.fixture
async def worker(redis: store.Client) -> None:
    """A worker that has introduced itself and then does nothing."""
    await Queue(redis).configure(slots=1)
    me = upkeep.Introduction("worker_1", "puppet", [SPEC], 1)
    await upkeep.introduce(redis, me, Readiness(gpu="H100", warm=True))


@pytest.fixture
async def studio(valkey: Valkey) -> AsyncIterator[State]:
    """The state of the gateway under test."""
    app = create_app(valkey.settings)
    app.state.studio.app = app
    yield app.state.studio
    await app.state.studio.close()


@pytest.fixture
async def http(studio: State, worker: None) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the gateway with a bot's key, as a program on this machine would be."""
    transport = httpx.ASGITransport(app=studio.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=BEARER) as client:
        yield client


@pytest.fixture
async def moderator(studio: State, worker: None, redis: store.Client) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the gateway with the key of the moderator Alice."""
    transport = httpx.ASGITransport(app=studio.app, raise_app_exceptions=False)
    headers = await bearer(redis, Role.MODERATOR)
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as client:
        yield client


@pytest.fixture
async def stored_clip(studio: State, redis: store.Client, tmp_path: Path) -> Clip:
    """A clip of 1024 bytes in gallery and storage."""
    document = clip(42)
    video, poster = tmp_path / "v.mp4", tmp_path / "p.jpg"
    video.write_bytes(bytes(range(256)) * 4)
    poster.write_bytes(b"\xff\xd8jpeg")
    await Storage.open(studio.settings).put(document, video, poster)
    await redis.zadd(store.CLIPS, {document.id: document.finished_at})
    await redis.hset(store.CLIP_DOCUMENTS, document.id, document.model_dump_json())
    return document
