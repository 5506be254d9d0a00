import asyncio
import json
from pathlib import Path

import pytest
from arq.constants import job_key_prefix, result_key_prefix

from sakuga import store
from sakuga.errors import QuotaExhausted, RendererUnavailable
from sakuga.job import Job, JobStatus
from sakuga.lifecycle import Lifecycle
from sakuga.queue import Queue
from sakuga.warmth import Warmth
from tests.fakes.jobs import submitted
from tests.fakes.renderer import SPEC, PuppetRenderer
from worker import upkeep
from worker.renderers import Readiness
from worker.thermostat import Thermostat


@pytest.fixture
async def job(redis: store.Client) -> Job:
    """A job that was admitted and then lost by arq."""
    queue = Queue(redis)
    await queue.configure(slots=1)
    job = await submitted(queue)
    await queue.admit()
    await redis.zrem(store.SLOTS, job.id)
    return job


async def reconciled(redis: store.Client, job: Job, let_go: list[str] | None = None) -> Job:
    await upkeep.reconcile(redis, Lifecycle(redis), ([] if let_go is None else let_go).append)
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


@pytest.mark.parametrize("how", ["cancelled", "ended", "lost"])
async def test_a_render_is_let_go_of_unless_its_job_goes_on(redis: store.Client, job: Job, how: str) -> None:
    # Given a job whose worker died in the middle of its render
    assert await Lifecycle(redis).begin_attempt(job.model_copy(update={"attempt": 1, "handle": "fc-1/job.1"}))
    if how == "cancelled":
        assert await Queue(redis).cancel(job.id) == "cancelling"
    if how == "ended":
        await redis.set(result_key_prefix + job.id, json.dumps({"s": False}))
    # When it is looked after
    let_go: list[str] = []
    now = await reconciled(redis, job, let_go)
    # Then the render ends with it, or is there for the next worker
    assert (let_go, now.terminal) == (([], False) if how == "lost" else (["fc-1/job.1"], True))


async def test_a_job_whose_render_goes_on_has_its_slot_again_and_its_meter_runs(redis: store.Client, job: Job) -> None:
    begun = job.model_copy(update={"attempt": 1, "handle": "fc-1/job.1"})
    assert await Lifecycle(redis).begin_attempt(begun, usd_per_s=0.01)
    now = await reconciled(redis, job)
    assert (now.status, now.handle) == (JobStatus.STARTING, "fc-1/job.1")
    assert await redis.zrange(store.SLOTS, 0, -1) == [job.id]
    assert json.loads(await redis.get(job_key_prefix + job.id))["a"] == [job.id]
    assert await redis.hexists(store.JOB_PREFIX + job.id, "meter_at")
    assert await Queue(redis).cancel(job.id) == "cancelling"  # a worker stops its render


async def test_a_job_that_is_gone_is_forgotten(redis: store.Client, job: Job) -> None:
    await redis.delete(store.JOB_PREFIX + job.id)
    await upkeep.reconcile(redis, Lifecycle(redis), list[str]().append)
    assert await redis.zcard(store.RUNNING) == 0


async def test_a_worker_introduces_what_it_can_draw_and_how_soon(redis: store.Client) -> None:
    other = SPEC.model_copy(update={"name": "abacus"})
    me = upkeep.Introduction("worker_1", "puppet", [SPEC, other], 2)
    await upkeep.introduce(
        redis, me, Readiness("H100", warm=True), trouble=QuotaExhausted(provider="Modal", reason="budget")
    )
    assert set(await redis.hgetall(store.ENGINES)) == {"rehearsal", "abacus"}
    assert json.loads(await redis.hget(store.STUDIO, "engines")) == ["rehearsal", "abacus"]
    assert json.loads(await redis.hget(store.WORKER_DOCUMENTS, "worker_1")) == {
        "renderer": "puppet",
        "model": "rehearsal",
        "engines": ["rehearsal", "abacus"],
        "gpu": "H100",
        "warm": True,
        "there": True,
        "trouble": "quota_exhausted",
        "message": "The account's limit at Modal is reached (budget). Ask again later.",
        "slots": 2,
    }


async def test_what_keeps_a_renderer_from_drawing_is_told_before_what_keeps_it_cool(redis: store.Client) -> None:
    me = upkeep.Introduction("worker_1", "puppet", [SPEC], 1)
    away = Readiness(None, warm=False, trouble=RendererUnavailable(reason="Modal does not answer"), there=False)
    await upkeep.introduce(redis, me, away, trouble=QuotaExhausted(provider="Modal", reason="budget"))
    told = json.loads(await redis.hget(store.WORKER_DOCUMENTS, "worker_1"))
    assert (told["there"], told["trouble"]) == (False, "renderer_unavailable")
    assert told["message"] == "Modal does not answer. It is asked again every minute."


async def test_the_wish_for_a_warm_renderer_reaches_it_and_its_answer_is_told(
    redis: store.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "EVERY_S", 0.01)
    puppet = PuppetRenderer(tmp_path)
    puppet.ready = Readiness(gpu="H100", warm=False)
    await Warmth(redis).wish(warm=True, seconds=60)
    me = upkeep.Introduction("worker_1", "puppet", [SPEC], 1)
    chores = asyncio.create_task(
        upkeep.keep_up(
            redis,
            me,
            renderer=puppet,
            thermostat=Thermostat(puppet),
            queue=Queue(redis),
            lifecycle=Lifecycle(redis),
        )
    )
    try:
        await puppet.was_asked(1)
        async with asyncio.timeout(10):
            while not json.loads(await redis.hget(store.WORKER_DOCUMENTS, "worker_1"))["warm"]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await Warmth(redis).wish(warm=False, seconds=0)
        await puppet.was_asked(2)
    finally:
        chores.cancel()
        await asyncio.gather(chores, return_exceptions=True)
    assert puppet.asked == ["warm", "cool"]


async def test_the_last_worker_that_leaves_knows_it(redis: store.Client) -> None:
    for worker_id in ("worker_1", "worker_2"):
        await upkeep.introduce(redis, upkeep.Introduction(worker_id, "puppet", [SPEC], 2))
    assert not await upkeep.leave(redis, "worker_1")
    assert await upkeep.leave(redis, "worker_2")
    assert await redis.hgetall(store.WORKER_DOCUMENTS) == {}


async def test_workers_that_were_not_seen_for_long_are_forgotten(redis: store.Client) -> None:
    await upkeep.introduce(redis, upkeep.Introduction("worker_1", "puppet", [SPEC], 2))
    await redis.zadd(store.WORKERS, {"worker_1": 1.0})
    await upkeep.seen(redis, "worker_2")
    assert await redis.zrange(store.WORKERS, 0, -1) == ["worker_2"]
    assert await redis.hgetall(store.WORKER_DOCUMENTS) == {}
