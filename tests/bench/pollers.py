"""A thousand pollers on one gateway process, over TCP, as overlays and bots poll: each once a second, with its ETag."""

import asyncio
import json
import os
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from sakuga import store
from sakuga.act import Act
from sakuga.engine import Progress
from sakuga.job import Job
from sakuga.lifecycle import Lifecycle
from sakuga.queue import Queue
from tests.bench.queue import quantile
from tests.fakes.jobs import submitted
from tests.fakes.keys import KEY
from tests.fakes.renderer import SPEC
from tests.fakes.valkey import Valkey
from tests.journeys.conftest import free_port
from worker import upkeep

OVERLAYS, BOTS = 500, 500
EVERY_S = 1.0
SECONDS = 30.0
WAITING = 20
REPORT_S, RENDER_S = 0.5, 3.0
SMALL = 4096  # bytes that the reader's machine takes before it says stop


@dataclass
class Seen:
    """What the pollers saw. Times in milliseconds from the moment that a request was due."""

    waits: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)


class Poller(asyncio.Protocol):
    """One connection that is kept, and the ETag of each path."""

    def __init__(self) -> None:
        self._etags: dict[str, bytes] = {}
        self._buffer = b""
        self._answer: asyncio.Future[int] | None = None
        self._path = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get(self, path: str, host: bytes) -> asyncio.Future[int]:
        """Send a request; the future is its status."""
        known = self._etags.get(path)
        matched = b"If-None-Match: " + known + b"\r\n" if known else b""
        self._path, self._answer = path, asyncio.get_running_loop().create_future()
        self._transport.write(b"GET " + path.encode() + b" HTTP/1.1\r\nHost: " + host + b"\r\n" + matched + b"\r\n")
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or not self._answer or self._answer.done():
            return
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        status = int(head[9:12])
        if status != 304 and len(body) < int(fields.get(b"content-length", b"0")):
            return
        if etag := fields.get(b"etag"):
            self._etags[self._path] = etag
        self._buffer = b""
        self._answer.set_result(status)

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(error or ConnectionResetError())

    def close(self) -> None:
        """Hang up."""
        self._transport.close()


class Troupe:
    """A show in which something changes all the time: reports twice a second, a new clip every three."""

    def __init__(self, redis: store.Client) -> None:
        self._queue, self._lifecycle = Queue(redis), Lifecycle(redis)
        self.waiting: list[Job] = []
        self.running: Job | None = None
        self._admitted = 0

    async def begin(self) -> None:
        """Fill the queue."""
        self.waiting = [await submitted(self._queue) for _ in range(WAITING)]
        await self._next()

    async def play(self) -> None:
        """Draw one job after the other, for ever."""
        while True:
            for number in range(1, round(RENDER_S / REPORT_S)):
                await asyncio.sleep(REPORT_S)
                assert self.running
                fraction = number * REPORT_S / RENDER_S
                await self._lifecycle.progress(
                    self.running, Progress(sequence=number, stage="denoise", fraction=fraction)
                )
            await asyncio.sleep(REPORT_S)
            assert self.running
            await self._queue.cancel(self.running.id, Act(type="job.cancelled", by="bench"))
            await self._lifecycle.cancelled(self.running)
            self.waiting.append(await submitted(self._queue))
            await self._next()

    async def _next(self) -> None:
        self._admitted += 1
        await self._queue.configure(slots=self._admitted)  # arq is not here to give any back
        await self._queue.admit()
        first = self.waiting.pop(0)
        self.running = first.model_copy(update={"attempt": 1, "handle": first.id})
        await self._lifecycle.begin_attempt(self.running)


@asynccontextmanager
async def _gateway(valkey: Valkey) -> AsyncIterator[tuple[int, psutil.Process]]:
    port = free_port()
    environ = valkey.settings.environ(var_dir=valkey.settings.var_dir, api_port=port, key=KEY)
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "api", env=environ)
    async with asyncio.timeout(30):
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            await asyncio.sleep(0.05)
    yield port, psutil.Process(process.pid)
    process.terminate()
    await process.wait()


