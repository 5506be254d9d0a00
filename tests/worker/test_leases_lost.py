"""A job that is taken over counts as one lost lease; one whose worker ended its task counts as none."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from arq.constants import in_progress_key_prefix

from sakuga import store
from sakuga.metrics import Metrics
from tests.fakes.jobs import submitted
from tests.fakes.valkey import Valkey
from tests.worker.test_worker import Crew


@pytest.fixture
async def crew(valkey: Valkey) -> AsyncIterator[Crew]:
    crew = Crew(valkey)
    await crew.queue.configure(slots=1)
    yield crew
    await crew.close()


async def lost(crew: Crew) -> float:
    return (await Metrics(crew.redis).read()).counted["leases_lost"].get((), 0)


async def test_a_job_of_a_dead_worker_is_one_lost_lease_and_its_successor_s_end_is_none(crew: Crew) -> None:
    job = await submitted(crew.queue)
    await crew.queue.admit()
    await crew.redis.hset(store.JOB_PREFIX + job.id, "holder", "worker_dead")
    crew.hire()
    await crew.until(lambda: crew.ended == [job.id])
    await crew.empty()
    assert await lost(crew) == 1
    assert await crew.redis.hget(store.JOB_PREFIX + job.id, "holder") is None


async def test_a_worker_that_stood_still_is_one_lost_lease_though_it_wakes_up_again(crew: Crew) -> None:
    crew.hold.clear()
    job = await submitted(crew.queue)
    worker = crew.hire(poll_s=60)
    await crew.until(lambda: len(crew.begun) == 1)
    lease = in_progress_key_prefix + job.id
    await crew.redis.set(lease, "somebody else", px=1000)
    async with asyncio.timeout(5):
        while any(not task.done() for task in worker.tasks.values()):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.02)
    crew.hold.set()
    crew.hire(poll_s=0.05)
    await crew.until(lambda: crew.ended == [job.id])
    await crew.empty()
    assert await lost(crew) == 1


async def test_a_worker_that_is_asked_to_stop_loses_no_lease(crew: Crew) -> None:
    crew.hold.clear()
    job = await submitted(crew.queue)
    worker = crew.hire()
    await crew.until(lambda: len(crew.begun) == 1)
    worker.stop()
    await crew.tasks[0]
    await worker.close()
    crew.hold.set()
    crew.hire(poll_s=0.05)
    await crew.until(lambda: crew.ended == [job.id])
    assert await lost(crew) == 0
