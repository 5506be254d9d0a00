"""The render task without arq: what it does to a job when renders go well, badly, or are cut short."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from arq.constants import in_progress_key_prefix
from arq.worker import Retry
from redis.exceptions import ConnectionError as RedisConnectionError

from sakuga import store
from sakuga.catalog import Catalog
from sakuga.errors import RendererUnavailable, RenderFailed
from sakuga.event import EventType
from sakuga.events import Events
from sakuga.gallery import Gallery
from sakuga.job import Job, JobStatus
from sakuga.lifecycle import Lifecycle
from sakuga.queue import Queue
from sakuga.settings import Settings
from sakuga.storage import Storage
from tests.fakes.jobs import happened, submitted
from tests.fakes.renderer import SPEC, PuppetRenderer
from worker.render import RenderTask


@dataclass
class House:
    """A worker's parts around a puppet renderer."""

    redis: store.Client
    settings: Settings
    renderer: PuppetRenderer
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def queue(self) -> Queue:
        return Queue(self.redis)

    async def admitted(self) -> Job:
        await self.queue.configure(slots=4)
        job = await submitted(self.queue)
        await self.queue.admit()
        await self.redis.set(in_progress_key_prefix + job.id, "1")
        return job

    def run(self, job: Job) -> asyncio.Task[None]:
        task = RenderTask(
            lifecycle=Lifecycle(self.redis),
            renderer=self.renderer,
            specs={SPEC.name: SPEC},
            catalog=Catalog(),
            storage=Storage.open(self.settings),
            settings=self.settings,
        )
        self.tasks.append(asyncio.create_task(task.run({}, job.id)))
        return self.tasks[-1]

    async def status(self, job: Job) -> JobStatus:
        return (await self.now(job)).status

    async def now(self, job: Job) -> Job:
        return (await self.queue.look(job.id))[0]


@pytest.fixture
async def house(redis: store.Client, settings: Settings, tmp_path: Path) -> AsyncIterator[House]:
    house = House(redis, settings, PuppetRenderer(tmp_path))
    yield house
    for task in house.tasks:
        task.cancel()
    await asyncio.gather(*house.tasks, return_exceptions=True)


async def test_a_render_that_goes_well_ends_in_a_stored_clip(house: House) -> None:
    job = await house.admitted()
    running = house.run(job)
    await house.renderer.started(1)
    house.renderer.report("puppet-0", 0.5)
    house.renderer.finish("puppet-0")
    await running
    now = await house.now(job)
    assert (now.status, now.attempt, now.progress) == (JobStatus.SUCCEEDED, 1, 100)
    clip = await Gallery(house.redis).get(str(now.clip_id))
    assert (clip.width, clip.height, clip.num_frames, clip.renderer) == (64, 48, 41, "puppet")
    assert await Storage.open(house.settings).size(clip.video_key) == clip.bytes
    assert house.renderer.released == ["puppet-0"]


async def test_the_renderer_is_asked_for_what_the_viewer_and_the_style_say(house: House) -> None:
    job = await house.admitted()
    house.run(job)
    await house.renderer.started(1)
    request = house.renderer.requests[0]
    assert (request.prompt, request.seed, request.requested_by) == (job.prompt, 7, "Mika")
    assert request.style_prompt.startswith("anime style")
    assert (request.num_frames - 1) % SPEC.frame_step == 0


async def test_the_handle_is_stored_before_anything_is_watched(house: House) -> None:
    job = await house.admitted()
    house.run(job)
    await house.renderer.started(1)
    house.renderer.report("puppet-0", 0.1)
    await happened(house.redis, EventType.JOB_STARTED)
    assert (await house.now(job)).handle == "puppet-0"


async def test_a_lost_render_is_drawn_again_and_then_counts_as_one_attempt_more(house: House) -> None:
    job = await house.admitted()
    running = house.run(job)
    await house.renderer.started(1)
    house.renderer.forget("puppet-0")
    await house.renderer.started(2)
    house.renderer.finish("puppet-1")
    await running
    now = await house.now(job)
    assert (now.status, now.attempt) == (JobStatus.SUCCEEDED, 2)


async def test_a_failed_render_is_not_tried_again_and_says_why(house: House) -> None:
    job = await house.admitted()
    running = house.run(job)
    await house.renderer.started(1)
    house.renderer.break_with("puppet-0", RenderFailed(reason="out of memory"))
    await running
    now = await house.now(job)
    assert (now.status, now.attempt) == (JobStatus.FAILED, 1)
    assert now.error is not None
    assert now.error.code == "render_failed"


async def test_attempts_come_to_an_end_and_the_last_reason_is_told(house: House) -> None:
    job = await house.admitted()
    house.renderer.broken_start = RendererUnavailable(reason="no GPU")
    await house.run(job)
    now = await house.now(job)
    assert (now.status, now.attempt) == (JobStatus.FAILED, 2)
    assert now.error is not None
    assert now.error.code == "renderer_unavailable"


