"""Which job a line of the worker's log is about."""

import asyncio
import sys
from pathlib import Path

import pytest
import structlog
from structlog.contextvars import get_contextvars, merge_contextvars
from structlog.testing import capture_logs

from sakuga.engine import RenderRequest
from sakuga.errors import RenderLost
from sakuga.log import about, apart
from sakuga.settings import Settings
from tests.worker.conftest import House
from tests.worker.renderers.test_local import ask
from worker.renderers import child
from worker.renderers.local import LocalRenderer


async def test_whatever_is_said_while_a_job_is_drawn_names_it_and_nothing_after_it_does(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = house.renderer.start

    async def chatty(request: RenderRequest) -> str:
        structlog.get_logger("renderer").info("renderer.spoke")
        return await start(request)

    monkeypatch.setattr(house.renderer, "start", chatty)
    job = await house.admitted()
    with capture_logs([merge_contextvars]) as lines:
        running = house.run(job)
        await house.renderer.started(1)
        house.renderer.finish("puppet-0")
        await running
    assert [line["event"] for line in lines] == ["renderer.spoke", "job.succeeded"]
    assert {(line["job_id"], line["cut"]) for line in lines} == {(job.id, job.cut)}
    assert "job_id" not in get_contextvars()


async def test_a_child_that_dies_is_told_with_the_job_that_it_drew_and_not_the_one_that_it_was_started_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "COMMAND", (sys.executable, "-m", "tests.fakes.moody"))
    renderer = LocalRenderer(Settings(var_dir=tmp_path, engines=["moody"]))
    with capture_logs([merge_contextvars]) as lines:
        with about(job_id="job_1"):
            await renderer.result(await renderer.start(ask()))
        with about(job_id="job_2"), pytest.raises(RenderLost):
            await renderer.result(await renderer.start(ask("die", job_id="job_2")))
    await renderer.close()
    assert [(line["event"], line["job_id"]) for line in lines] == [("renderer.died", "job_2")]


async def test_a_task_that_outlives_its_job_speaks_for_itself() -> None:
    async def seen() -> dict[str, object]:
        return get_contextvars()

    with about(job_id="job_1", process="worker"):
        assert await asyncio.create_task(seen()) == {"job_id": "job_1", "process": "worker"}
        assert await asyncio.create_task(seen(), context=apart()) == {"process": "worker"}
