"""SAQ. It knows that a worker is dead only from a job that has a heartbeat and beats it by itself.

Its own `from_url` refuses unix sockets.
"""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from redis.asyncio import Redis
from saq import Worker
from saq.queue.redis import RedisQueue

from tests.bench.peers.hand import Ask, Told, job, main


async def work(told: Told) -> None:
    """Work until killed."""

    async def begin(ctx: dict[str, Any], *, name: str) -> None:
        await job(told, name, ctx["job"].update if ctx["job"].heartbeat else None)

    queue = RedisQueue(Redis.from_url(told.url))
    await Worker(queue, functions=[("begin", begin)], **told.options.get("worker", {})).start()


@contextlib.asynccontextmanager
async def asker(told: Told) -> AsyncIterator[Ask]:
    """Ask by `enqueue`."""
    queue = RedisQueue(Redis.from_url(told.url))
    yield lambda name: queue.enqueue("begin", name=name, **told.options.get("job", {}))
    await queue.disconnect()


if __name__ == "__main__":
    main(work, asker)
