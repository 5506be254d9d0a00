"""The render task without arq: what it does to a job when renders go well or badly."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from sakuga.engine import Cost, Making
from sakuga.errors import RendererUnavailable, RenderFailed, StorageUnavailable
from sakuga.gallery import Gallery
from sakuga.job import JobStatus
from sakuga.lifecycle import Lifecycle
from sakuga.storage import Storage
from tests.fakes.renderer import SPEC
from tests.worker.conftest import House


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


async def test_the_clip_says_what_drew_it_even_if_a_fall_back_did(house: House) -> None:
    making = Making(engine="ltx-video-2b", preset="draft", device="NVIDIA H100")
    cost = Cost(gpu="H100", seconds=8.4, usd=0.0092)
    house.renderer.made = {"renderer": "local", "making": making, "cost": cost}
    job = await house.admitted()
    running = house.run(job)
    await house.renderer.started(1)
    house.renderer.finish("puppet-0")
    with capture_logs() as logs:
        await running
    (clip,) = [clip async for clip in Storage.open(house.settings).sidecars()]
    assert (clip.engine, clip.preset, clip.renderer) == ("ltx-video-2b", "draft", "local")
    assert (clip.making, clip.cost) == (making, cost)
    (line,) = [line for line in logs if line["event"] == "job.succeeded"]
    assert (line["engine"], line["renderer"], line["gpu"], line["usd"]) == ("ltx-video-2b", "local", "H100", 0.0092)


async def test_a_job_for_an_engine_that_is_gone_fails_with_a_reason(house: House) -> None:
    job = await house.admitted(engine="wan")
    await house.run(job)
    now = await house.now(job)
    assert now.error is not None
    assert "there is no engine wan here" in now.error.message


async def test_the_handle_is_stored_before_anything_is_watched(house: House) -> None:
    job = await house.admitted()
    await house.drawing(job)
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


async def test_a_render_that_takes_too_long_is_stopped_and_fails(house: House) -> None:
    house.settings = house.settings.model_copy(update={"render_timeout": timedelta(seconds=0.05)})
    job = await house.admitted()
    await house.run(job)
    now = await house.now(job)
    assert now.error is not None
    assert now.error.code == "render_timed_out"
    assert house.renderer.cancelled == ["puppet-0"]


async def test_waiting_for_a_model_is_not_taken_for_drawing(house: House) -> None:
    # Given a limit that a render keeps to, but not together with the wait before it
    house.settings = house.settings.model_copy(update={"render_timeout": timedelta(seconds=1)})
    job = await house.admitted()
    running = house.run(job)
    await house.renderer.started(1)
    await asyncio.sleep(0.6)
    house.renderer.report("puppet-0", 0.1)
    # When it is drawn in time
    await asyncio.sleep(0.6)
    house.renderer.finish("puppet-0")
    # Then it is a clip
    await running
    assert await house.status(job) is JobStatus.SUCCEEDED


async def test_a_clip_that_can_not_be_stored_at_once_is_stored_later_and_not_drawn_anew(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, failures = Storage.put, [StorageUnavailable(reason="502")] * 2

    async def unsteady(storage: Storage, *files: object) -> None:
        if failures:
            raise failures.pop()
        await put(storage, *files)  # type: ignore[arg-type]

    monkeypatch.setattr(Storage, "put", unsteady)
    job = await house.admitted()
    running = house.run(job)
    await house.renderer.started(1)
    house.renderer.finish("puppet-0")
    await running
    assert await house.status(job) is JobStatus.SUCCEEDED
    assert len(house.renderer.requests) == 1


async def test_while_there_is_no_storage_nothing_is_drawn_twice(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise StorageUnavailable(reason="no such bucket")

    monkeypatch.setattr(Storage, "put", away)
    job = await house.admitted()
    running = house.run(job)
    await house.renderer.started(1)
    house.renderer.finish("puppet-0")
    await running
    now = await house.now(job)
    assert now.error is not None
    assert (now.error.code, len(house.renderer.requests)) == ("storage_unavailable", 1)


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
