"""What is paid for is not lost because something was slow, away for a while, or put right."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import modal._functions
import pytest
from modal_proto import api_pb2 as proto
from structlog.testing import capture_logs

from sakuga.engine import Cost, RenderRequest
from sakuga.errors import GpuMemoryExhausted, RenderFailed, RenderLost
from tests.fakes.modal_calls import Container
from tests.fakes.modal_gpu import failed, film
from tests.worker.renderers.conftest import QUICK, REQUEST, Rented
from worker.renderers import answers

LIMIT_S = 20


def large(_: Container, job: dict[str, Any]) -> dict[str, Any]:
    """Return a clip that does not come with the answer, but lies in Modal's storage."""
    return film(RenderRequest.model_validate(job)) | {"video": b"\0" * 3_000_000}


@pytest.fixture
def stored(rented: Rented) -> Rented:
    rented.fake.deployed["Rehearsal.render"] = large
    return rented


async def test_a_clip_that_takes_longer_to_come_than_an_outage_may_last_still_comes(stored: Rented) -> None:
    stored.fake.slow_s = 1.0
    renderer = stored.renderer(patience=replace(QUICK, answer=0.5, outage=0.3))
    handle = await renderer.start(REQUEST)
    async with asyncio.timeout(LIMIT_S):
        assert Path((await renderer.result(handle)).video_path).name == "clip.mp4"


async def test_a_clip_that_takes_long_to_come_is_found_by_the_next_worker_too(stored: Rented) -> None:
    handle = await stored.renderer().start(REQUEST)
    await asyncio.wait([(await stored.fake.called()).end])
    stored.fake.slow_s = 1.0
    assert await stored.renderer(patience=replace(QUICK, answer=0.5)).start(REQUEST) == handle


@pytest.mark.parametrize("status", [500, 0])
async def test_while_the_storage_is_out_of_order_the_clip_is_waited_for(stored: Rented, status: int) -> None:
    # Given a storage that is out of order
    stored.fake.storage = status
    renderer = stored.renderer(patience=replace(QUICK, answer=5, outage=30))
    handle = await renderer.start(REQUEST)
    with capture_logs() as logs:
        result = asyncio.create_task(renderer.result(handle))
        await stored.fake.until(lambda: stored.fake.asked.count("BlobGet") == 2)
    assert logs[0]["event"] == "renderer.lost"
    # When it is well again
    stored.fake.storage = 200
    # Then the clip comes
    async with asyncio.timeout(LIMIT_S):
        assert (await result).num_frames == REQUEST.num_frames


async def test_a_clip_that_the_storage_no_longer_has_is_lost(stored: Rented) -> None:
    stored.fake.storage = 404
    renderer = stored.renderer(patience=replace(QUICK, answer=5))
    with pytest.raises(RenderLost):
        await renderer.result(await renderer.start(REQUEST))


async def test_a_computer_that_slept_does_not_fail_a_render(rented: Rented, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a render, and a computer that sleeps for an hour while it asks for the result
    renderer = rented.renderer(patience=replace(QUICK, poll=2))
    slept = [0.0, 3600.0]
    clock = SimpleNamespace(time=lambda: time.time() + (slept.pop() if len(slept) > 1 else slept[0]))
    ask = rented.fake.FunctionGetOutputs

    async def woken(_: object) -> proto.FunctionGetOutputsResponse:
        monkeypatch.setattr(rented.fake, "FunctionGetOutputs", ask)
        slept[:] = [3600.0]
        return proto.FunctionGetOutputsResponse(num_unfinished_inputs=1)

    slept[:] = [0.0]
    monkeypatch.setattr(modal._functions, "time", clock)
    monkeypatch.setattr(rented.fake, "FunctionGetOutputs", woken)
    handle = await renderer.start(REQUEST)
    # When it has woken up
    await rented.fake.until(lambda: rented.fake.asked.count("FunctionGetOutputs") == 2)
    (await rented.fake.called()).orders.put("end")
    # Then the render goes on
    assert (await renderer.result(handle)).num_frames == REQUEST.num_frames


async def test_what_a_failed_render_cost_is_in_the_log(rented: Rented) -> None:
    renderer = rented.renderer()
    handle = await renderer.start(REQUEST)
    cost = Cost(gpu="H100", seconds=12.5, usd=0.01384)
    answer = failed(GpuMemoryExhausted(engine="rehearsal")) | {"cost": cost.model_dump(mode="json")}
    (await rented.fake.called()).orders.put(answer)
    with capture_logs() as logs, pytest.raises(GpuMemoryExhausted):
        await renderer.result(handle)
    (line,) = [line for line in logs if line["event"] == "render.paid_in_vain"]
    assert (line["code"], line["gpu"], line["gpu_s"], line["usd"]) == ("gpu_memory_exhausted", "H100", 12.5, 0.0138)


async def test_a_clip_that_can_not_be_written_here_is_not_drawn_again(
    rented: Rented, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(answers, "keep", full)
    renderer = rented.renderer()
    handle = await renderer.start(REQUEST)
    (await rented.fake.called()).orders.put("end")
    with pytest.raises(RenderFailed, match="No space left") as caught:
        await renderer.result(handle)
    assert not caught.value.retryable
