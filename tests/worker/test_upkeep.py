import json

import pytest
from arq.constants import result_key_prefix

from sakuga import store
from sakuga.job import Job, JobStatus
from sakuga.lifecycle import Lifecycle
from sakuga.queue import Queue
from tests.fakes.jobs import submitted
from tests.fakes.renderer import SPEC
from worker import upkeep


@pytest.fixture
async def job(redis: store.Client) -> Job:
    """A job that was admitted and then lost by arq."""
    queue = Queue(redis)
    await queue.configure(slots=1)
    job = await submitted(queue)
    await queue.admit()
    await redis.zrem(store.SLOTS, job.id)
    return job


async def reconciled(redis: store.Client, job: Job) -> Job:
    await upkeep.reconcile(redis, Lifecycle(redis))
    return (await Queue(redis).look(job.id))[0]


async def test_a_job_that_arq_still_has_is_left_alone(redis: store.Client, job: Job) -> None:
    await redis.zadd(store.SLOTS, {job.id: 1})
    assert (await reconciled(redis, job)).status is JobStatus.STARTING


async def test_a_job_that_arq_lost_goes_back_to_the_waiting_room(redis: store.Client, job: Job) -> None:
    assert (await reconciled(redis, job)).status is JobStatus.QUEUED
    assert await Queue(redis).admit() == 1


async def test_a_job_that_arq_ended_without_us_fails_with_a_reason(redis: store.Client, job: Job) -> None:
    await redis.set(result_key_prefix + job.id, json.dumps({"s": False}))
    now = await reconciled(redis, job)
    assert now.status is JobStatus.FAILED
    assert now.error is not None
    assert now.error.code == "render_lost"


async def test_a_job_that_was_to_be_stopped_is_cancelled(redis: store.Client, job: Job) -> None:
    assert await Queue(redis).cancel(job.id) == "cancelling"
    assert (await reconciled(redis, job)).status is JobStatus.CANCELLED


async def test_a_job_that_is_gone_is_forgotten(redis: store.Client, job: Job) -> None:
    await redis.delete(store.JOB_PREFIX + job.id)
    await upkeep.reconcile(redis, Lifecycle(redis))
    assert await redis.zcard(store.RUNNING) == 0


async def test_a_worker_introduces_what_it_can_draw(redis: store.Client) -> None:
    await upkeep.introduce(redis, upkeep.Introduction("worker_1", "puppet", [SPEC], 2))
    assert list(await redis.hgetall(store.ENGINES)) == ["rehearsal"]
    document = json.loads(await redis.hget(store.WORKER_DOCUMENTS, "worker_1"))
    assert (document["renderer"], document["model"]) == ("puppet", "rehearsal")


async def test_workers_that_were_not_seen_for_long_are_forgotten(redis: store.Client) -> None:
    await upkeep.introduce(redis, upkeep.Introduction("worker_1", "puppet", [SPEC], 2))
    await redis.zadd(store.WORKERS, {"worker_1": 1.0})
    await upkeep.seen(redis, "worker_2")
    assert await redis.zrange(store.WORKERS, 0, -1) == ["worker_2"]
    assert await redis.hgetall(store.WORKER_DOCUMENTS) == {}
