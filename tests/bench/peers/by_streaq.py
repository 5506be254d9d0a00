"""streaq."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from streaq import Worker

from tests.bench.peers.hand import Ask, Told, job, main


def _worker(told: Told) -> tuple[Worker[Any], Any]:
    worker: Worker[Any] = Worker(redis_url=told.url, handle_signals=False, **told.options)

    @worker.task(name="begin")
    async def begin(name: str) -> None:
        await job(told, name)

    return worker, begin


async def work(told: Told) -> None:
    """Work until killed."""
    await _worker(told)[0].run_async()


@contextlib.asynccontextmanager
async def asker(told: Told) -> AsyncIterator[Ask]:
    """Ask by `enqueue`."""
    worker, begin = _worker(told)

    async def ask(name: str) -> None:
        await begin.enqueue(name)

    async with worker:
        yield ask


if __name__ == "__main__":
    main(work, asker)