async def test_a_second_worker_re_attaches_and_nothing_is_rendered_twice(house: House) -> None:
    job = await house.admitted()
    first = house.run(job)
    await house.renderer.started(1)
    house.renderer.report("puppet-0", 0.4)
    await happened(house.redis, EventType.JOB_STARTED)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert (await house.now(job)).handle == "puppet-0"
    second = house.run(job)
    house.renderer.finish("puppet-0")
    await second
    assert await house.status(job) is JobStatus.SUCCEEDED
    assert len(house.renderer.requests) == 1


async def test_two_runs_of_one_render_make_one_clip_and_keep_its_files(house: House) -> None:
    job = await house.admitted()
    first = house.run(job)
    await house.renderer.started(1)
    house.renderer.report("puppet-0", 0.4)
    await happened(house.redis, EventType.JOB_STARTED)
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
    old = house.run(job)
    await house.renderer.started(1)
    house.renderer.report("puppet-0", 0.4)
    await happened(house.redis, EventType.JOB_STARTED)
    overtaking = (await house.now(job)).model_copy(update={"attempt": 2, "handle": "elsewhere"})
    assert await Lifecycle(house.redis).begin_attempt(overtaking)
    old.cancel()
    await asyncio.gather(old, return_exceptions=True)
    now = await house.now(job)
    assert (now.attempt, now.handle) == (2, "elsewhere")
    assert house.renderer.released == ["puppet-0"]


async def test_a_render_whose_start_could_not_be_written_down_is_stopped(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: object) -> bool:
        raise RedisConnectionError

    monkeypatch.setattr(Lifecycle, "begin_attempt", refused)
    job = await house.admitted()
    with pytest.raises(Retry):
        await house.run(job)
    assert house.renderer.released == ["puppet-0"]
    assert (await house.now(job)).attempt == 0


async def test_progress_does_not_go_back_when_somebody_re_attaches(house: House) -> None:
    job = await house.admitted()
    first = house.run(job)
    await house.renderer.started(1)
    house.renderer.report("puppet-0", 0.6)
    await happened(house.redis, EventType.JOB_STARTED)
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
    running = house.run(job)
    await house.renderer.started(1)
    house.renderer.report("puppet-0", 0.4)
    await happened(house.redis, EventType.JOB_STARTED)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    now = await house.now(job)
    assert (now.status, now.attempt, now.handle) == (JobStatus.STARTING, 0, None)
    assert house.renderer.cancelled == ["puppet-0"]


async def test_a_cancel_stops_the_render_and_ends_the_job_as_cancelled(house: House) -> None:
    job = await house.admitted()
    running = house.run(job)
    await house.renderer.started(1)
    house.renderer.report("puppet-0", 0.4)
    await happened(house.redis, EventType.JOB_STARTED)
    assert await house.queue.cancel(job.id) == "cancelling"
    running.cancel()  # what arq does when it reads its abort set
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await house.status(job) is JobStatus.CANCELLED
    assert house.renderer.cancelled == ["puppet-0"]


async def test_a_cancel_that_nobody_heard_is_seen_at_the_next_report(house: House) -> None:
    job = await house.admitted()
    running = house.run(job)
    await house.renderer.started(1)
    house.renderer.report("puppet-0", 0.4)
    await happened(house.redis, EventType.JOB_STARTED)
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


async def test_a_render_that_takes_too_long_is_stopped_and_fails(house: House) -> None:
    house.settings = house.settings.model_copy(update={"render_timeout": timedelta(seconds=0.05)})
    job = await house.admitted()
    await house.run(job)
    now = await house.now(job)
    assert now.error is not None
    assert now.error.code == "render_timed_out"
    assert house.renderer.cancelled == ["puppet-0"]


async def test_a_file_that_can_not_be_played_is_never_a_clip(house: House) -> None:
    job = await house.admitted()
    running = house.run(job)
    await house.renderer.started(1)
    result = house.renderer._video(house.renderer.requests[0])
    await asyncio.to_thread(Path(result.video_path).write_bytes, b"not a video")
    for attempt in range(2):
        await house.renderer.started(attempt + 1)
        house.renderer._renders[f"puppet-{attempt}"].put_nowait(result)
    await running
    now = await house.now(job)
    assert now.error is not None
    assert now.error.code == "clip_unplayable"
    assert await Gallery(house.redis).newest(10) == []


async def test_an_unknown_or_ended_job_is_left_alone(house: House) -> None:
    job = await house.admitted()
    await Lifecycle(house.redis).fail(job, RenderFailed(reason="x"))
    await house.run(job)
    await house.run(job.model_copy(update={"id": "job_nobody"}))
    assert house.renderer.requests == []
