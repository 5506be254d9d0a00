"""`python -m tests.bench.crew KIND URL`: a worker whose task does nothing but say when it began."""

import asyncio
import json
import sys
import time
from typing import Any

from arq.connections import ArqRedis
from arq.worker import Worker, func
from redis.asyncio import ConnectionPool

from sakuga import store
from sakuga.queue import RENDER_TASK, Queue, encode_task
from worker.worker import StudioWorker

BEGUN = "bench:begun"  # list of "job id, seconds since 1970"
ARQ_QUEUE = "arq:queue"


async def begin(ctx: dict[str, Any], *_: str) -> None:
    """Say when this job began."""
    now = time.time()
    await ctx["redis"].rpush(BEGUN, f"{ctx['job_id']} {now}")


async def main(kind: str, url: str) -> None:
    """Work until killed."""
    ours = kind == "sakuga"
    common: dict[str, Any] = {
        "functions": [func(begin, name=RENDER_TASK)],
        "max_jobs": 10,
        "job_serializer": encode_task,
        "job_deserializer": json.loads,
        "log_results": False,
        "handle_signals": False,
        "keep_result": 60,
        "allow_abort_jobs": True,
    }
    queue_name = store.SLOTS if ours else ARQ_QUEUE
    redis = ArqRedis(
        ConnectionPool.from_url(url),
        job_serializer=encode_task,
        job_deserializer=json.loads,
        default_queue_name=queue_name,
    )
    worker: Worker
    if ours:
        admit = Queue(store.connect(url)).admit
        worker = StudioWorker(
            admit=admit, holder="crew", lease_s=9, poll_delay=1, queue_name=queue_name, redis_pool=redis, **common
        )
    else:
        worker = Worker(queue_name=queue_name, redis_pool=redis, **common)
    await worker.async_run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
