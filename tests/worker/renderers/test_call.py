import asyncio
from pathlib import Path
from typing import Any

import pytest

from sakuga.engine import Progress
from sakuga.errors import GpuMemoryExhausted, RenderFailed, Unexpected
from tests.fakes.modal_gpu import JPEG, failed, film, reported
from tests.worker.renderers.conftest import REQUEST
from worker.renderers.call import Call, Claimed, Clip, Refusal, keep, read


async def told(folder: Path, *items: Any) -> list[Progress]:
    """Return what a watcher hears of a call whose queue holds these items."""
    call = Call(folder, "fc-1", "job_1.1")
    for item in items:
        await call.hear(item)
    await call.finish(RenderFailed(reason="the end"))
    return [report async for report in call.watch()]


async def test_repeated_and_late_reports_are_dropped(tmp_path: Path) -> None:
    items = [reported("a", number, number / 10) for number in (1, 2, 2, 1, 4, 3, 5)]
    reports = await told(tmp_path, *items, *items)
    assert [report.fraction for report in reports] == [0.1, 0.2, 0.4, 0.5]
    assert [report.sequence for report in reports] == [1, 2, 3, 4]
    assert {report.preview for report in reports} == {JPEG}


async def test_another_run_is_numbered_on_and_falls_behind_nothing_that_was_said(tmp_path: Path) -> None:
    reports = await told(
        tmp_path, reported("a", 1, 0.2), reported("a", 2, 0.6), reported("b", 1, 0.1), reported("b", 2, 0.8)
    )
    assert [report.fraction for report in reports] == [0.2, 0.6, 0.6, 0.8]
    assert [report.sequence for report in reports] == [1, 2, 3, 4]


async def test_late_words_of_a_run_that_was_taken_away_are_dropped(tmp_path: Path) -> None:
    reports = await told(tmp_path, reported("a", 1, 0.2), reported("b", 1, 0.3), reported("a", 2, 0.9))
    assert [report.fraction for report in reports] == [0.2, 0.3]


async def test_an_item_that_nobody_understands_is_passed_over(tmp_path: Path) -> None:
    reports = await told(tmp_path, "?", {"run": "a"}, {"progress": {}}, reported("a", 1, 0.2))
    assert [report.fraction for report in reports] == [0.2]


async def test_the_last_word_of_a_run_does_not_count_for_the_next(tmp_path: Path) -> None:
    call = Call(tmp_path, "fc-1", "job_1.1")
    await call.hear({"run": "a", "ended": True})
    assert call.told.is_set()
    await call.hear(reported("b", 1, 0.2))
    assert not call.told.is_set()


async def test_it_is_said_that_nothing_has_begun_until_something_has(tmp_path: Path) -> None:
    call = Call(tmp_path, "fc-1", "job_1.1")
    await call.wait_on()
    await call.wait_on()
    await call.hear(reported("a", 1, 0.2))
    await call.wait_on()
    await call.finish(RenderFailed(reason="the end"))
    assert [report.stage async for report in call.watch()] == ["loading", "loading", "denoise"]


def test_an_answer_is_a_clip_or_another_call_or_an_error() -> None:
    assert isinstance(read(film(REQUEST)), Clip)
    assert read({"claimed_by": "fc-2"}) == Claimed(claimed_by="fc-2")
    refusals = [failed(GpuMemoryExhausted(engine="wan")), {"error": {"code": "brand_new", "data": {}}}]
    found = [said.error.error() for said in map(read, refusals) if isinstance(said, Refusal)]
    assert [type(error) for error in found] == [GpuMemoryExhausted, Unexpected]
    assert "brand_new" in str(found[1])


@pytest.mark.parametrize("answer", [None, {}, {"result": {}}, {"error": "no"}, {"claimed_by": ""}, b"\0"])
def test_an_answer_that_can_not_be_read_is_a_failure(answer: Any) -> None:
    with pytest.raises(RenderFailed, match="can't be read"):
        read(answer)


async def test_files_lie_in_the_folder_of_the_call_whatever_the_container_calls_them(tmp_path: Path) -> None:
    answer = film(REQUEST)
    answer["result"]["video_path"] = "../../elsewhere.mp4"
    clip = read(answer)
    assert isinstance(clip, Clip)
    result = await asyncio.to_thread(keep, clip, tmp_path / "call")
    assert result.video_path == str(tmp_path / "call" / "elsewhere.mp4")
    assert result.renderer == "modal"
