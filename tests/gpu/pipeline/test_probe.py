"""The probe hears each step of any scheduler, and foresees the clean latent."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, UniPCMultistepScheduler

from gpu.pipeline.probe import Probe
from gpu.pipeline.schedules import pinned

EULER = FlowMatchEulerDiscreteScheduler(shift=3.0)
UNIPC = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)


class Stopped(Exception):
    pass


def walk(scheduler: Any, model: Callable[[Any, Any], Any], steps: int = 4) -> Any:
    """Denoise 1 x 4 x 3 x 8 x 8 numbers with a model of our own."""
    scheduler.set_timesteps(steps)
    latents = torch.randn(1, 4, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    for timestep in scheduler.timesteps:
        latents = scheduler.step(model(latents, timestep), timestep, latents, return_dict=False)[0]
    return latents


@pytest.mark.parametrize(
    "scheduler",
    [EULER, UNIPC, pinned(EULER.config, (1.0, 0.75, 0.5)), FlowMatchEulerDiscreteScheduler(invert_sigmas=True)],
    ids=["euler", "unipc", "pinned", "inverted"],
)
def test_with_a_model_that_knows_the_answer_every_step_foresees_it(scheduler: Any) -> None:
    answer = torch.randn(1, 4, 3, 8, 8, generator=torch.Generator().manual_seed(2))
    inverted = scheduler.config.get("invert_sigmas", False)

    def model(noisy: Any, timestep: Any) -> Any:
        sigma = float(scheduler.sigmas[scheduler.index_for_timestep(timestep)])
        return (answer - noisy) / (1 - sigma) if inverted else (noisy - answer) / sigma

    foreseen = []
    with Probe(scheduler, lambda _, clean: foreseen.append(clean())):
        walk(scheduler, model)
    assert len(foreseen) >= 3
    for clean in foreseen:
        torch.testing.assert_close(clean, answer, atol=1e-3, rtol=1e-3)


def test_steps_are_counted_from_one_and_the_result_is_as_without_a_probe() -> None:
    plain = walk(UNIPC, lambda noisy, _: noisy * 0.5)
    heard: list[int] = []
    with Probe(UNIPC, lambda step, _: heard.append(step)):
        probed = walk(UNIPC, lambda noisy, _: noisy * 0.5)
    assert heard == [1, 2, 3, 4]
    assert torch.equal(plain, probed)


def test_a_listener_that_raises_stops_the_loop_and_leaves_the_scheduler_as_it_was() -> None:
    def stop(step: int, _: Any) -> None:
        if step == 2:
            raise Stopped

    with pytest.raises(Stopped), Probe(EULER, stop):
        walk(EULER, lambda noisy, _: noisy)
    assert type(EULER) is FlowMatchEulerDiscreteScheduler


def test_a_copy_of_the_scheduler_is_not_heard() -> None:
    from copy import deepcopy  # noqa: PLC0415

    heard: list[int] = []
    with Probe(EULER, lambda step, _: heard.append(step)):
        walk(deepcopy(EULER), lambda noisy, _: noisy)
    assert heard == []
