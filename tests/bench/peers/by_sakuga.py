"""Ours: the real queue and the real worker, around a job that does nothing."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from arq.connections import ArqRedis
from arq.worker import func
from redis.asyncio import ConnectionPool
from ulid import ULID

from sakuga import store
from sakuga.job import RequestedBy
from sakuga.queue import RENDER_TASK, Queue, Terms, encode_task
from tests.bench.peers.hand import Ask, Told, job, main
from tests.fakes.jobs import fields
from worker.__main__ import POLL_S
from worker.worker import StudioWorker

ANY = Terms(waiting=1_000_000, active=1_000_000)


async def work(told: Told) -> None:
    """Work until killed, with what `worker.__main__` gives a worker."""

    async def render(_: dict[str, Any], job_id: str) -> None:
        await job(told, job_id)

    pool = ConnectionPool.from_url(told.url, socket_connect_timeout=2, socket_timeout=10, health_check_interval=15)
    await StudioWorker(
        admit=Queue(store.connect(told.url)).admit,
        holder=f"worker_{ULID()}",
        lease_s=told.options["lease_s"],
        functions=[func(render, name=RENDER_TASK)],
        queue_name=store.SLOTS,
        redis_pool=ArqRedis(
            pool, job_serializer=encode_task, job_deserializer=json.loads, default_queue_name=store.SLOTS
        ),
        max_jobs=10,
        job_timeout=3600,
        keep_result=3600,
        poll_delay=POLL_S,
        max_tries=1000,
        health_check_interval=10,
        allow_abort_jobs=True,
        handle_signals=False,
        job_serializer=encode_task,
        job_deserializer=json.loads,
        log_results=False,
    ).async_run()


@contextlib.asynccontextmanager
async def asker(told: Told) -> AsyncIterator[Ask]:
    """Ask as the gateway does, each time for another viewer."""
    redis = store.connect(told.url)
    queue = Queue(redis)
    await queue.configure(slots=10)

    async def ask(name: str) -> None:
        viewer = RequestedBy(platform="twitch", id=name, login=name)
        await queue.submit(name, fields(requested_by=viewer.model_dump_json()), [], ANY)

    yield ask
    await redis.aclose()


if __name__ == "__main__":
    main(work, asker)
