"""Schedules walk the noise levels that they are given, and no others."""

import logging
from itertools import pairwise

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, UniPCMultistepScheduler

from gpu.pipeline.schedules import literal, pinned, unipc

SHIFTED = FlowMatchEulerDiscreteScheduler(shift=7.0, shift_terminal=0.1)
"""One as some repositories have it, whose shift must not reach what was trained."""

NOISE = torch.Generator().manual_seed(3)


def test_a_pinned_schedule_walks_its_levels_whatever_a_pipeline_asks_for() -> None:
    scheduler = pinned(SHIFTED.config, (1.0, 0.757, 0.522))
    for asked in ({"num_inference_steps": 50}, {"sigmas": [1.0, 0.5], "mu": 2.0}, {"timesteps": [999, 1]}):
        scheduler.set_timesteps(**asked)
        torch.testing.assert_close(scheduler.timesteps, torch.tensor([1000.0, 757.0, 522.0]))
        torch.testing.assert_close(scheduler.sigmas, torch.tensor([1.0, 0.757, 0.522, 0.0]))


def test_a_stochastic_one_goes_to_the_clean_latent_and_adds_fresh_noise_for_the_next_level() -> None:
    scheduler = pinned(SHIFTED.config, (1.0, 0.757, 0.522), stochastic=True)
    scheduler.set_timesteps(3)
    clean = torch.randn(1, 4, 3, 8, 8, generator=NOISE)
    latents = torch.randn(clean.shape, generator=NOISE)
    seen = []
    for timestep, (sigma, following) in zip(scheduler.timesteps, pairwise(scheduler.sigmas), strict=True):
        latents = scheduler.step((latents - clean) / sigma, timestep, latents, return_dict=False)[0]
        if following:
            seen.append((latents - (1 - following) * clean) / following)
    torch.testing.assert_close(latents, clean, atol=1e-5, rtol=1e-5)
    assert all(abs(float(noise.std()) - 1) < 0.1 for noise in seen)
    assert abs(float((seen[0] * seen[1]).mean())) < 0.1, "the same noise twice"


def test_the_same_dice_throw_the_same_noise() -> None:
    def walked() -> torch.Tensor:
        torch.manual_seed(11)
        scheduler = pinned(SHIFTED.config, (1.0, 0.5), stochastic=True)
        scheduler.set_timesteps(2)
        latents = torch.ones(1, 4, 3, 8, 8)
        for timestep in scheduler.timesteps:
            latents = scheduler.step(latents, timestep, latents, return_dict=False)[0]
        return latents

    assert torch.equal(walked(), walked())


def test_a_literal_schedule_takes_timesteps_as_they_are_and_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    scheduler = literal()
    with caplog.at_level(logging.WARNING, logger="diffusers"):
        scheduler.set_timesteps(timesteps=[1000.0, 909.4, 421.9])
    torch.testing.assert_close(scheduler.sigmas, torch.tensor([1.0, 0.9094, 0.4219, 0.0]))
    torch.testing.assert_close(scheduler.timesteps, torch.tensor([1000.0, 909.4, 421.9]))
    assert not caplog.records


def test_unipc_has_the_shift_that_it_is_given() -> None:
    own = UniPCMultistepScheduler(prediction_type="epsilon", flow_shift=3.0)
    scheduler = unipc(own.config, 5.0)
    scheduler.set_timesteps(4)
    assert scheduler.timesteps.tolist() == [999, 937, 833, 625]
    assert scheduler.config.prediction_type == "flow_prediction"
