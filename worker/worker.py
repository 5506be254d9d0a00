"""The arq worker, with what the stock one lacks: wake-up, a short lease, and surviving a restart of Redis.

Written against arq 0.28.0, which is in maintenance mode (https://github.com/python-arq/arq/issues/510) and pinned
exactly, because private methods are overridden here.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from arq.constants import (
    abort_jobs_ss,
    in_progress_key_prefix,
    job_key_prefix,
    result_key_prefix,
    retry_key_prefix,
)
from arq.utils import timestamp_ms
from arq.worker import Worker
from redis.exceptions import RedisError

from sakuga import chores, store
from sakuga.log import get_logger

log = get_logger("worker")

RENEWALS = 3  # within one lease
RECONNECT_S = 0.25
LISTEN_S = 5.0


class StudioWorker(Worker):
    """Runs what is in the slots, and asks for more whenever one may have become free."""

    def __init__(self, *, admit: Callable[[], Awaitable[int]], holder: str, lease_s: float, **options: Any) -> None:
        super().__init__(**options)
        self._admit = admit
        self._holder = holder
        self._lease_ms = round(lease_s * 1000)
        self._pick = store.script(self.pool, "pick")
        self._lease = store.script(self.pool, "lease")
        self._settle = store.script(self.pool, "settle")
        # arq leases a job for its longest timeout, so that a dead worker's job is stuck for that long
        # (https://github.com/python-arq/arq/issues/402). Ours is short and renewed while the task lives.
        self.in_progress_timeout_s = lease_s
        self._woken = asyncio.Event()
        self._stopping = False

    async def main(self) -> None:
        """Admit, start and reap until `stop`; each round begins by a message, an ended task, or the poll delay."""
        self.ctx["redis"] = self.pool
        beside = [asyncio.create_task(self._listen()), asyncio.create_task(self._renew())]
        try:
            while not self._stopping:
                self._woken.clear()
                for chore in beside:
                    if chore.done():
                        chore.result()  # a bug: better to end than to let leases run out
                try:
                    await self._admit()
                    await self._poll_iteration()
                except (RedisError, OSError) as error:
                    log.warning("broker.lost", reason=type(error).__name__)
                    await asyncio.sleep(RECONNECT_S)
                    self._free_leaked_slots()
                    continue
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self.poll_delay_s):
                        await self._woken.wait()
        finally:
            await chores.end(beside)

    def stop(self) -> None:
        """Ask `main` to return. A flag, since a client can swallow the cancellation of a task that talks to Redis."""
        self._stopping = True
        self._woken.set()

    async def close(self) -> None:
        """Stop what runs and let go of the broker, which may be stopping too."""
        await chores.end(list(self.tasks.values()))
        for task in self.tasks.values():
            if not task.cancelled() and (error := task.exception()):  # as when the broker was gone first
                log.debug("task.ended", reason=type(error).__name__)
        self.tasks.clear()
        with contextlib.suppress(RedisError, OSError):
            await self.pool.delete(self.health_check_key)
        await self.pool.aclose(close_connection_pool=True)

    async def _poll_iteration(self) -> None:
        """Start what nobody runs, stop what somebody asked to stop, and reap what has ended."""
        running = [job_id for job_id, task in self.tasks.items() if not task.done()]
        if (free := self.max_jobs - self.job_counter) > 0:
            for picked in await self._picked(free, running):
                await self.sem.acquire()
                self.job_counter += 1
                task = self.loop.create_task(self.run_job(picked, timestamp_ms()))
                task.add_done_callback(lambda _: self._release_sem_dec_counter_on_complete())
                self.tasks[picked] = task
            await asyncio.sleep(0)  # their first step comes before the next look
        await self._cancel_aborted_jobs()
        for job_id in [job_id for job_id, task in self.tasks.items() if task.done()]:
            self.tasks.pop(job_id).result()  # an error of ours or of the broker is told to `main`
        await self.heart_beat()

    async def _picked(self, free: int, running: list[str]) -> list[str]:
        """Take up to so many jobs, in one step. Those that run here are left out: our own lease may have run out."""
        picked = await self._pick(
            keys=[self.queue_name, abort_jobs_ss],
            args=[in_progress_key_prefix, self._holder, self._lease_ms, free, self.queue_read_limit, *running],
        )
        return [job_id.decode() for job_id in picked]

    async def finish_job(  # noqa: PLR0917 - arq's signature
        self,
        job_id: str,
        finish: bool,  # noqa: FBT001
        result_data: bytes | None,
        result_timeout_s: float | None,
        keep_result_forever: bool,  # noqa: FBT001
        incr_score: int | None,
        keep_in_progress: float | None,
    ) -> None:
        """Write down that a task has ended, unless somebody else holds the job by now."""
        del keep_result_forever, incr_score, keep_in_progress  # never asked for here
        await self._settled(job_id, "end" if finish else "again", result_data, result_timeout_s)

    async def finish_failed_job(self, job_id: str, result_data: bytes | None) -> None:
        """Write down that arq gave a task up."""
        await self._settled(job_id, "end", result_data, self.keep_result_s)

    async def _settled(self, job_id: str, how: str, result: bytes | None, kept_s: float | None) -> None:
        held = await self._settle(
            keys=[
                in_progress_key_prefix + job_id,
                self.queue_name,
                job_key_prefix + job_id,
                retry_key_prefix + job_id,
                result_key_prefix + job_id,
                abort_jobs_ss,
            ],
            args=[self._holder, job_id, how, result or b"", round((kept_s or 1) * 1000)],
        )
        if not held:
            log.warning("job.taken_over", job_id=job_id)

    def _release_sem_dec_counter_on_complete(self) -> None:
        super()._release_sem_dec_counter_on_complete()
        self._woken.set()

    def _free_leaked_slots(self) -> None:
        """Give back what arq took before its connection broke: it counts a job before it has it."""
        live = sum(not task.done() for task in self.tasks.values())
        for _ in range(self.job_counter - live):
            super()._release_sem_dec_counter_on_complete()
        for job_id in [job_id for job_id, task in self.tasks.items() if task.done()]:
            task = self.tasks.pop(job_id)
            if not task.cancelled():
                task.exception()  # seen; the job is run again when its lease has run out

    async def _listen(self) -> None:
        while True:
            try:
                async with self.pool.pubsub() as channel:
                    await channel.subscribe(store.WAKE)
                    self._woken.set()  # for what was said while nobody listened
                    while True:
                        if await channel.get_message(timeout=LISTEN_S):
                            self._woken.set()
            except (RedisError, OSError):
                await asyncio.sleep(RECONNECT_S)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self.in_progress_timeout_s / RENEWALS)
            for job_id, task in list(self.tasks.items()):
                if task.done():
                    continue
                try:
                    held = await self._lease(
                        keys=[in_progress_key_prefix + job_id], args=[self._holder, self._lease_ms]
                    )
                except (RedisError, OSError) as error:
                    log.warning("lease.not_renewed", reason=type(error).__name__)
                    break
                if not held:  # we were silent for too long
                    task.cancel()
