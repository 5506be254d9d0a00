"""No render goes on for nobody: what could not be stopped at the time is stopped later."""

import asyncio
from dataclasses import replace

import pytest

from sakuga.engine import MODAL_CLAIMS
from sakuga.errors import RendererUnavailable
from tests.worker.renderers.conftest import QUICK, REQUEST, Rented
from worker.renderers.strays import Strays

SECOND = REQUEST.model_copy(update={"attempt": 2})
HASTY = replace(QUICK, answer=0.5, stray=0.2)


async def test_a_render_that_was_given_up_while_modal_was_away_is_stopped_when_it_is_back(rented: Rented) -> None:
    # Given a render that is cancelled while Modal can't be told
    renderer = rented.renderer(patience=HASTY)
    handle = await renderer.start(REQUEST)
    call = await rented.fake.called()
    rented.fake.silent = True
    await renderer.release(handle)
    await rented.fake.until(lambda: rented.fake.asked.count("DictUpdate") == 3)  # ours, the call's, and the first hunt
    assert not call.end.done()
    # When Modal is back
    rented.fake.silent = False
    # Then it does not draw for nobody
    async with asyncio.timeout(10):
        await asyncio.wait([call.end])
    assert call.cancels == [False]


async def test_a_render_that_the_next_attempt_took_over_is_left_alone(rented: Rented) -> None:
    # Given a render that was left behind
    renderer = rented.renderer(patience=replace(HASTY, stray=60.0))
    handle = await renderer.start(REQUEST)
    call = await rented.fake.called()
    rented.fake.silent = True
    await renderer.release(handle)
    rented.fake.silent = False
    # When the next attempt finds it
    assert await renderer.start(SECOND) == handle
    # Then nobody comes for it later
    assert not renderer._strays._hunts
    call.orders.put("end")
    assert (await renderer.result(handle)).num_frames == REQUEST.num_frames
    assert call.cancels == []


async def test_a_call_of_a_start_that_was_not_answered_is_stopped(
    rented: Rented, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a start that Modal carries out, while the answer is lost on its way
    spawn = rented.fake.FunctionMap

    async def unheard(request: object) -> None:
        await spawn(request)  # type: ignore[arg-type]
        await asyncio.Event().wait()

    monkeypatch.setattr(rented.fake, "FunctionMap", unheard)
    renderer = rented.renderer(patience=HASTY)
    # When it is given up, as by a chain whose next renderer draws instead
    with pytest.raises(RendererUnavailable):
        await renderer.start(REQUEST)
    call = await rented.fake.called()
    # Then the call is stopped
    async with asyncio.timeout(10):
        await asyncio.wait([call.end])
    assert call.cancels == [False]


async def test_a_call_that_begins_only_after_that_draws_nothing(
    rented: Rented, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a start that was not answered, and whose call waits for a GPU
    free = asyncio.Event()
    spawn = rented.fake._run

    async def late(call: object) -> None:
        await free.wait()
        await spawn(call)  # type: ignore[arg-type]

    async def unheard(request: object) -> None:
        await type(rented.fake).FunctionMap(rented.fake, request)  # type: ignore[arg-type]
        await asyncio.Event().wait()

    monkeypatch.setattr(rented.fake, "_run", late)
    monkeypatch.setattr(rented.fake, "FunctionMap", unheard)
    renderer = rented.renderer(patience=HASTY)
    with pytest.raises(RendererUnavailable):
        await renderer.start(REQUEST)
    await rented.fake.until(lambda: rented.fake.kept(MODAL_CLAIMS))
    # When there is one
    free.set()
    # Then it ends at once
    (call_id,) = rented.fake.calls
    assert await renderer._deployment.answer(call_id, wait_s=5) == {"claimed_by": "nobody"}


async def test_a_worker_that_ends_does_not_wait_for_strays(rented: Rented) -> None:
    strays = Strays(rented.renderer()._deployment, pause_s=3600)
    strays.leave("job_1.1", "fc-1")
    strays.leave("job_1.1", "fc-1")
    async with asyncio.timeout(2):
        await strays.close()
    assert not strays._hunts
