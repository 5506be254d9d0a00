"""No attempt is paid for twice, whoever dies at whatever moment."""

import asyncio
import sys
from pathlib import Path

import pytest
from grpclib import Status

from sakuga.engine import MODAL_CLAIMS
from sakuga.errors import GpuMemoryExhausted, RendererUnavailable
from tests.fakes.modal_gpu import failed
from tests.worker.renderers.conftest import REQUEST, Rented

ROOT = Path(__file__).parents[3]
SECOND = REQUEST.model_copy(update={"attempt": 2})


async def process(rented: Rented, **environ: str) -> asyncio.subprocess.Process:
    """Start a worker of its own."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.fakes.modal_worker", str(rented.folder)),
        cwd=ROOT,
        env=rented.fake.environ | environ,
        stdout=asyncio.subprocess.PIPE,
    )


async def test_a_worker_killed_in_a_render_is_followed_by_one_that_goes_on(rented: Rented) -> None:
    # Given a worker that renders and is killed
    worker = await process(rented)
    assert worker.stdout
    handle = (await worker.stdout.readline()).decode().strip()
    call = await rented.fake.called()
    call.orders.put(0.4)
    said, _ = await worker.communicate()
    assert worker.returncode == -9
    assert said.decode().split() == ["0.0", "0.4"]

    # When another has the handle
    renderer = rented.renderer()
    reports = await rented.heard(renderer, handle, 0.8)

    # Then it sees all from the start, and the render comes to its end
    assert [report.fraction for report in reports] == [0.0, 0.4, 0.8]
    call.orders.put("end")
    assert (await renderer.result(handle)).num_frames == REQUEST.num_frames
    assert len(rented.fake.calls) == 1


async def test_a_process_without_a_token_or_without_a_network_says_so_and_ends(rented: Rented) -> None:
    workers = [
        await process(rented, MODAL_TOKEN_ID="", MODAL_TOKEN_SECRET=""),
        await process(rented, MODAL_SERVER_URL="http://127.0.0.1:1"),
    ]
    async with asyncio.timeout(20):
        said = [(await worker.communicate())[0].decode().strip() for worker in workers]
    assert said == ["renderer_unauthorised", "renderer_unavailable"]


async def test_a_call_whose_worker_died_before_it_wrote_the_handle_down_is_found(rented: Rented) -> None:
    lost = await rented.renderer().start(REQUEST)
    await rented.fake.called()
    assert await rented.renderer().start(REQUEST) == lost
    assert len(rented.fake.calls) == 1


async def test_a_call_that_had_not_begun_is_found_too(rented: Rented) -> None:
    rented.fake.deployed["Rehearsal.render"] = lambda container, _: container.hang()
    lost = await rented.renderer().start(REQUEST)
    assert rented.fake.kept(MODAL_CLAIMS) == {REQUEST.attempt_key: lost.partition("/")[0]}
    assert await rented.renderer().start(REQUEST) == lost
    assert len(rented.fake.calls) == 1


async def test_a_call_that_failed_is_not_taken_for_one_that_goes_on(rented: Rented) -> None:
    lost = await rented.renderer().start(REQUEST)
    call = await rented.fake.called()
    call.orders.put(failed(GpuMemoryExhausted(engine="rehearsal")))
    await asyncio.wait([call.end])
    again = await rented.renderer().start(REQUEST)
    assert again != lost
    assert await rented.heard(rented.renderers[-1], again, 0.5)


async def test_of_two_calls_of_an_attempt_one_draws_and_both_handles_bring_its_clip(rented: Rented) -> None:
    # Given a call of which nobody knows, since it had not begun when it was looked for
    first, second = rented.renderer(), rented.renderer()
    handle = await first.start(REQUEST)
    drawing = await rented.fake.called()
    rented.fake.dicts[MODAL_CLAIMS].clear()
    other = await second.start(REQUEST)
    rented.fake.dicts[MODAL_CLAIMS].clear()

    # When both are asked for, and a third that was told of the claim
    third = rented.fake.calls["fc-2"]
    third.orders.put({"claimed_by": drawing.id})
    drawing.orders.put("end")

    # Then all bring the same
    assert other.startswith("fc-2/")
    assert (await second.result(other)).num_frames == (await first.result(handle)).num_frames


async def test_a_call_that_comes_second_is_stopped_and_the_first_one_followed(rented: Rented) -> None:
    # Given a call that begins to draw at the moment at which another is started for the same attempt
    spawned = await rented.renderer().start(REQUEST)
    drawing = await rented.fake.called()
    taken = rented.fake.dicts[MODAL_CLAIMS].copy()
    rented.fake.dicts[MODAL_CLAIMS].clear()
    begin = rented.fake._run

    async def late(call: object) -> None:
        rented.fake.dicts[MODAL_CLAIMS].update(taken)
        await begin(call)  # type: ignore[arg-type]

    rented.fake._run = late  # type: ignore[method-assign]

    # When it is started
    renderer = rented.renderer()
    handle = await renderer.start(REQUEST)

    # Then the handle is that of the first
    assert handle == spawned
    assert rented.fake.calls["fc-2"].cancels == [False]
    drawing.orders.put("end")
    assert (await renderer.result(handle)).num_frames == REQUEST.num_frames


async def test_an_attempt_given_up_in_an_outage_is_taken_over_by_the_next(rented: Rented) -> None:
    # Given a render that goes on while Modal can't be reached, until it is given up
    renderer = rented.renderer()
    handle = await renderer.start(REQUEST)
    call = await rented.fake.called()
    await rented.fake.stop()
    with pytest.raises(RendererUnavailable):
        await renderer.result(handle)
    await renderer.release(handle)

    # When Modal is there again for the next attempt
    await rented.fake.start()
    assert await renderer.start(SECOND) == handle

    # Then it is the same call
    call.orders.put("end")
    assert (await renderer.result(handle)).num_frames == REQUEST.num_frames
    assert len(rented.fake.calls) == 1


async def test_a_call_that_was_never_heard_of_ends_when_it_begins_after_the_next_attempt(rented: Rented) -> None:
    # Given a second attempt, since the first one's start seemed to fail
    renderer = rented.renderer()
    await renderer.start(SECOND)

    # When the first one begins after all
    late = await renderer._deployment.spawn(renderer._specs[REQUEST.engine], REQUEST)

    # Then it draws nothing
    assert await renderer._deployment.answer(late, wait_s=5) == {"claimed_by": "nobody"}


async def test_a_claim_that_can_not_be_written_does_not_lose_the_call(rented: Rented) -> None:
    rented.fake.troubles["DictUpdate"] = (Status.PERMISSION_DENIED, "no")
    handle = await rented.renderer().start(REQUEST)
    await rented.fake.called()
    assert rented.fake.kept(MODAL_CLAIMS) == {REQUEST.attempt_key: handle.partition("/")[0]}
