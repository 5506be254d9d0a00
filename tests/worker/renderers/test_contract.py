"""What every renderer promises, run on every renderer."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import av
import pytest

from sakuga.engine import Progress, RenderRequest
from sakuga.errors import RenderCancelled, RenderFailed, RenderLost
from sakuga.settings import Settings
from worker.renderers import Renderer
from worker.renderers.rehearsal import RehearsalRenderer


@pytest.fixture(params=[RehearsalRenderer])
async def renderer(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Renderer]:
    renderer: Renderer = request.param(Settings(var_dir=tmp_path, rehearsal_seconds=0))
    yield renderer
    await renderer.close()


@pytest.fixture
async def request_(renderer: Renderer) -> RenderRequest:
    """The shortest clip that the renderer's first engine draws."""
    spec = (await renderer.specs())[0]
    width, height = spec.sizes[0]
    return RenderRequest(
        job_id="job_1",
        number=42,
        attempt=1,
        engine=spec.name,
        prompt="girl with sword, neon rain",
        style="neon",
        seed=7,
        width=width,
        height=height,
        num_frames=spec.num_frames(spec.shortest_s),
        fps=spec.fps,
    )


async def test_every_engine_keeps_its_own_frame_rule(renderer: Renderer) -> None:
    for spec in await renderer.specs():
        assert spec.shortest_s <= spec.default_s <= spec.longest_s
        assert (spec.num_frames(spec.default_s) - 1) % spec.frame_step == 0


async def test_a_render_makes_the_video_that_was_asked_for(renderer: Renderer, request_: RenderRequest) -> None:
    handle = await renderer.start(request_)
    result = await renderer.result(handle)
    assert (result.width, result.height, result.num_frames) == (request_.width, request_.height, request_.num_frames)
    with av.open(result.video_path) as container:
        stream = container.streams.video[0]
        assert (stream.name, stream.pix_fmt, stream.frames) == ("h264", "yuv420p", request_.num_frames)
    assert (await asyncio.to_thread(Path(result.poster_path).read_bytes))[:2] == b"\xff\xd8"


async def test_reports_never_go_back_and_carry_previews(renderer: Renderer, request_: RenderRequest) -> None:
    handle = await renderer.start(request_)
    reports = [report async for report in renderer.watch(handle)]
    assert [r.sequence for r in reports] == sorted({r.sequence for r in reports})
    assert [r.fraction for r in reports] == sorted(r.fraction for r in reports)
    assert {r.stage for r in reports} >= {"denoise", "decode"}
    previews = [r.preview for r in reports if r.preview]
    assert previews
    assert all(preview.startswith(b"\xff\xd8") for preview in previews)


async def test_a_second_watcher_sees_all_from_the_start(renderer: Renderer, request_: RenderRequest) -> None:
    handle = await renderer.start(request_)
    first = [report.sequence async for report in renderer.watch(handle)]
    assert [report.sequence async for report in renderer.watch(handle)] == first


async def _first(reports: AsyncIterator[Progress]) -> Progress:
    return await anext(aiter(reports))


async def test_a_cancel_stops_the_render_at_once_and_for_good(renderer: Renderer, request_: RenderRequest) -> None:
    handle = await renderer.start(request_)
    await _first(renderer.watch(handle))
    async with asyncio.timeout(1):
        await renderer.cancel(handle)
    with pytest.raises(RenderCancelled):
        await renderer.result(handle)
    await renderer.cancel(handle)


async def test_two_renders_at_a_time_do_not_mix(renderer: Renderer, request_: RenderRequest) -> None:
    other = request_.model_copy(
        update={"job_id": "job_2", "prompt": "robot cat", "num_frames": request_.num_frames + 4}
    )
    handles = [await renderer.start(request_), await renderer.start(other)]
    results = [await renderer.result(handle) for handle in handles]
    assert [result.num_frames for result in results] == [request_.num_frames, other.num_frames]
    assert results[0].video_path != results[1].video_path


async def test_an_unknown_handle_is_lost_and_may_be_cancelled_or_released(renderer: Renderer) -> None:
    with pytest.raises(RenderLost):
        await _first(renderer.watch("nobody"))
    with pytest.raises(RenderLost):
        await renderer.result("nobody")
    await renderer.cancel("nobody")
    await renderer.release("nobody")


async def test_a_released_render_leaves_no_files(renderer: Renderer, request_: RenderRequest) -> None:
    handle = await renderer.start(request_)
    result = await renderer.result(handle)
    await renderer.release(handle)
    assert not await asyncio.to_thread(Path(result.video_path).exists)
    with pytest.raises(RenderLost):
        await renderer.result(handle)


async def test_a_request_that_no_engine_can_draw_fails_with_a_reason(
    renderer: Renderer, request_: RenderRequest
) -> None:
    handle = await renderer.start(request_.model_copy(update={"engine": "nobody"}))
    with pytest.raises(RenderFailed):
        await renderer.result(handle)
