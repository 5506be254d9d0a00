"""What many tests share: settings of their own, and a broker in memory."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from sakuga import store
from sakuga.settings import Settings
from tests.fakes.valkey import Valkey


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Tests see no SAKUGA_* of the machine and no `.env`."""
    for name in Settings.model_construct().environ():
        if name.startswith("SAKUGA_"):
            monkeypatch.delenv(name)
    monkeypatch.setitem(Settings.model_config, "env_file", None)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a studio that lives in a folder of its own."""
    return Settings(var_dir=tmp_path / "var", rehearsal_seconds=0)


@pytest.fixture
def broker() -> FakeServer:
    """One broker in memory, shared by all who connect to it in a test."""
    return FakeServer()


@pytest.fixture
async def redis(broker: FakeServer) -> AsyncIterator[store.Client]:
    """A client of the broker in memory."""
    client = FakeAsyncRedis(server=broker, decode_responses=True)
    yield client
    await client.aclose()


@pytest.fixture
async def valkey(tmp_path: Path) -> AsyncIterator[Valkey]:
    """A real server."""
    async with Valkey(tmp_path / "var") as server:
        yield server
