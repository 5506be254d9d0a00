from dataclasses import dataclass

import pytest

from sakuga import store
from sakuga.clip import Clip
from sakuga.engine import Progress
from sakuga.errors import RenderFailed
from sakuga.gallery import Gallery
from sakuga.history import History
from sakuga.job import Job, JobStatus
from sakuga.lifecycle import Lifecycle
from sakuga.queue import Queue
from tests.fakes.jobs import clip, submitted


@dataclass
class House:
    redis: store.Client
    queue: Queue
    lifecycle: Lifecycle

    async def kinds(self) -> list[str]:
        return [entry["type"] for _, entry in await self.redis.xrange(store.EVENTS)]

    async def job(self, job: Job) -> Job:
        return (await self.queue.look(job.id))[0]


@pytest.fixture
async def house(redis: store.Client) -> House:
    queue = Queue(redis)
    await queue.configure(slots=1)
    return House(redis, queue, Lifecycle(redis))


@pytest.fixture
async def job(house: House) -> Job:
    """A job in its first attempt, with a handle."""
    job = await submitted(house.queue)
    await house.queue.admit()
    job = job.model_copy(update={"attempt": 1, "handle": "render-1"})
    assert await house.lifecycle.begin_attempt(job)
    return job


def next_attempt(job: Job) -> Job:
    return job.model_copy(update={"attempt": job.attempt + 1, "handle": f"render-{job.attempt + 1}"})


def report(sequence: int, fraction: float, preview: bytes | None = None) -> Progress:
    return Progress(sequence=sequence, stage="denoise", step=sequence, total=20, fraction=fraction, preview=preview)


def made(job: Job) -> Clip:
    return clip(job.number, id=job.id.replace("job", "clip"), job_id=job.id)


async def test_the_first_report_of_an_attempt_is_the_start_of_its_render(house: House, job: Job) -> None:
    assert await house.lifecycle.progress(job, report(1, 0.1))
    assert await house.lifecycle.progress(job, report(2, 0.25))
    now = await house.job(job)
    assert (now.status, now.stage, now.progress, now.attempt) == (JobStatus.RENDERING, "denoise", 25.0, 1)
    assert now.started_at is not None
    assert (await house.kinds())[-2:] == ["job.started", "job.progressed"]


async def test_what_draws_instead_of_what_was_asked_for_is_told_until_the_next_attempt(house: House, job: Job) -> None:
    await house.lifecycle.progress(job, report(1, 0.1).model_copy(update={"engine": "rehearsal"}))
    await house.lifecycle.progress(job, report(2, 0.2))
    assert (await house.job(job)).drawing == "rehearsal"
    assert await house.lifecycle.begin_attempt(next_attempt(job))
    assert (await house.job(job)).drawing is None


async def test_a_preview_is_kept_and_its_version_told(house: House, job: Job) -> None:
    await house.lifecycle.progress(job, report(4, 0.1, preview=b"jpeg"))
    assert (await house.job(job)).preview == 4
    assert await house.redis.get(store.PREVIEW_PREFIX + job.id) == "jpeg"


async def test_success_writes_status_clip_history_and_events_in_one_step(house: House, job: Job) -> None:
    await house.lifecycle.progress(job, report(1, 0.5))
    await house.lifecycle.finish(job)
    assert await house.lifecycle.succeed(job, made(job))
    now = await house.job(job)
    assert (now.status, now.progress, now.clip_id) == (JobStatus.SUCCEEDED, 100, made(job).id)
    assert [c.id for c in await Gallery(house.redis).newest(10)] == [made(job).id]
    assert [(one.pace, one.render_s) for one in await History(house.redis).ended()] == [("rehearsal/live", 6.2)]
    assert (await house.kinds())[-3:] == ["job.finishing", "job.succeeded", "clip.ready"]
    assert await house.redis.zcard(store.RUNNING) == 0
    assert await house.redis.ttl(store.JOB_PREFIX + job.id) > 86400


async def test_render_times_are_remembered_by_what_drew_and_not_by_what_was_asked_for(house: House, job: Job) -> None:
    await house.lifecycle.finish(job)
    fallen_back = made(job).model_copy(update={"engine": "ltx-video-2b", "preset": "draft", "render_s": 9.0})
    assert await house.lifecycle.succeed(job, fallen_back)
    assert [(one.pace, one.render_s) for one in await History(house.redis).ended()] == [("ltx-video-2b/draft", 9.0)]


async def test_a_cancelled_job_can_not_succeed_any_more(house: House, job: Job) -> None:
    await house.lifecycle.finish(job)
    assert await house.lifecycle.cancelled(job)
    assert not await house.lifecycle.succeed(job, made(job))
    assert (await house.job(job)).status is JobStatus.CANCELLED
    assert await Gallery(house.redis).newest(10) == []


async def test_an_ended_job_takes_no_more_reports(house: House, job: Job) -> None:
    assert await house.lifecycle.fail(job, RenderFailed(reason="out of memory"))
    assert not await house.lifecycle.progress(job, report(1, 0.1))
    error = (await house.job(job)).error
    assert error is not None
    assert error.code == "render_failed"
    assert "out of memory" in error.message


async def test_a_worker_with_an_older_attempt_can_change_nothing(house: House, job: Job) -> None:
    assert await house.lifecycle.begin_attempt(next_attempt(job))
    assert not await house.lifecycle.progress(job, report(1, 0.9))
    assert not await house.lifecycle.succeed(job, made(job))
    assert (await house.job(job)).attempt == 2


async def test_a_new_attempt_begins_at_nothing_and_is_told_as_a_retry(house: House, job: Job) -> None:
    await house.lifecycle.progress(job, report(9, 0.8, preview=b"jpeg"))
    assert await house.lifecycle.begin_attempt(next_attempt(job))
    now = await house.job(job)
    assert (now.status, now.attempt, now.progress, now.preview) == (JobStatus.STARTING, 2, 0, None)
    assert now.handle == "render-2"
    assert (await house.kinds())[-1] == "job.retried"


async def test_an_attempt_that_is_written_twice_is_one(house: House, job: Job) -> None:
    assert await house.lifecycle.begin_attempt(next_attempt(job))
    assert await house.lifecycle.begin_attempt(next_attempt(job))
    assert (await house.job(job)).attempt == 2
    other = next_attempt(job).model_copy(update={"handle": "somebody else's"})
    assert not await house.lifecycle.begin_attempt(other)


async def test_an_attempt_cut_short_by_nobodys_fault_is_given_back(house: House, job: Job) -> None:
    assert await house.lifecycle.give_back_attempt(job)
    now = await house.job(job)
    assert (now.attempt, now.handle) == (0, None)


async def test_a_lost_job_goes_back_to_its_own_place(house: House, job: Job) -> None:
    later = await submitted(house.queue)
    assert await house.lifecycle.requeue(await house.job(job))
    board = await house.queue.board(10)
    assert [j.id for j in board.waiting] == [job.id, later.id]
    assert board.running == []


async def test_progress_stays_below_a_hundred_until_the_clip_is_there(house: House, job: Job) -> None:
    seen = []
    for change in (house.lifecycle.progress(job, report(1, 1.0)), house.lifecycle.finish(job)):
        await change
        seen.append((await house.job(job)).progress)
    assert seen == [99, 99]
    await house.lifecycle.succeed(job, made(job))
    assert (await house.job(job)).progress == 100
