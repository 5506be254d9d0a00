"""`python -m worker`: one worker process."""

import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

from arq.connections import ArqRedis
from arq.worker import func
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError
from ulid import ULID

from sakuga import log, store
from sakuga.engine import EngineSpec
from sakuga.errors import BrokerUnavailable, RendererUnavailable, SakugaError, StudioError
from sakuga.lifecycle import Lifecycle
from sakuga.queue import RENDER_TASK, Queue, encode_task
from sakuga.settings import Settings
from sakuga.shredder import Shredder
from sakuga.storage import Storage
from sakuga.studio_file import StudioFile
from worker import upkeep
from worker.outside import Outside
from worker.render import RenderTask
from worker.renderers import Renderer, open_renderer
from worker.thermostat import Thermostat
from worker.usher import Usher
from worker.webhooks import Deliverer
from worker.worker import StudioWorker

POLL_S = 1.0  # between looks when nothing wakes us: notices the lease of a dead worker
SPARE = 2  # arq tasks above the slots, so that taking over never waits


async def serve(settings: Settings) -> None:
    """Work until asked to stop."""
    async with AsyncExitStack() as stack:
        redis = store.connect(settings.broker_url)
        stack.push_async_callback(redis.aclose)
        renderer = open_renderer(settings)
        stack.push_async_callback(renderer.close)
        specs = await renderer.specs()
        queue, lifecycle = Queue(redis), Lifecycle(redis)
        worker_id = f"worker_{ULID()}"
        file = StudioFile(settings.studio_file)
        worker = open_worker(settings, worker_id, redis, renderer, specs, file=file)
        me = upkeep.Introduction(worker_id, renderer.name, specs, settings.slots)
        await upkeep.introduce(redis, me)
        log.get_logger("worker").debug("worker.ready", renderer=renderer.name, slots=settings.slots)
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, worker.stop)
        thermostat = Thermostat(renderer)
        outside = Outside(private=settings.webhooks_private)
        deliverer = Deliverer(redis, outside, name=worker_id, base_url=settings.base_url)
        chores = [
            asyncio.create_task(chore)
            for chore in (
                upkeep.keep_up(redis, me, renderer=renderer, thermostat=thermostat, queue=queue, lifecycle=lifecycle),
                Usher(redis, file).keep_up(),
                Shredder(redis, Storage.open(settings)).keep_up(),
                deliverer.run(),
            )
        ]
        await worker.async_run()
        for chore in chores:
            chore.cancel()
        await worker.close()
        await asyncio.wait(chores, timeout=1)
        if await upkeep.leave(redis, worker_id):
            await thermostat.close()


def open_worker(
    settings: Settings,
    worker_id: str,
    redis: store.Client,
    renderer: Renderer,
    specs: Sequence[EngineSpec],
    *,
    file: StudioFile,
) -> StudioWorker:
    """Put an arq worker together. Call it inside a running loop."""
    task = RenderTask(
        lifecycle=Lifecycle(redis),
        renderer=renderer,
        specs={spec.name: spec for spec in specs},
        file=file,
        storage=Storage.open(settings),
        settings=settings,
    )
    pool = ConnectionPool.from_url(
        settings.broker_url, socket_connect_timeout=2, socket_timeout=10, health_check_interval=15
    )
    arq = ArqRedis(pool, job_serializer=encode_task, job_deserializer=json.loads, default_queue_name=store.SLOTS)
    run: Any = task.run  # arq's own type for it asks for `*args`
    return StudioWorker(
        admit=Queue(redis).admit,
        holder=worker_id,
        lease_s=settings.lease.total_seconds(),
        functions=[func(run, name=RENDER_TASK)],
        queue_name=store.SLOTS,
        redis_pool=arq,
        max_jobs=settings.slots + SPARE,
        # To wait for a GPU and its model may take an attempt as long as to draw. The last part is for storing the clip.
        job_timeout=settings.render_timeout * (2 * settings.render_attempts + 1),
        keep_result=3600,
        poll_delay=POLL_S,
        max_tries=1000,  # arq counts graceful restarts too; our own count is the job's `attempt`
        health_check_interval=10,
        allow_abort_jobs=True,
        handle_signals=False,
        job_serializer=encode_task,
        job_deserializer=json.loads,
        log_results=False,
    )


def main() -> int:
    """Run with settings from the environment."""
    try:
        settings = Settings.load()
        log.configure(settings, "worker")
        asyncio.run(serve(settings))
    except RendererUnavailable as error:  # to start again would not help
        reason = str(error.data["reason"])
        sys.stderr.write(f"{reason[:1].upper()}{reason[1:]}.\n")
        return 2
    except StudioError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (SakugaError, RedisError) as error:
        sys.stderr.write(f"{error if isinstance(error, SakugaError) else BrokerUnavailable()}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
