import asyncio
import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from grpclib import Status

from sakuga.engine import MODAL_CLAIMS, MODAL_PROGRESS, RenderRequest
from sakuga.errors import (
    GpuMemoryExhausted,
    QuotaExhausted,
    RenderCancelled,
    RendererUnavailable,
    RenderFailed,
    RenderLost,
    SettingsInvalid,
)
from tests.fakes.modal_calls import Container, Stopped
from tests.fakes.modal_gpu import draw, failed, film
from tests.worker.renderers.conftest import QUICK, REQUEST, Rented


async def test_a_render_is_one_call_with_the_request_as_it_is(rented: Rented) -> None:
    renderer = rented.renderer()
    handle = await renderer.start(REQUEST)
    call = await rented.fake.called()
    assert handle == f"{call.id}/job_1.1"
    assert renderer.outlives(handle)
    assert RenderRequest.model_validate(call.arguments[0]) == REQUEST
    assert json.dumps(call.arguments)  # nothing but what every container understands
    call.orders.put("end")
    result = await renderer.result(handle)
    assert (result.width, result.num_frames, result.renderer) == (64, 9, "modal")


async def test_reports_come_while_it_is_drawn(rented: Rented) -> None:
    renderer = rented.renderer()
    handle = await renderer.start(REQUEST)
    assert [report.fraction for report in await rented.heard(renderer, handle, 0.1, 0.5)] == [0.0, 0.1, 0.5]
    assert [report.sequence for report in await rented.heard(renderer, handle, 0.9)] == [1, 2, 3, 4]


async def test_a_long_silence_before_the_first_report_is_told_as_loading(rented: Rented) -> None:
    rented.fake.deployed["Rehearsal.render"] = lambda container, _: container.hang()
    renderer = rented.renderer()
    told = renderer.watch(await renderer.start(REQUEST))
    reports = [await anext(told) for _ in range(4)]
    assert [(report.sequence, report.stage, report.fraction) for report in reports] == [
        (number, "loading", 0.0) for number in (1, 2, 3, 4)
    ]


async def test_a_preempted_render_begins_anew_as_the_same_call_and_its_watcher_stays(rented: Rented) -> None:
    renderer = rented.renderer()
    handle = await renderer.start(REQUEST)
    call = await rented.fake.called()
    await rented.heard(renderer, handle, 0.2, 0.6)
    rented.fake.preempt(call)
    await rented.fake.until(lambda: len(call.runs) == 2)
    reports = await rented.heard(renderer, handle, 0.1, 0.7)
    call.orders.put("end")
    assert [report.fraction for report in reports] == [0.0, 0.2, 0.6, 0.6, 0.7]
    assert [report.sequence for report in reports] == [1, 2, 3, 4, 5]
    assert (await renderer.result(handle)).num_frames == 9
    assert len(rented.fake.calls) == 1


async def test_watching_ends_with_the_call_even_if_the_queue_says_nothing_of_it(rented: Rented) -> None:
    renderer = rented.renderer()
    handle = await renderer.start(REQUEST)
    call = await rented.fake.called()
    call.orders.put(0.5)
    call.orders.put(film(REQUEST))
    async with asyncio.timeout(2):
        assert [report.fraction async for report in renderer.watch(handle)] == [0.0, 0.5]


async def test_a_failed_render_says_what_the_container_said(rented: Rented) -> None:
    renderer = rented.renderer()
    handle = await renderer.start(REQUEST)
    (await rented.fake.called()).orders.put(failed(GpuMemoryExhausted(engine="rehearsal")))
    with pytest.raises(GpuMemoryExhausted, match="rehearsal"):
        await renderer.result(handle)
    assert [report.stage async for report in renderer.watch(handle)] == ["loading"]


@pytest.mark.parametrize("raised", [ValueError("a viewer's words"), TimeoutError()])
async def test_an_exception_in_the_container_is_named_without_its_text(rented: Rented, raised: Exception) -> None:
    renderer = rented.renderer()
    handle = await renderer.start(REQUEST)
    (await rented.fake.called()).orders.put(raised)
    with pytest.raises(RenderFailed, match=type(raised).__name__) as failure:
        await renderer.result(handle)
    assert "viewer" not in str(failure.value)


