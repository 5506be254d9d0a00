"""A reader that takes nothing any more, on a real connection."""

import asyncio
import socket
import sys

import pytest

import api.__main__
from api.events import STREAMS
from sakuga import store
from tests.fakes.server import GatewayThread
from tests.fakes.valkey import Valkey

SMALL = 4096  # bytes that the reader's machine takes before it says stop


@pytest.mark.skipif(sys.platform != "linux", reason="another system's kernel waits longer")
async def test_who_follows_the_events_and_reads_nothing_is_let_go_of(
    valkey: Valkey, redis: store.Client, worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api.__main__, "STUCK_S", 1)
    for _ in range(3000):
        await redis.xadd(store.EVENTS, {"type": "queue.changed", "data": '{"open": true}'})
    with GatewayThread(valkey.settings) as gateway, socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        host = gateway.url.removeprefix("http://")
        await asyncio.to_thread(reader.connect, ("127.0.0.1", int(host.rpartition(":")[2])))
        reader.sendall(f"GET /events?after=0-1 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        places = gateway.app.state.studio.streams
        async with asyncio.timeout(10):
            while places._value == STREAMS:  # noqa: ASYNC110 - the gateway is in another thread
                await asyncio.sleep(0.02)
        async with asyncio.timeout(20):
            while places._value < STREAMS:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
