"""What every renderer promises, run on every renderer."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import av
import pytest
import pytest_asyncio

from sakuga.engine import Progress, RenderRequest
from sakuga.errors import RenderCancelled, RenderError, RenderFailed, RenderLost
from sakuga.settings import Settings
from tests.fakes.modal import FakeModal
from tests.fakes.modal_calls import Container
from tests.fakes.modal_gpu import draw, failed
from worker.renderers import Renderer
from worker.renderers.local import LocalRenderer
from worker.renderers.modal import ModalRenderer
from worker.renderers.rehearsal import RehearsalRenderer

pytestmark = pytest.mark.asyncio(loop_scope="module")

ONE_STEP_S = 8.0  # of a real pipeline, on a CPU that does other things too
NUMBERS = itertools.count(1)


@asynccontextmanager
async def rehearsal(folder: Path) -> AsyncIterator[Renderer]:
    yield RehearsalRenderer(Settings(var_dir=folder, rehearsal_seconds=0))


@asynccontextmanager
async def local(folder: Path) -> AsyncIterator[Renderer]:
    """A real pipeline of diffusers with tiny random weights, on this CPU."""
    yield LocalRenderer(Settings(var_dir=folder, weights_dir=folder / "weights", engines=["tiny"]))


@asynccontextmanager
async def modal(folder: Path) -> AsyncIterator[Renderer]:
    """The real client in front of a fake Modal."""

    def refuse(container: Container, job: dict[str, Any]) -> dict[str, Any]:
        return draw(container, job) if job["width"] > 100 else failed(RenderFailed(reason="too narrow"))

    async with FakeModal({"Rehearsal.render": refuse}) as fake, fake.client() as client:
        yield ModalRenderer(Settings(var_dir=folder, engines=["rehearsal"]), client)


@pytest_asyncio.fixture(
    scope="module", loop_scope="module", params=[rehearsal, local, modal], ids=lambda opened: opened.__name__
)
async def renderer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Renderer]:
    """A renderer that has said what it can do, as the worker asks it at its start. It stays for all tests."""
    async with request.param(tmp_path_factory.mktemp(request.param.__name__)) as renderer:
        await renderer.specs()
        yield renderer
        await renderer.close()


@pytest_asyncio.fixture(loop_scope="module")
async def request_(renderer: Renderer) -> RenderRequest:
    """A request for a few frames by the renderer's first engine; each test has a job of its own."""
    spec = (await renderer.specs())[0]
    width, height = spec.sizes[0]
    number = next(NUMBERS)
    return RenderRequest(
        job_id=f"job_{number}",
        number=number,
        attempt=1,
        engine=spec.name,
        prompt="girl with sword, neon rain",
        style="neon",
        seed=7,
        width=width,
        height=height,
        num_frames=2 * spec.frame_step + 1,
        fps=spec.fps,
    )


async def _first(reports: AsyncIterator[Progress]) -> Progress:
    return await anext(aiter(reports))


async def test_every_engine_keeps_its_own_frame_rule(renderer: Renderer) -> None:
    for spec in await renderer.specs():
        assert spec.shortest_s <= spec.default_s <= spec.longest_s
        assert (spec.num_frames(spec.default_s) - 1) % spec.frame_step == 0


async def test_a_renderer_that_was_warmed_says_so_once_it_has_drawn(
    renderer: Renderer, request_: RenderRequest
) -> None:
    for _ in range(2):
        await renderer.warm()
    await renderer.result(await renderer.start(request_))
    assert (await renderer.readiness()).warm


async def test_a_render_makes_the_video_that_was_asked_for_and_says_so(
    renderer: Renderer, request_: RenderRequest
) -> None:
    result = await renderer.result(await renderer.start(request_))
    assert (result.width, result.height, result.num_frames) == (request_.width, request_.height, request_.num_frames)
    with av.open(result.video_path) as container:
        stream = container.streams.video[0]
        assert (stream.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height, stream.frames) == (result.width, result.height, result.num_frames)
        assert (float(stream.average_rate), bool(container.streams.audio)) == (result.fps, result.has_sound)
    assert (await asyncio.to_thread(Path(result.poster_path).read_bytes))[:2] == b"\xff\xd8"


