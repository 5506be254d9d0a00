import asyncio
import os
from pathlib import Path
from time import monotonic

import pytest

from sakuga.engine import RenderRequest
from sakuga.errors import RenderLost
from sakuga.settings import Settings
from worker.renderers.child import Child
from worker.renderers.rehearsal import RehearsalRenderer

REQUEST = RenderRequest(
    job_id="job_1",
    number=1,
    attempt=1,
    engine="rehearsal",
    prompt="robot cat",
    style="anime",
    seed=7,
    width=832,
    height=480,
    num_frames=33,
    fps=16,
)


async def test_the_pace_of_the_settings_is_kept(tmp_path: Path) -> None:
    renderer = RehearsalRenderer(Settings(var_dir=tmp_path, rehearsal_seconds=4))
    began = monotonic()
    await renderer.result(await renderer.start(REQUEST))
    assert monotonic() - began >= 4
    await renderer.close()


async def test_a_child_that_is_killed_is_a_lost_render(tmp_path: Path) -> None:
    renderer = RehearsalRenderer(Settings(var_dir=tmp_path, rehearsal_seconds=30))
    handle = await renderer.start(REQUEST)
    await anext(aiter(renderer.watch(handle)))
    await renderer._children[handle].kill()
    with pytest.raises(RenderLost):
        await renderer.result(handle)
    await renderer.close()


async def test_a_cancel_needs_no_step_to_end(tmp_path: Path) -> None:
    renderer = RehearsalRenderer(Settings(var_dir=tmp_path, rehearsal_seconds=30))
    handle = await renderer.start(REQUEST)
    async with asyncio.timeout(1):
        await renderer.cancel(handle)
    await renderer.close()


async def test_what_a_killed_worker_left_behind_is_removed_when_it_is_old(tmp_path: Path) -> None:
    old, new = tmp_path / "renders" / "rehearsal_OLD", tmp_path / "renders" / "rehearsal_NEW"
    for folder in (old, new):
        folder.mkdir(parents=True)
    os.utime(old, (0, 0))
    await RehearsalRenderer(Settings(var_dir=tmp_path)).specs()
    assert (old.exists(), new.exists()) == (False, True)


async def test_two_workers_may_clear_up_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "renders" / "rehearsal_OLD"
    old.mkdir(parents=True)
    monkeypatch.setattr(Path, "glob", lambda *_: [old.with_name("rehearsal_GONE"), old])
    os.utime(old, (0, 0))
    await RehearsalRenderer(Settings(var_dir=tmp_path)).specs()
    assert not old.exists()


async def test_a_start_that_is_cut_off_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    renderer = RehearsalRenderer(Settings(var_dir=tmp_path))
    monkeypatch.setattr(Child, "start", lambda *_: asyncio.Event().wait())
    starting = asyncio.create_task(renderer.start(REQUEST))
    await asyncio.sleep(0)
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    await renderer.close()
    assert not list((tmp_path / "renders").iterdir())


async def test_closing_ends_every_child(tmp_path: Path) -> None:
    renderer = RehearsalRenderer(Settings(var_dir=tmp_path, rehearsal_seconds=30))
    children = [renderer._children[await renderer.start(REQUEST)] for _ in range(2)]
    async with asyncio.timeout(2):
        await renderer.close()
    assert not any(child.alive for child in children)
    assert not list((tmp_path / "renders").iterdir())