async def _poll(port: int, number: int, troupe: Troupe, seen: Seen, until: float) -> None:
    loop = asyncio.get_running_loop()
    host = f"127.0.0.1:{port}".encode()
    _, poller = await loop.create_connection(Poller, "127.0.0.1", port)
    due = loop.time() + EVERY_S * number / (OVERLAYS + BOTS)
    while due < until:
        await asyncio.sleep(due - loop.time())
        live = [troupe.running, *troupe.waiting]
        job = live[number % len(live)]
        path = "/stage" if number % 2 or job is None else f"/status/{job.id}"
        try:
            async with asyncio.timeout(10):
                seen.statuses[await poller.get(path, host)] += 1
        except (OSError, TimeoutError) as error:
            seen.errors[type(error).__name__] += 1
            return
        seen.waits.append((loop.time() - due) * 1000)
        due = max(due + EVERY_S, loop.time())
    poller.close()


async def _round(what: str, port: int, gateway: psutil.Process, troupe: Troupe) -> None:
    seen, loop = Seen(), asyncio.get_running_loop()
    busy, ours = sum(gateway.cpu_times()[:2]), time.process_time()
    began = loop.time()
    await asyncio.gather(*(_poll(port, number, troupe, seen, began + SECONDS) for number in range(OVERLAYS + BOTS)))
    took = loop.time() - began
    answers = sum(seen.statuses.values())
    failed = sum(seen.errors.values()) + answers - seen.statuses[200] - seen.statuses[304]
    print(f"  {what}: {answers / took:.0f} answers/s, {seen.statuses[304] / answers:.0%} not changed, {failed} errors")
    print(
        f"    p50 {quantile(seen.waits, 0.5):6.1f}   p99 {quantile(seen.waits, 0.99):6.1f}  most {max(seen.waits):6.1f}"
    )
    gateway_busy = (sum(gateway.cpu_times()[:2]) - busy) / took
    clients_busy = (time.process_time() - ours) / took
    print(
        f"    of one core: gateway {gateway_busy:.0%} ({gateway_busy * took / answers * 1000:.2f} ms an answer), "
        f"pollers {clients_busy:.0%}; load {os.getloadavg()[0]:.1f}"
    )


def _stuck_reader(port: int, after: str) -> socket.socket:
    """Follow the events, and never read a byte."""
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    reader.connect(("127.0.0.1", port))
    reader.sendall(f"GET /events?after={after} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    return reader


async def pollers(valkey: Valkey) -> None:
    """Print how long a thousand pollers wait for their answers, alone and beside a reader that does not read."""
    redis = store.connect(valkey.url)
    await redis.flushall()
    await Queue(redis).configure(slots=1)
    await upkeep.introduce(redis, upkeep.Introduction("worker_1", "rehearsal", [SPEC], 1))
    troupe = Troupe(redis)
    await troupe.begin()
    print(f"{OVERLAYS} overlays on /stage and {BOTS} bots on /status, each once a second, {SECONDS:g} s; milliseconds")
    async with _gateway(valkey) as (port, gateway):
        playing = asyncio.create_task(troupe.play())
        await _round("alone", port, gateway, troupe)
        for number in range(2000):  # what the reader is behind with
            await redis.xadd(
                store.EVENTS, {"type": "stage.changed", "data": json.dumps({"state": "idle", "n": number})}
            )
        stuck = _stuck_reader(port, "0-0")
        await _round("beside a reader of the events that reads nothing", port, gateway, troupe)
        stuck.close()
        playing.cancel()
    await redis.aclose()


async def main() -> None:
    """Run it on a fresh Valkey."""
    with tempfile.TemporaryDirectory() as folder:
        async with Valkey(Path(folder)) as valkey:
            await pollers(valkey)


if __name__ == "__main__":
    asyncio.run(main())
