"""Stock arq."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from arq.connections import ArqRedis
from arq.worker import Worker, func
from redis.asyncio import ConnectionPool

from tests.bench.peers.hand import Ask, Told, job, main


async def work(told: Told) -> None:
    """Work until killed."""

    async def begin(_: dict[str, Any], name: str) -> None:
        await job(told, name)

    redis = ArqRedis(ConnectionPool.from_url(told.url))
    await Worker([func(begin, name="begin")], redis_pool=redis, handle_signals=False, **told.options).async_run()


@contextlib.asynccontextmanager
async def asker(told: Told) -> AsyncIterator[Ask]:
    """Ask by `enqueue_job`."""
    redis = ArqRedis(ConnectionPool.from_url(told.url))
    yield lambda name: redis.enqueue_job("begin", name)
    await redis.aclose()


if __name__ == "__main__":
    main(work, asker)
