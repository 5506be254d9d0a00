"""Upkeep: what a worker does beside rendering: telling how it is, following the wish for a warm GPU, clearing up."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from arq.constants import in_progress_key_prefix, result_key_prefix
from redis.exceptions import RedisError

from sakuga import store
from sakuga.engine import EngineSpec
from sakuga.errors import JobNotFound, RenderLost, SakugaError
from sakuga.lifecycle import Lifecycle
from sakuga.log import get_logger
from sakuga.metrics import Metrics
from sakuga.queue import Queue
from sakuga.warmth import Warmth
from worker.lookout import UNKNOWN, Lookout, sentence
from worker.renderers import Readiness, Renderer
from worker.thermostat import Thermostat

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


async def introduce(
    redis: store.Client, me: Introduction, readiness: Readiness = UNKNOWN, *, trouble: SakugaError | None = None
) -> None:
    """Say what can be drawn here and how soon, so that the gateway can offer it without importing an engine.

    `trouble` is what keeps the renderer from being as warm as it is wished; what keeps it from drawing comes first.
    """
    trouble = readiness.trouble or trouble
    names = [spec.name for spec in me.specs]
    document = {
        "renderer": me.renderer,
        "model": next(iter(names), None),
        "engines": names,
        "gpu": readiness.gpu,
        "warm": readiness.warm,
        "there": readiness.there,
        "trouble": trouble.code if trouble else None,
        "message": sentence(trouble) if trouble else None,
        "slots": me.slots,
    }
    async with redis.pipeline(transaction=True) as pipe:
        pipe.hset(store.STUDIO, mapping={"slots": me.slots, "engines": json.dumps(names)})
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


async def reconcile(redis: store.Client, lifecycle: Lifecycle, let_go: Callable[[str], object]) -> None:
    """Look for running jobs that arq no longer has, and end them or bring them back.

    One that has a render gets its slot again, another goes to the waiting room.
    arq ends a job without calling us when its key expired, its task is unknown or it was aborted before its start.
    Its render may go on then, as when a worker died and the job was cancelled before another had it: `let_go` is told
    the handle of one that nobody wants any more.
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
            outcome, changed = "cancelled", await lifecycle.cancelled(job)
        elif ended_by_arq:
            outcome, changed = "failed", await lifecycle.fail(job, RenderLost())
        elif job.handle:  # in the waiting room nobody would follow its render, stop it or count what it costs
            outcome, changed = "requeued", await Queue(redis).restore(job_id)
        else:
            outcome, changed = "requeued", await lifecycle.requeue(job)
        if changed:
            await Metrics(redis).count("reconciled", outcome)
            log.warning("job.reconciled", job_id=job.id, cut=job.cut, was=job.status)
            if job.handle and (stop or ended_by_arq):
                let_go(job.handle)
        elif job.terminal:
            await redis.zrem(store.RUNNING, job_id)


async def keep_up(
    redis: store.Client,
    me: Introduction,
    *,
    renderer: Renderer,
    thermostat: Thermostat,
    queue: Queue,
    lifecycle: Lifecycle,
) -> None:
    """Do all of it every few seconds, for ever. A Redis that came back empty learns who we are again."""
    warmth, lookout, releases = Warmth(redis), Lookout(renderer), set[asyncio.Task[None]]()

    async def released(handle: str) -> None:
        try:
            await renderer.release(handle)
        except SakugaError as error:
            log.warning("render.not_released", code=error.code)

    def let_go(handle: str) -> None:
        release = asyncio.create_task(released(handle))  # may take longer than a worker may be silent
        releases.add(release)
        release.add_done_callback(releases.discard)

    async def once() -> None:
        lookout.follow()
        await introduce(redis, me, await lookout.found(), trouble=thermostat.trouble)
        wish, board = await warmth.wished(), await queue.board()
        thermostat.follow(wish.warm if wish else None, busy=bool(board.running or board.waiting_count))
        await reconcile(redis, lifecycle, let_go)
        await queue.admit()

    try:
        while True:
            try:
                await once()
            except (RedisError, OSError):
                log.debug("upkeep.put_off")
            except Exception:  # one bad document must not end the care for all others
                log.exception("upkeep.broke")
            await asyncio.sleep(EVERY_S)
    finally:
        await lookout.close()


async def leave(redis: store.Client, worker_id: str) -> bool:
    """Say that this worker ends, and return whether it was the last one, as far as that can be known."""
    try:
        async with redis.pipeline(transaction=True) as pipe:
            pipe.zrem(store.WORKERS, worker_id)
            pipe.hdel(store.WORKER_DOCUMENTS, worker_id)
            pipe.time()
            *_, (seconds, _) = await pipe.execute()
        return not await redis.zcount(store.WORKERS, seconds - 3 * EVERY_S, "+inf")
    except (RedisError, OSError):
        return True
