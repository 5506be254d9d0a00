import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from grpclib import GRPCError, Status

from sakuga.engine import MODAL_KEPT, Kept, RenderRequest
from sakuga.errors import RendererNotDeployed, RendererUnavailable
from tests.fakes.modal_calls import Container
from tests.fakes.modal_gpu import film
from tests.worker.renderers.conftest import QUICK, REQUEST, Rented
from worker import thermostat
from worker.renderers import deployment

POOL = "fu-Rehearsal.*"


def large(_: Container, job: dict[str, Any]) -> dict[str, Any]:
    """Return a clip that is too large to come with the answer itself."""
    return film(RenderRequest.model_validate(job)) | {"video": b"\0" * 3_000_000}


async def test_the_pool_gets_the_limits_of_the_settings_once_and_no_pool_beside_it(rented: Rented) -> None:
    renderer = rented.renderer(slots=3, modal_idle=90)
    for number in (1, 2):
        await renderer.start(REQUEST.model_copy(update={"job_id": f"job_{number}"}))
    found = rented.fake.scaling[POOL]
    assert (found.max_containers, found.scaledown_window, found.min_containers) == (3, 90, 0)
    assert rented.fake.asked.count("FunctionUpdateSchedulingParams") == 1
    assert {call.variant for call in rented.fake.calls.values()} == {POOL}


async def test_another_gpu_is_a_pool_of_its_own_which_is_the_one_that_is_kept_warm(rented: Rented) -> None:
    renderer = rented.renderer(modal_gpu="L40S")
    await renderer.warm()
    await renderer.start(REQUEST)
    ((pool, (base, options)),) = rented.fake.variants.items()
    assert (base, options.resources.gpu_config.gpu_type) == (POOL, "L40S")
    assert {call.variant for call in rented.fake.calls.values()} == {pool}
    assert rented.fake.scaling[pool].min_containers == 1
    assert (await renderer.readiness()).gpu == "L40S"


async def test_one_container_is_kept_from_warm_to_cool(rented: Rented) -> None:
    renderer = rented.renderer()
    await renderer.warm()
    assert rented.fake.scaling[POOL].min_containers == 1
    await renderer.warm()
    await renderer.cool()
    assert rented.fake.scaling[POOL].min_containers == 0


async def test_what_is_kept_is_written_down_for_a_quarter_of_an_hour_from_each_time_it_is_asked_for(
    rented: Rented, monkeypatch: pytest.MonkeyPatch
) -> None:
    renderer = rented.renderer(modal_gpu="L40S")
    for now in (1000.0, 1300.0):
        monkeypatch.setattr(deployment, "time", lambda now=now: now)
        await renderer.warm()
        (kept,) = [Kept.model_validate(entry) for entry in rented.fake.kept(MODAL_KEPT).values()]
        assert (kept.app, kept.class_name, kept.gpu) == ("sakuga", "Rehearsal", "L40S")
        assert kept.until == now + 900
    assert deployment.KEPT_S > 2 * thermostat.AGAIN_S


async def test_nothing_is_kept_that_could_not_be_written_down(rented: Rented) -> None:
    rented.fake.troubles["DictUpdate"] = (Status.UNAVAILABLE, "away")
    with pytest.raises(RendererUnavailable):
        await rented.renderer().warm()
    assert not rented.fake.scaling[POOL].min_containers


async def test_an_app_that_was_deployed_anew_is_looked_up_anew(rented: Rented, monkeypatch: pytest.MonkeyPatch) -> None:
    renderer = rented.renderer()
    await renderer.start(REQUEST)
    taken = rented.fake.FunctionMap

    async def gone(_: object) -> None:
        monkeypatch.setattr(rented.fake, "FunctionMap", taken)
        raise GRPCError(Status.NOT_FOUND, "no such function")

    monkeypatch.setattr(rented.fake, "FunctionMap", gone)
    rented.fake.asked.clear()
    await renderer.start(REQUEST.model_copy(update={"job_id": "job_2"}))
    assert "ClassGet" in rented.fake.asked


async def test_an_app_that_is_not_there_is_named(rented: Rented) -> None:
    with pytest.raises(RendererNotDeployed, match="anime"):
        await rented.renderer(modal_app="anime").start(REQUEST)


async def test_long_prompts_and_large_clips_travel_as_blobs(rented: Rented) -> None:
    rented.fake.deployed["Rehearsal.render"] = large
    renderer = rented.renderer()
    result = await renderer.result(await renderer.start(REQUEST.model_copy(update={"prompt": "cat " * 5000})))
    assert len(rented.fake.blobs) == 2
    assert (await asyncio.to_thread(Path(result.video_path).stat)).st_size == 3_000_000


async def test_a_large_clip_arrives_over_a_slow_line_after_all(rented: Rented) -> None:
    rented.fake.deployed["Rehearsal.render"] = large
    rented.fake.slow_s = 0.6
    renderer = rented.renderer(patience=replace(QUICK, answer=0.2, outage=20))
    handle = await renderer.start(REQUEST)
    async with asyncio.timeout(10):
        assert Path((await renderer.result(handle)).video_path).name == "clip.mp4"