async def test_a_result_says_where_and_with_what_it_was_drawn(renderer: Renderer, request_: RenderRequest) -> None:
    result = await renderer.result(await renderer.start(request_))
    assert result.renderer == renderer.name
    assert result.making
    assert (result.making.engine, result.making.preset) == (request_.engine, request_.preset)


async def test_reports_never_go_back_and_carry_previews(renderer: Renderer, request_: RenderRequest) -> None:
    spec = (await renderer.specs())[0]
    longer = request_.model_copy(update={"num_frames": spec.num_frames(spec.shortest_s)})
    reports = await _all(renderer.watch(await renderer.start(longer)))
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


async def test_a_watch_may_be_left_and_begun_again(renderer: Renderer, request_: RenderRequest) -> None:
    handle = await renderer.start(request_)
    left = await _first(renderer.watch(handle))
    again = [report async for report in renderer.watch(handle)]
    assert (again[0], again[-1].fraction) == (left, 1.0)


async def test_a_cancel_returns_when_the_render_has_stopped_for_good(
    renderer: Renderer, request_: RenderRequest
) -> None:
    handle = await renderer.start(request_)
    watching = asyncio.create_task(_all(renderer.watch(handle)))
    await _first(renderer.watch(handle))
    async with asyncio.timeout(ONE_STEP_S):
        await renderer.cancel(handle)
        with pytest.raises(RenderCancelled):
            await renderer.result(handle)
        await watching
    await renderer.cancel(handle)


async def _all(reports: AsyncIterator[Progress]) -> list[Progress]:
    return [report async for report in reports]


async def test_who_gives_up_waiting_can_still_stop_the_render(renderer: Renderer, request_: RenderRequest) -> None:
    handle = await renderer.start(request_)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await renderer.result(handle)
    async with asyncio.timeout(ONE_STEP_S):
        await renderer.release(handle)
    with pytest.raises(RenderLost):
        await renderer.result(handle)


async def test_the_render_after_a_cancelled_one_is_as_it_would_have_been(
    renderer: Renderer, request_: RenderRequest
) -> None:
    jobs = [request_.model_copy(update={"job_id": f"{request_.job_id}{name}"}) for name in "abc"]
    undisturbed = await renderer.result(await renderer.start(jobs[0]))
    stopped = await renderer.start(jobs[1])
    await _first(renderer.watch(stopped))
    await renderer.cancel(stopped)
    result = await renderer.result(await renderer.start(jobs[2]))
    with av.open(undisturbed.video_path) as before, av.open(result.video_path) as after:
        frames = [[f.to_ndarray() for f in film.decode(video=0)] for film in (before, after)]
    assert len(frames[0]) == len(frames[1])
    assert all((one == other).all() for one, other in zip(*frames, strict=True))


async def test_two_renders_at_a_time_do_not_mix(renderer: Renderer, request_: RenderRequest) -> None:
    other = request_.model_copy(
        update={"job_id": f"{request_.job_id}b", "prompt": "robot cat", "num_frames": request_.num_frames + 4}
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
    for _ in range(2):
        await renderer.release(handle)
        assert not await asyncio.to_thread(Path(result.video_path).exists)
        with pytest.raises(RenderLost):
            await renderer.result(handle)


async def test_a_request_that_no_engine_can_draw_fails_with_a_reason(
    renderer: Renderer, request_: RenderRequest
) -> None:
    with pytest.raises(RenderFailed):
        await renderer.result(await renderer.start(request_.model_copy(update={"engine": "nobody"})))


async def test_what_fails_in_the_engine_fails_with_its_error_and_the_next_is_drawn(
    renderer: Renderer, request_: RenderRequest
) -> None:
    # Given a request that every engine here refuses: one draws from words alone, the others are of one size
    impossible = request_.model_copy(update={"job_id": f"{request_.job_id}b", "image": "nowhere.png", "width": 100})
    handle = await renderer.start(impossible)
    with pytest.raises(RenderError) as caught:
        await renderer.result(handle)
    # Then trying it again is no use, and who watches is not left waiting
    assert not caught.value.retryable
    await _all(renderer.watch(handle))
    # And the next one is drawn
    result = await renderer.result(await renderer.start(request_))
    assert result.num_frames == request_.num_frames


async def test_a_renderer_that_was_cooled_still_draws(renderer: Renderer, request_: RenderRequest) -> None:
    for _ in range(2):
        await renderer.cool()
    await renderer.result(await renderer.start(request_))
