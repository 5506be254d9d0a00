"""GET /status beside a bare FastAPI route that does one Redis GET: the same server, the same client, turn by turn."""

import asyncio
import contextlib
import statistics
import sys
import time
from collections.abc import AsyncIterator

from sakuga import store
from sakuga.queue import Queue
from tests.fakes.jobs import submitted
from tests.fakes.renderer import SPEC
from tests.fakes.valkey import Valkey
from tests.journeys.conftest import free_port
from worker import upkeep

CONNECTIONS = 16
ROUNDS = 7
ROUND_S = 2.0


@contextlib.asynccontextmanager
async def _served(module: str, valkey: Valkey) -> AsyncIterator[int]:
    port = free_port()
    environ = valkey.settings.environ(var_dir=valkey.settings.var_dir, api_port=port)
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, env=environ)
    async with asyncio.timeout(20):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            await asyncio.sleep(0.05)
    yield port
    process.terminate()
    await process.wait()


async def _rate(port: int, path: str) -> float:
    """Return requests per second over a few connections that are kept open."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    until = time.perf_counter() + ROUND_S

    async def client() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        done = 0
        while time.perf_counter() < until:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            at = head.lower().index(b"content-length:") + len(b"content-length:")
            await reader.readexactly(int(head[at : head.index(b"\r\n", at)]))
            done += 1
        writer.close()
        return done

    return sum(await asyncio.gather(*(client() for _ in range(CONNECTIONS)))) / ROUND_S


async def status(valkey: Valkey) -> None:
    """Print requests per second of both, and the median of their ratios."""
    redis = store.connect(valkey.url)
    await redis.flushall()
    queue = Queue(redis)
    await queue.configure(slots=1)
    await upkeep.introduce(redis, upkeep.Introduction("worker_1", "rehearsal", [SPEC], 1))
    for _ in range(20):
        job = await submitted(queue)
    await redis.set("bench:bare", "x" * 600)
    print(f"requests/s, {CONNECTIONS} connections, {ROUNDS} turns of {ROUND_S:g} s each")
    async with _served("api", valkey) as ours, _served("tests.bench.bare", valkey) as bare:
        pairs = [(await _rate(ours, f"/status/{job.id}"), await _rate(bare, "/bare")) for _ in range(ROUNDS)]
    print(f"  GET /status        {statistics.median(pair[0] for pair in pairs):8.0f}")
    print(f"  bare, one GET      {statistics.median(pair[1] for pair in pairs):8.0f}")
    print(f"  status / bare: {statistics.median(pair[0] / pair[1] for pair in pairs):.2f}\n")
    await redis.aclose()
