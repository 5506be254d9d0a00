"""The render task without arq, cut short: by a cancel, a shutdown, a take-over, or trouble with the broker."""

import asyncio

import pytest
from arq.worker import Retry
from redis.exceptions import ConnectionError as RedisConnectionError

from sakuga.engine import RenderRequest
from sakuga.errors import RendererUnavailable, SakugaError
from sakuga.event import EventType
from sakuga.events import Events
from sakuga.gallery import Gallery
from sakuga.job import JobStatus
from sakuga.lifecycle import Lifecycle
from sakuga.storage import Storage
from tests.worker.conftest import House


def slow_start(
    house: House, monkeypatch: pytest.MonkeyPatch, error: SakugaError | None = None
) -> tuple[asyncio.Event, asyncio.Event]:
    """Let starts wait, and return what is set when one is asked for and what lets it go on."""
    asked, answered = asyncio.Event(), asyncio.Event()
    start = house.renderer.start

    async def slow(request: RenderRequest) -> str:
        asked.set()
        await answered.wait()
        if error:
            raise error
        return await start(request)

    monkeypatch.setattr(house.renderer, "start", slow)
    return asked, answered


async def test_a_second_worker_re_attaches_and_nothing_is_rendered_twice(house: House) -> None:
    job = await house.admitted()
    first = await house.drawing(job)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert (await house.now(job)).handle == "puppet-0"
    second = house.run(job)
    house.renderer.finish("puppet-0")
    await second
    assert await house.status(job) is JobStatus.SUCCEEDED
    assert len(house.renderer.requests) == 1


async def test_a_worker_that_died_while_it_stored_the_clip_is_no_reason_to_be_stuck(house: House) -> None:
    job = await house.admitted()
    first = await house.drawing(job)
    assert await Lifecycle(house.redis).finish(await house.now(job))
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    second = house.run(job)
    house.renderer.report("puppet-0", 1.0)  # the renderer tells the next one how far it is
    house.renderer.finish("puppet-0")
    await second
    assert await house.status(job) is JobStatus.SUCCEEDED
    assert len(house.renderer.requests) == 1


async def test_two_runs_of_one_render_make_one_clip_and_keep_its_files(house: House) -> None:
    job = await house.admitted()
    first = await house.drawing(job)
    second = house.run(job)
    house.renderer.finish("puppet-0")
    await asyncio.gather(first, second)
    assert await house.status(job) is JobStatus.SUCCEEDED
    (clip,) = await Gallery(house.redis).newest(10)
    assert await Storage.open(house.settings).size(clip.video_key) == clip.bytes
    assert len(house.renderer.requests) == 1


async def test_a_run_that_was_overtaken_leaves_the_next_attempt_alone(house: House) -> None:
    house.renderer.outlives_worker = False
    job = await house.admitted()
    old = await house.drawing(job)
    overtaking = (await house.now(job)).model_copy(update={"attempt": 2, "handle": "elsewhere"})
    assert await Lifecycle(house.redis).begin_attempt(overtaking)
    old.cancel()
    await asyncio.gather(old, return_exceptions=True)
    now = await house.now(job)
    assert (now.attempt, now.handle) == (2, "elsewhere")
    assert house.renderer.released == ["puppet-0"]


async def test_a_run_that_was_overtaken_leaves_a_render_that_the_next_attempt_took_over(house: House) -> None:
    job = await house.admitted()
    old = await house.drawing(job)
    now = await house.now(job)
    assert await Lifecycle(house.redis).begin_attempt(now.model_copy(update={"attempt": 2}))
    house.renderer.report("puppet-0", 0.6)
    with pytest.raises(Retry):
        await old
    assert house.renderer.released == []


