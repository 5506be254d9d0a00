import pytest

from sakuga import store
from sakuga.queue import Queue
from sakuga.survey import Surveyor
from tests.fakes.jobs import submitted
from tests.fakes.lives import begun, drawn


async def test_a_survey_tells_in_one_trip_who_runs_who_waits_and_what_ended_last(redis: store.Client) -> None:
    await drawn(redis)
    running = await begun(redis)
    await Queue(redis).configure(slots=3)
    late, early = await submitted(Queue(redis)), await submitted(Queue(redis), credit_s=60)
    survey = await Surveyor(redis).survey()
    assert (survey.slots, survey.paused, survey.waiting_count) == (3, False, 2)
    assert [row.job_id for row in survey.running] == [running.id]
    assert [row.job_id for row in survey.waiting] == [early.id, late.id]
    assert survey.running[0].progress == 10
    assert survey.running[0].started_at is not None
    assert survey.waiting[0].credit_s == pytest.approx(60, abs=0.01)
    assert survey.waiting[0].started_at is None
    assert survey.newest == await redis.lindex(store.ENDED, 0)
    assert survey.content == (await Surveyor(redis).survey()).content
    assert len((await Surveyor(redis).survey(limit=1)).waiting) == 1
    assert (await Surveyor(redis).survey(limit=0)).waiting == ()


async def test_a_job_that_can_not_be_read_costs_nobody_the_estimate(redis: store.Client) -> None:
    await Queue(redis).configure(slots=1)
    broken, whole = await submitted(Queue(redis)), await submitted(Queue(redis))
    await redis.hset(store.JOB_PREFIX + broken.id, "duration_s", "long")
    survey = await Surveyor(redis).survey()
    assert [row.job_id for row in survey.waiting] == [whole.id]
    assert survey.waiting_count == 2
