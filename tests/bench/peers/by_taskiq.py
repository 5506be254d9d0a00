"""taskiq, by its list broker or its stream broker."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from taskiq.api import run_receiver_task
from taskiq_redis import ListQueueBroker, RedisStreamBroker

from tests.bench.peers.hand import Ask, Told, job, main

BROKERS = {"list": ListQueueBroker, "stream": RedisStreamBroker}


def _broker(told: Told) -> tuple[Any, Any]:
    broker: Any = BROKERS[told.options["broker"]](told.url, **told.options.get("of_broker", {}))

    @broker.task(task_name="begin")
    async def begin(name: str) -> None:
        await job(told, name)

    return broker, begin


async def work(told: Told) -> None:
    """Work until killed."""
    await run_receiver_task(_broker(told)[0], run_startup=True, **told.options.get("worker", {}))


@contextlib.asynccontextmanager
async def asker(told: Told) -> AsyncIterator[Ask]:
    """Ask by `kiq`."""
    broker, begin = _broker(told)
    await broker.startup()
    yield begin.kiq
    await broker.shutdown()


if __name__ == "__main__":
    main(work, asker)
