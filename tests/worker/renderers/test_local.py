"""The resident child when things go wrong in it. The contract suite has what goes well, on a real pipeline."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from sakuga.engine import RenderRequest
from sakuga.errors import (
    GpuMemoryExhausted,
    RenderCancelled,
    RendererUnavailable,
    RenderFailed,
    RenderLost,
    SettingsInvalid,
)
from sakuga.settings import Settings
from worker.renderers import Readiness, card, child, local
from worker.renderers.local import LocalRenderer

LIMIT_S = 20


@pytest.fixture(autouse=True)
def _moody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "COMMAND", (sys.executable, "-m", "tests.fakes.moody"))


@pytest.fixture
async def renderer(tmp_path: Path) -> AsyncIterator[LocalRenderer]:
    renderer = LocalRenderer(Settings(var_dir=tmp_path, engines=["moody"]))
    yield renderer
    await renderer.close()


def ask(prompt: str = "robot cat", **more: object) -> RenderRequest:
    fields: dict[str, object] = {
        "job_id": "job_1",
        "number": 1,
        "attempt": 1,
        "engine": "moody",
        "style": "anime",
        "seed": 7,
        "width": 64,
        "height": 48,
        "num_frames": 9,
        "fps": 8,
    }
    return RenderRequest.model_validate(fields | {"prompt": prompt} | more)


async def process_of(renderer: LocalRenderer) -> int:
    """Draw something and return the id of the process that did."""
    result = await renderer.result(await renderer.start(ask()))
    assert result.making
    return int(result.making.device)


def gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


async def begun(renderer: LocalRenderer, prompt: str) -> str:
    """Start a render and return when the engine is at it."""
    handle = await renderer.start(ask(prompt))
    async for report in renderer.watch(handle):
        if report.stage == "denoise":
            break
    return handle


async def test_one_process_draws_them_all(renderer: LocalRenderer) -> None:
    assert await process_of(renderer) == await process_of(renderer)


async def test_a_card_that_answers_no_more_is_a_reason_to_try_again_in_a_fresh_process(
    renderer: LocalRenderer,
) -> None:
    before = await process_of(renderer)
    with pytest.raises(RenderLost):
        await renderer.result(await renderer.start(ask("short")))
    assert await process_of(renderer) != before
    assert gone(before)


async def test_after_a_failure_that_nobody_foresaw_the_engine_is_loaded_anew(renderer: LocalRenderer) -> None:
    before = await process_of(renderer)
    with pytest.raises(RenderFailed, match="KeyError"):
        await renderer.result(await renderer.start(ask("stumble")))
    result = await renderer.result(await renderer.start(ask()))
    assert result.making
    assert (int(result.making.device), result.making.revision) == (before, "2")


async def test_a_folder_that_can_not_be_written_fails_one_render_and_no_process(renderer: LocalRenderer) -> None:
    before = await process_of(renderer)
    first = await begun(renderer, "wait")
    handle = await renderer.start(ask())
    folder = renderer._renders[handle].folder
    await asyncio.to_thread(folder.rmdir)
    await asyncio.to_thread(folder.touch)
    await renderer.cancel(first)
    with pytest.raises(RenderFailed, match="File exists"):
        await renderer.result(handle)
    assert await process_of(renderer) == before


async def test_a_full_card_is_a_reason_to_try_again_in_a_fresh_process(renderer: LocalRenderer) -> None:
    before = await process_of(renderer)
    with pytest.raises(GpuMemoryExhausted) as caught:
        await renderer.result(await renderer.start(ask("burn")))
    assert caught.value.retryable
    assert await process_of(renderer) != before
    assert gone(before)


async def test_a_process_that_dies_loses_what_it_drew_and_the_next_is_drawn_by_another(
    renderer: LocalRenderer,
) -> None:
    before = await process_of(renderer)
    handles = [await renderer.start(ask("die")), await renderer.start(ask())]
    with capture_logs() as logs, pytest.raises(RenderLost):
        await renderer.result(handles[0])
    assert [(line["event"], line["status"]) for line in logs] == [("renderer.died", 9)]
    result = await renderer.result(handles[1])
    assert result.making
    assert result.making.device != str(before)


async def test_a_process_that_says_something_unreadable_is_ended(
    renderer: LocalRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await renderer.specs()
    with monkeypatch.context() as patch:
        patch.setattr(child, "COMMAND", (sys.executable, "-c", "print('{', flush=True); import time; time.sleep(60)"))
        with pytest.raises(RenderFailed, match="unreadable"):
            await renderer.result(await renderer.start(ask()))
    assert await process_of(renderer)


async def test_a_cancel_that_is_obeyed_keeps_the_process(renderer: LocalRenderer) -> None:
    before = await process_of(renderer)
    handle = await begun(renderer, "wait")
    await renderer.cancel(handle)
    with pytest.raises(RenderCancelled):
        await renderer.result(handle)
    assert await process_of(renderer) == before


async def test_a_cancel_that_is_ignored_ends_the_process(
    renderer: LocalRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "PATIENCE_S", (0.2, 0.2))
    before = await process_of(renderer)
    handle = await begun(renderer, "hang")
    async with asyncio.timeout(2):
        await renderer.cancel(handle)
    with pytest.raises(RenderCancelled):
        await renderer.result(handle)
    assert gone(before)
    assert await process_of(renderer) != before


async def test_renders_wait_for_their_turn_and_one_that_waits_is_cancelled_at_once(renderer: LocalRenderer) -> None:
    # Given one that is drawn and two that wait
    first = await begun(renderer, "wait")
    second, third = [await renderer.start(ask(job_id=f"job_{number}")) for number in (2, 3)]
    # When one of those that wait is cancelled
    async with asyncio.timeout(0.2):
        await renderer.cancel(second)
        with pytest.raises(RenderCancelled):
            await renderer.result(second)
    # Then the other is drawn when the first has ended
    await renderer.cancel(first)
    assert (await renderer.result(third)).num_frames == 9


async def test_warming_loads_the_first_engine_and_cooling_ends_the_process(renderer: LocalRenderer) -> None:
    assert not (await renderer.readiness()).warm
    await renderer.warm()
    assert (await renderer.readiness()).warm
    process = await process_of(renderer)
    await renderer.cool()
    assert not (await renderer.readiness()).warm
    assert gone(process)


async def test_an_engine_that_is_too_large_can_not_be_warmed_and_leaves_no_process(tmp_path: Path) -> None:
    renderer = LocalRenderer(Settings(var_dir=tmp_path, engines=["heavy"]))
    with pytest.raises(GpuMemoryExhausted):
        await renderer.warm()
    assert renderer._child is None
    await renderer.close()


async def test_a_model_that_does_not_load_in_time_is_given_up_and_holds_nobody_up(tmp_path: Path) -> None:
    renderer = LocalRenderer(Settings(var_dir=tmp_path, engines=["slow", "moody"], render_timeout=1))
    with pytest.raises(RendererUnavailable, match="does not load"):
        await renderer.warm()
    async with asyncio.timeout(LIMIT_S):
        assert await process_of(renderer)
    await renderer.close()


async def test_closing_ends_the_process_and_leaves_no_files(renderer: LocalRenderer, tmp_path: Path) -> None:
    process = await process_of(renderer)
    await begun(renderer, "hang")
    await renderer.start(ask())
    async with asyncio.timeout(2):
        await renderer.close()
    assert gone(process)
    assert not list((tmp_path / "renders").iterdir())


async def test_an_engine_that_does_not_exist_is_a_mistake_in_the_settings(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="SAKUGA_ENGINES: there is no engine 'wan9'"):
        await LocalRenderer(Settings(var_dir=tmp_path, engines=["moody", "wan9"])).specs()


async def test_without_weights_it_says_how_to_fetch_some(tmp_path: Path) -> None:
    with pytest.raises(RendererUnavailable, match="python -m sakuga gpu weights"):
        await LocalRenderer(Settings(var_dir=tmp_path, weights_dir=tmp_path)).specs()


async def test_without_torch_it_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "find_spec", lambda _name: None)
    with pytest.raises(RendererUnavailable, match="make demo RENDERER=local"):
        await LocalRenderer(Settings(var_dir=tmp_path, engines=["heavy"])).start(ask(engine="heavy"))


async def test_without_a_card_an_engine_that_needs_one_is_not_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card, "LOOK", ("false",))
    with pytest.raises(RendererUnavailable, match="no card"):
        await LocalRenderer(Settings(var_dir=tmp_path, engines=["moody", "real"])).specs()


async def test_the_card_is_known_before_anything_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card, "LOOK", ("printf", "NVIDIA L4\n"))
    renderer = LocalRenderer(Settings(var_dir=tmp_path, engines=["real"]))
    await renderer.specs()
    assert await renderer.readiness() == Readiness(gpu="NVIDIA L4", warm=False)


async def test_a_process_that_can_not_be_started_is_an_unavailable_renderer(
    renderer: LocalRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await renderer.specs()
    monkeypatch.setattr(child, "COMMAND", ("/nonexistent/python",))
    with pytest.raises(RendererUnavailable):
        await renderer.result(await renderer.start(ask()))