async def test_a_cancel_is_over_when_the_call_is_and_spares_the_container(rented: Rented) -> None:
    renderer = rented.renderer()
    handle = await renderer.start(REQUEST)
    call = await rented.fake.called()
    await renderer.cancel(handle)
    assert call.end.done()
    assert call.cancels == [False]
    with pytest.raises(RenderCancelled):
        await renderer.result(handle)


async def test_another_worker_can_cancel(rented: Rented) -> None:
    watcher = rented.renderer()
    handle = await watcher.start(REQUEST)
    await rented.fake.called()
    await rented.renderer().cancel(handle)
    with pytest.raises(RenderCancelled):
        await watcher.result(handle)


async def test_a_render_that_does_not_hear_its_cancel_loses_its_container(rented: Rented) -> None:
    renderer = rented.renderer()
    handle = await renderer.start(REQUEST)
    call = await rented.fake.called()
    call.orders.put("hang")
    await renderer.cancel(handle)
    assert call.cancels == [False, True]
    with pytest.raises(RenderCancelled):
        await renderer.result(handle)


async def test_a_render_whose_steps_are_long_has_the_time_to_hear_its_cancel(rented: Rented) -> None:
    # Given a render that hears its cancel at the end of a step, which takes longer than most
    heard = threading.Event()

    def slow(container: Container, _: object) -> None:
        try:
            container.order()
        except Stopped:
            heard.wait(0.6)
            raise

    rented.fake.deployed["Rehearsal.render"] = slow
    renderer = rented.renderer(patience=replace(QUICK, stop=0.3))
    handle = await renderer.start(REQUEST)
    call = await rented.fake.called()
    renderer._calls[handle].longest_pause_s = 0.5
    # When it is cancelled
    await renderer.cancel(handle)
    # Then its container keeps the model
    assert call.cancels == [False]


async def test_two_workers_that_follow_one_call_have_files_of_their_own(rented: Rented) -> None:
    first, second = rented.renderer(), rented.renderer()
    handle = await first.start(REQUEST)
    (await rented.fake.called()).orders.put("end")
    results = [await renderer.result(handle) for renderer in (first, second)]
    await first.release(handle)
    assert [await asyncio.to_thread(Path(result.video_path).exists) for result in results] == [False, True]


async def test_a_cancel_that_can_not_be_told_is_not_taken_for_done(rented: Rented) -> None:
    renderer = rented.renderer()
    handle = await renderer.start(REQUEST)
    rented.fake.troubles["FunctionCallCancel"] = (Status.UNAVAILABLE, "away")
    with pytest.raises(RendererUnavailable):
        await renderer.cancel(handle)


async def test_a_result_that_has_expired_is_lost_and_need_not_be_cancelled(rented: Rented) -> None:
    handle = await rented.renderer().start(REQUEST)
    call = await rented.fake.called()
    rented.fake.expire(call)
    renderer = rented.renderer()
    with pytest.raises(RenderLost):
        await renderer.result(handle)
    with pytest.raises(RenderLost):
        assert [report async for report in renderer.watch(handle)]
    await rented.renderer().cancel(handle)
    call.interrupt()


async def test_a_released_render_leaves_nothing_here_or_there(rented: Rented) -> None:
    rented.fake.deployed["Rehearsal.render"] = draw
    renderer = rented.renderer()
    handle = await renderer.start(REQUEST)
    result = await renderer.result(handle)
    assert rented.fake.kept(MODAL_CLAIMS)
    await renderer.release(handle)
    assert rented.fake.kept(MODAL_CLAIMS) == {}
    assert rented.fake.queues[MODAL_PROGRESS] == {b"job_1.1": []}
    assert not Path(result.video_path).parent.exists()
    assert not renderer.outlives(handle)


async def test_what_can_not_be_released_at_modal_is_left_there_and_nobody_is_held_up(rented: Rented) -> None:
    renderer = rented.renderer()
    handle = await renderer.start(REQUEST)
    call = await rented.fake.called()
    rented.fake.silent = True
    async with asyncio.timeout(2 * QUICK.answer):
        await renderer.release(handle)
    assert not call.end.done()
    assert list(rented.fake.kept(MODAL_CLAIMS)) == [REQUEST.attempt_key]