async def test_a_cancel_in_the_middle_of_a_start_stops_what_was_started(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a start that takes its time
    asked, answered = slow_start(house, monkeypatch)
    job = await house.admitted()
    running = house.run(job)
    await asked.wait()
    # When the job is cancelled meanwhile
    assert await house.queue.cancel(job.id) == "cancelling"
    running.cancel()
    answered.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    # Then nothing is drawn for nobody
    assert house.renderer.cancelled == ["puppet-0"]
    assert await house.status(job) is JobStatus.CANCELLED


@pytest.mark.parametrize(("outlives", "released"), [(True, []), (False, ["puppet-0"])])
async def test_a_worker_stopped_in_the_middle_of_a_start_leaves_only_what_outlives_it(
    house: House, monkeypatch: pytest.MonkeyPatch, *, outlives: bool, released: list[str]
) -> None:
    house.renderer.outlives_worker = outlives
    asked, answered = slow_start(house, monkeypatch)
    job = await house.admitted()
    running = house.run(job)
    await asked.wait()
    running.cancel()
    answered.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert house.renderer.released == released
    assert (await house.now(job)).attempt == 0


async def test_a_start_that_fails_after_a_cancel_is_the_end_of_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answered = slow_start(house, monkeypatch, RendererUnavailable(reason="away"))
    job = await house.admitted()
    running = house.run(job)
    await asked.wait()
    await house.queue.cancel(job.id)
    running.cancel()
    answered.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await house.status(job) is JobStatus.CANCELLED


async def test_a_render_whose_start_could_not_be_written_down_is_stopped(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: object, **__: object) -> bool:
        raise RedisConnectionError

    monkeypatch.setattr(Lifecycle, "begin_attempt", refused)
    job = await house.admitted()
    with pytest.raises(Retry):
        await house.run(job)
    assert house.renderer.released == ["puppet-0"]
    assert (await house.now(job)).attempt == 0


async def test_progress_does_not_go_back_when_somebody_re_attaches(house: House) -> None:
    job = await house.admitted()
    first = await house.drawing(job, 0.6)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    second = house.run(job)
    for fraction in (0.2, 0.6, 0.7):
        house.renderer.report("puppet-0", fraction)
    house.renderer.finish("puppet-0")
    await second
    told = [e.data["progress"] for e in await Events(house.redis).after("0-0") if e.type is EventType.JOB_PROGRESSED]
    assert told == [60.0, 70.0]


async def test_a_cancel_at_the_last_moment_leaves_no_clip_and_no_files(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await house.admitted()
    put = Storage.put

    async def put_and_cancel(storage: Storage, *files: object) -> None:
        await put(storage, *files)  # type: ignore[arg-type]
        await house.queue.cancel(job.id)

    monkeypatch.setattr(Storage, "put", put_and_cancel)
    running = house.run(job)
    await house.renderer.started(1)
    house.renderer.finish("puppet-0")
    await running
    assert await house.status(job) is JobStatus.CANCELLED
    assert [clip async for clip in Storage.open(house.settings).sidecars()] == []
    assert await Gallery(house.redis).newest(10) == []


async def test_stopping_a_worker_whose_renders_die_with_it_costs_no_attempt(house: House) -> None:
    house.renderer.outlives_worker = False
    job = await house.admitted()
    running = await house.drawing(job)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    now = await house.now(job)
    assert (now.status, now.attempt, now.handle) == (JobStatus.STARTING, 0, None)
    assert house.renderer.cancelled == ["puppet-0"]


async def test_an_attempt_is_given_back_even_if_the_render_takes_longer_to_stop_than_the_worker(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a render that is in the middle of a long step
    house.renderer.outlives_worker = False
    stopping = asyncio.Event()

    async def release(_: str) -> None:
        stopping.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(house.renderer, "release", release)
    job = await house.admitted()
    running = await house.drawing(job)
    # When the worker is asked to stop, and asks again, as it does every second
    running.cancel()
    await stopping.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    # Then the attempt is not counted
    now = await house.now(job)
    assert (now.status, now.attempt, now.handle) == (JobStatus.STARTING, 0, None)


async def test_a_cancel_stops_the_render_and_ends_the_job_as_cancelled(house: House) -> None:
    job = await house.admitted()
    running = await house.drawing(job)
    assert await house.queue.cancel(job.id) == "cancelling"
    running.cancel()  # what arq does when it reads its abort set
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await house.status(job) is JobStatus.CANCELLED
    assert house.renderer.cancelled == ["puppet-0"]


async def test_a_cancel_that_nobody_heard_is_seen_at_the_next_report(house: House) -> None:
    job = await house.admitted()
    running = await house.drawing(job)
    assert await house.queue.cancel(job.id) == "cancelling"
    house.renderer.report("puppet-0", 0.5)
    await running
    assert await house.status(job) is JobStatus.CANCELLED
    assert house.renderer.cancelled == ["puppet-0"]


async def test_a_job_that_was_cancelled_before_it_began_is_not_rendered(house: House) -> None:
    job = await house.admitted()
    assert await house.queue.cancel(job.id) == "cancelling"
    await house.run(job)
    assert await house.status(job) is JobStatus.CANCELLED
    assert house.renderer.requests == []
