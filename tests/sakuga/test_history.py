import pytest

from sakuga import store
from sakuga.errors import RenderFailed
from sakuga.history import KEPT, Ended, History
from sakuga.job import JobStatus
from sakuga.lifecycle import Lifecycle
from sakuga.queue import Queue
from tests.fakes.jobs import clip, submitted
from tests.fakes.lives import begun, drawn


def entry(number: int) -> Ended:
    return Ended(
        job_id=f"job_{number}",
        status=JobStatus.SUCCEEDED,
        engine="wan",
        requested_at=100,
        start_number=40,
        admitted_at=110,
        started_at=112,
        ended_at=150,
    )


async def test_what_a_clip_took_is_remembered_with_what_drew_it(redis: store.Client) -> None:
    job = await drawn(redis, engine="ltx-video-2b", preset="draft", render_s=9.0)
    (ended,) = await History(redis).ended()
    assert (ended.job_id, ended.status, ended.lane, ended.attempt) == (job.id, JobStatus.SUCCEEDED, "viewer", 1)
    assert (ended.engine, ended.preset, ended.duration_s) == ("ltx-video-2b", "draft", 5.0)
    assert ended.render_s == 9.0
    assert ended.credit_s == pytest.approx(60, abs=0.01)
    assert ended.requested_at <= ended.admitted_at <= (ended.started_at or 0) <= ended.ended_at
    assert ended.drawing_s is not None
    assert ended.lead_s is not None


async def test_a_failed_job_and_one_that_was_stopped_are_remembered_without_a_drawing_time(redis: store.Client) -> None:
    failed, stopped = await begun(redis), await begun(redis)
    await Lifecycle(redis).fail(failed, RenderFailed(reason="out of memory"))
    await Lifecycle(redis).cancelled(stopped)
    ended = await History(redis).ended()
    assert [(one.job_id, one.status) for one in ended] == [
        (stopped.id, JobStatus.CANCELLED),
        (failed.id, JobStatus.FAILED),
    ]
    assert [one.drawing_s for one in ended] == [None, None]


async def test_a_job_that_never_had_a_slot_leaves_no_trace(redis: store.Client) -> None:
    job = await submitted(Queue(redis))
    await Queue(redis).cancel(job.id)
    assert await History(redis).ended() == []


async def test_the_history_is_bounded(redis: store.Client) -> None:
    await redis.rpush(store.ENDED, *(entry(number).model_dump_json() for number in range(KEPT)))
    job = await drawn(redis)
    ended = await History(redis).ended()
    assert (len(ended), ended[0].job_id, await redis.llen(store.ENDED)) == (KEPT, job.id, KEPT)


async def test_only_news_is_read_again(redis: store.Client) -> None:
    history = History(redis)
    await redis.rpush(store.ENDED, entry(2).model_dump_json(), entry(1).model_dump_json())
    first = await history.ended()
    assert await history.ended(newest=entry(2).model_dump_json()) is first
    assert await history.ended() is first
    await redis.lpush(store.ENDED, entry(3).model_dump_json())
    assert [one.job_id for one in await history.ended()] == ["job_3", "job_2", "job_1"]
    await redis.delete(store.ENDED)
    assert await history.ended(newest="") == []


async def test_an_entry_that_can_not_be_read_hides_no_other(redis: store.Client) -> None:
    await redis.rpush(store.ENDED, "{", entry(1).model_dump_json())
    assert [one.job_id for one in await History(redis).ended()] == ["job_1"]


async def test_a_promise_is_judged_once_the_clip_is_there(redis: store.Client) -> None:
    history = History(redis)
    job = await begun(redis)
    await history.promise(job.id, 20.0, 30.0)
    await history.promise(job.id, 1.0, 2.0)  # the first word counts
    assert await history.judged() == []
    await Lifecycle(redis).finish(job)
    await Lifecycle(redis).succeed(job, clip(id=job.id.replace("job", "clip"), job_id=job.id))
    (judged,) = await history.judged()
    assert judged.job_id == job.id
    assert judged.promised_p50_s == pytest.approx(20, abs=3)
    assert judged.promised_p90_s == pytest.approx(30, abs=3)
    assert 0 <= judged.actual_s < 20
    assert judged.kept
    assert judged.error > 1


async def test_a_promise_counts_from_the_request_even_if_that_was_long_before(redis: store.Client) -> None:
    job = await begun(redis)
    await redis.hincrbyfloat(store.JOB_PREFIX + job.id, "requested_at", -100)
    await History(redis).promise(job.id, 20.0, 30.0)
    promised = await redis.hget(store.JOB_PREFIX + job.id, "promised_p50_s")
    assert float(promised) == pytest.approx(120, abs=3)


async def test_a_promise_to_a_job_that_is_gone_makes_no_job(redis: store.Client) -> None:
    await History(redis).promise("job_gone", 20.0, 30.0)
    assert not await redis.exists(store.JOB_PREFIX + "job_gone")
