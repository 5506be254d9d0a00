"""Upkeep: what a worker does beside rendering — telling that it lives, and ending what arq ended without us."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass

from arq.constants import in_progress_key_prefix, result_key_prefix
from redis.exceptions import RedisError

from sakuga import store
from sakuga.engine import EngineSpec
from sakuga.errors import JobNotFound, RenderLost
from sakuga.lifecycle import Lifecycle
from sakuga.log import get_logger
from sakuga.queue import Queue

log = get_logger("upkeep")

EVERY_S = 3.0
FORGOTTEN_S = 60  # after which a worker that was not seen is no longer listed


@dataclass(frozen=True, slots=True)
class Introduction:
    """What a worker says about itself; `slots` is for all workers together."""

    worker_id: str
    renderer: str
    specs: Sequence[EngineSpec]
    slots: int


async def introduce(redis: store.Client, me: Introduction) -> None:
    """Say what can be drawn here, so that the gateway can offer it without importing an engine."""
    model = me.specs[0].name if me.specs else None
    document = {"renderer": me.renderer, "model": model, "gpu": None, "warm": True, "slots": me.slots}
    async with redis.pipeline(transaction=True) as pipe:
        pipe.hset(store.STUDIO, "slots", me.slots)
        pipe.delete(store.ENGINES)
        for spec in me.specs:
            pipe.hset(store.ENGINES, spec.name, spec.model_dump_json())
        pipe.hset(store.WORKER_DOCUMENTS, me.worker_id, json.dumps(document))
        await pipe.execute()
    await seen(redis, me.worker_id)


async def seen(redis: store.Client, worker_id: str) -> None:
    """Say that this worker lives, and forget those that were not seen for long."""
    seconds, _ = await redis.time()
    gone = await redis.zrangebyscore(store.WORKERS, "-inf", seconds - FORGOTTEN_S)
    async with redis.pipeline(transaction=True) as pipe:
        pipe.zadd(store.WORKERS, {worker_id: seconds})
        for other in gone:
            pipe.zrem(store.WORKERS, other)
            pipe.hdel(store.WORKER_DOCUMENTS, other)
        await pipe.execute()


async def reconcile(redis: store.Client, lifecycle: Lifecycle) -> None:
    """Look for running jobs that arq no longer has, and end them or bring them back to the waiting room.

    arq ends a job without calling us when its key expired, its task is unknown or it was aborted before its start.
    """
    for job_id in await redis.zrange(store.RUNNING, 0, -1):
        if await redis.zscore(store.SLOTS, job_id) is not None or await redis.exists(in_progress_key_prefix + job_id):
            continue
        try:
            job, stop = await lifecycle.read(job_id)
        except JobNotFound:
            await redis.zrem(store.RUNNING, job_id)
            continue
        ended_by_arq = await redis.exists(result_key_prefix + job_id)
        if stop:
            changed = await lifecycle.cancelled(job)
        elif ended_by_arq:
            changed = await lifecycle.fail(job, RenderLost())
        else:
            changed = await lifecycle.requeue(job)
        if changed:
            log.warning("job.reconciled", job_id=job.id, cut=job.cut, was=job.status)
        elif job.terminal:
            await redis.zrem(store.RUNNING, job_id)


async def keep_up(redis: store.Client, me: Introduction, queue: Queue, lifecycle: Lifecycle) -> None:
    """Do all of it every few seconds, for ever. A Redis that came back empty learns who we are again."""
    while True:
        try:
            await introduce(redis, me)
            await reconcile(redis, lifecycle)
            await queue.admit()
        except (RedisError, OSError):
            log.debug("upkeep.put_off")
        except Exception:  # one bad document must not end the care for all others
            log.exception("upkeep.broke")
        await asyncio.sleep(EVERY_S)
