"""The arq subclass, on a real server."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from arq.connections import ArqRedis
from arq.constants import in_progress_key_prefix
from arq.worker import func
from redis.asyncio import ConnectionPool

from sakuga import store
from sakuga.job import Job
from sakuga.queue import RENDER_TASK, Queue, encode_task
from tests.fakes.jobs import submitted
from tests.fakes.valkey import Valkey
from worker.worker import StudioWorker

LEASE_S = 0.6


class Crew:
    """Workers on one server, and what they did."""

    def __init__(self, valkey: Valkey) -> None:
        self.valkey = valkey
        self.redis = store.connect(valkey.url)
        self.queue = Queue(self.redis)
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.hold = asyncio.Event()
        self.hold.set()
        self._changed = asyncio.Condition()
        self.workers: list[StudioWorker] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def work(self, _ctx: dict[str, Any], job_id: str) -> None:
        await self._note(self.begun, job_id)
        await self.hold.wait()
        await self._note(self.ended, job_id)

    async def _note(self, where: list[str], job_id: str) -> None:
        async with self._changed:
            where.append(job_id)
            self._changed.notify_all()

    async def until(self, true: Callable[[], bool], limit_s: float = 10) -> None:
        async with asyncio.timeout(limit_s), self._changed:
            await self._changed.wait_for(true)

    async def empty(self) -> None:
        """Wait until nothing waits and no slot is taken. To be polled: arq frees a slot without telling anybody."""
        async with asyncio.timeout(10):
            while await self.redis.zcard(store.SLOTS) + await self.redis.zcard(store.WAITING):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    def hire(self, *, poll_s: float = 0.2) -> StudioWorker:
        redis = ArqRedis(
            ConnectionPool.from_url(self.valkey.url),
            job_serializer=encode_task,
            job_deserializer=json.loads,
            default_queue_name=store.SLOTS,
        )
        worker = StudioWorker(
            admit=self.queue.admit,
            holder=f"worker_{len(self.workers)}",
            lease_s=LEASE_S,
            functions=[func(self.work, name=RENDER_TASK)],  # type: ignore[arg-type]
            queue_name=store.SLOTS,
            redis_pool=redis,
            max_jobs=10,
            poll_delay=poll_s,
            allow_abort_jobs=True,
            handle_signals=False,
            job_serializer=encode_task,
            job_deserializer=json.loads,
        )
        self.workers.append(worker)
        self.tasks.append(asyncio.create_task(worker.async_run()))
        return worker

    async def close(self) -> None:
        self.hold.set()
        for worker in self.workers:
            worker.stop()
        await asyncio.gather(*self.tasks)
        for worker in self.workers:
            await worker.close()
        await self.redis.aclose()


@pytest.fixture
async def crew(valkey: Valkey) -> AsyncIterator[Crew]:
    crew = Crew(valkey)
    await crew.queue.configure(slots=1)
    yield crew
    await crew.close()


async def _jobs(crew: Crew, count: int) -> list[Job]:
    return [await submitted(crew.queue) for _ in range(count)]


async def test_an_idle_worker_is_woken_by_a_new_job_and_does_not_wait_for_its_poll(crew: Crew) -> None:
    (warm_up,) = await _jobs(crew, 1)
    crew.hire(poll_s=60)
    await crew.until(lambda: crew.ended == [warm_up.id])
    (job,) = await _jobs(crew, 1)
    await crew.until(lambda: job.id in crew.begun, limit_s=2)


async def test_jobs_are_run_in_the_order_of_their_start_numbers(crew: Crew) -> None:
    jobs = [await submitted(crew.queue, credit_s=credit_s) for credit_s in (0, 60, 300, 0)]
    crew.hire(poll_s=60)
    await crew.until(lambda: len(crew.ended) == 4)
    assert crew.begun == [jobs[2].id, jobs[1].id, jobs[0].id, jobs[3].id]


async def test_never_more_run_than_there_are_slots_over_all_workers(crew: Crew) -> None:
    await crew.queue.configure(slots=2)
    crew.hold.clear()
    await _jobs(crew, 6)
    crew.hire()
    crew.hire()
    await crew.until(lambda: len(crew.begun) == 2)
    for _ in range(5):
        assert await crew.queue.admit() == 0
    assert await crew.redis.zcard(store.SLOTS) == 2
    crew.hold.set()
    await crew.until(lambda: len(crew.ended) == 6)
    assert sorted(crew.begun) == sorted(set(crew.begun))


async def test_a_held_job_is_not_taken_by_another_however_long_it_runs(crew: Crew) -> None:
    crew.hold.clear()
    (job,) = await _jobs(crew, 1)
    crew.hire()
    await crew.until(lambda: len(crew.begun) == 1)
    crew.hire()
    lease = in_progress_key_prefix + job.id
    for _ in range(round(LEASE_S / 0.1) * 3):
        assert 0 < await crew.redis.pttl(lease) <= LEASE_S * 1000
        await asyncio.sleep(0.1)  # longer than the lease: that it is renewed is the promise
    assert crew.begun == [job.id]


async def test_the_job_of_a_dead_worker_is_taken_over_when_its_lease_has_run_out(crew: Crew) -> None:
    (job,) = await _jobs(crew, 1)
    await crew.queue.admit()
    await crew.redis.set(in_progress_key_prefix + job.id, "1", px=round(LEASE_S * 1000))
    crew.hire()
    await crew.until(lambda: crew.ended == [job.id], limit_s=5)


async def test_a_worker_whose_lease_ran_out_while_its_machine_slept_takes_it_again_and_runs_the_job_once(
    crew: Crew,
) -> None:
    crew.hold.clear()
    (job,) = await _jobs(crew, 1)
    crew.hire(poll_s=0.05)
    await crew.until(lambda: len(crew.begun) == 1)
    lease = in_progress_key_prefix + job.id
    await crew.redis.delete(lease)
    async with asyncio.timeout(5):
        while await crew.redis.get(lease) != "worker_0":  # noqa: ASYNC110 - the worker tells nobody that it renewed
            await asyncio.sleep(0.02)
    crew.hold.set()
    await crew.until(lambda: crew.ended == [job.id])
    assert crew.begun == [job.id]


async def test_a_worker_that_was_taken_over_lets_go_and_frees_neither_slot_nor_lease(crew: Crew) -> None:
    crew.hold.clear()
    (job,) = await _jobs(crew, 1)
    worker = crew.hire()
    await crew.until(lambda: len(crew.begun) == 1)
    lease = in_progress_key_prefix + job.id
    await crew.redis.set(lease, "somebody else", px=60_000)
    async with asyncio.timeout(5):
        while any(not task.done() for task in worker.tasks.values()):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert crew.ended == []
    assert await crew.redis.zscore(store.SLOTS, job.id) is not None
    assert await crew.redis.get(lease) == "somebody else"


async def test_a_restart_of_the_server_ends_no_worker_and_loses_no_job(crew: Crew) -> None:
    await crew.redis.config_set("appendfsync", "always")
    crew.hire()
    first = await _jobs(crew, 1)
    await crew.until(lambda: len(crew.ended) == 1)
    await crew.valkey.restart()
    second = await _jobs(crew, 3)
    await crew.until(lambda: len(set(crew.ended)) == 4)
    in_order = list(dict.fromkeys(crew.ended))  # what had ended but was not yet written down may end once more
    assert in_order == [job.id for job in first + second]
    assert not crew.tasks[0].done()


async def test_a_cancelled_job_is_stopped_without_waiting_for_a_poll(crew: Crew) -> None:
    crew.hire(poll_s=60)
    crew.hold.clear()
    (job,) = await _jobs(crew, 1)
    await crew.until(lambda: len(crew.begun) == 1)
    assert await crew.queue.cancel(job.id) == "cancelling"
    await crew.empty()
    assert crew.ended == []


async def test_a_job_that_was_told_to_be_cancelled_never_runs_whenever_the_cancel_came(crew: Crew) -> None:
    await crew.queue.configure(slots=8)
    crew.hire(poll_s=60)
    cancelled: set[str] = set()
    for number in range(300):
        (job,) = await _jobs(crew, 1)
        for _ in range(number % 17):
            await asyncio.sleep(0)
        if await crew.queue.cancel(job.id) == "cancelled":
            cancelled.add(job.id)
    await crew.empty()
    assert not cancelled & set(crew.begun)


async def test_a_worker_that_ends_after_its_broker_leaves_no_task_s_error_unread(
    crew: Crew, valkey: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    # Given a render that is under way when the broker dies
    worker = crew.hire()
    crew.hold.clear()
    job = await submitted(crew.queue)
    await crew.until(lambda: crew.begun == [job.id])
    tasks = list(worker.tasks.values())
    valkey.kill()
    # When its worker ends, and so cannot write down how the render came out
    await worker.close()
    await asyncio.wait(tasks)
    del tasks
    gc.collect()
    # Then nobody complains of what was not looked at
    assert "never retrieved" not in caplog.text


async def test_a_job_that_was_stopped_while_its_worker_was_dead_is_still_given_to_its_task(crew: Crew) -> None:
    """The task ends the render, which may go on somewhere; arq alone would only give its slot away."""
    (job,) = await _jobs(crew, 1)
    await crew.queue.admit()
    await crew.redis.set(in_progress_key_prefix + job.id, "worker_dead", px=200)
    assert await crew.queue.cancel(job.id) == "cancelling"
    crew.hire(poll_s=0.05)
    await crew.until(lambda: crew.ended == [job.id])