async def test_a_short_outage_costs_nothing(rented: Rented) -> None:
    renderer = rented.renderer(patience=replace(QUICK, outage=30))
    handle = await renderer.start(REQUEST)
    call = await rented.fake.called()
    await rented.heard(renderer, handle, 0.2)
    await rented.fake.stop()
    call.orders.put(0.4)
    call.orders.put("end")
    await asyncio.wait([call.end])
    await rented.fake.start()
    assert [report.fraction async for report in renderer.watch(handle)] == [0.0, 0.2, 0.4]
    assert (await renderer.result(handle)).num_frames == 9
    assert len(rented.fake.calls) == 1


async def test_after_a_long_outage_a_handle_is_as_good_as_before(rented: Rented) -> None:
    renderer = rented.renderer()
    handle = await renderer.start(REQUEST)
    call = await rented.fake.called()
    rented.fake.troubles["FunctionGetOutputs"] = (Status.UNAVAILABLE, "away")
    with pytest.raises(RendererUnavailable):
        assert [report async for report in renderer.watch(handle)]
    del rented.fake.troubles["FunctionGetOutputs"]
    call.orders.put("end")
    assert (await renderer.result(handle)).num_frames == 9


async def test_it_is_warm_from_the_first_sign_of_a_model_for_as_long_as_one_stays(rented: Rented) -> None:
    rented.fake.deployed["Rehearsal.render"] = draw
    renderer = rented.renderer(modal_idle=60)
    assert not (await renderer.readiness()).warm
    await renderer.result(await renderer.start(REQUEST))
    assert (await renderer.readiness()).warm
    assert renderer._seen_s
    renderer._seen_s -= 61
    assert not (await renderer.readiness()).warm
    await renderer.warm()
    await renderer.result(await renderer.start(REQUEST.model_copy(update={"job_id": "job_2"})))
    renderer._seen_s -= 61
    assert (await renderer.readiness()).warm


async def test_what_a_killed_worker_left_behind_is_removed_when_it_is_old(rented: Rented) -> None:
    old = rented.folder / "renders" / "modal_fc-1_job_1.1"
    old.mkdir(parents=True)
    os.utime(old, (0, 0))
    renderer = rented.renderer(engines="rehearsal")
    assert [spec.name for spec in await renderer.specs()] == ["rehearsal"]
    assert not old.exists()


async def test_a_time_limit_that_the_app_does_not_keep_to_is_refused(rented: Rented) -> None:
    with pytest.raises(SettingsInvalid, match="SAKUGA_RENDER_TIMEOUT: Modal ends a drawing after 1200 s"):
        rented.renderer(render_timeout=1201)


def test_modal_is_imported_only_where_it_is_chosen() -> None:
    program = "import sys, worker.__main__; sys.exit('modal' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize(
    ("status", "code"),
    [(Status.NOT_FOUND, "renderer_not_deployed"), (Status.UNAUTHENTICATED, "renderer_unauthorised")],
)
async def test_a_look_finds_out_that_nothing_can_be_begun_and_begins_nothing(
    rented: Rented, status: Status, code: str
) -> None:
    renderer = rented.renderer()
    await renderer.look()
    assert (await renderer.readiness()).trouble is None
    # When Modal refuses
    rented.fake.troubles["ClassGet"] = rented.fake.troubles["FunctionGet"] = (status, "no")
    await renderer.look()
    # Then it says so, and names no GPU that nobody can have
    found = await renderer.readiness()
    assert found.trouble is not None
    assert (found.trouble.code, found.there, found.gpu) == (code, False, None)
    assert rented.fake.calls == {}
    # And once it is back, all is well again
    rented.fake.troubles.clear()
    await renderer.look()
    assert (await renderer.readiness()).there


async def test_a_start_that_is_refused_is_told_and_one_that_goes_well_ends_the_trouble(rented: Rented) -> None:
    renderer = rented.renderer()
    rented.fake.troubles["FunctionMap"] = (Status.RESOURCE_EXHAUSTED, "budget")
    with pytest.raises(QuotaExhausted):
        await renderer.start(REQUEST)
    assert isinstance((await renderer.readiness()).trouble, QuotaExhausted)
    rented.fake.troubles.clear()
    await renderer.start(REQUEST)
    assert (await renderer.readiness()).trouble is None
