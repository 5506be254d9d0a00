"""Schedules: the noise levels that few-step models were trained on, exactly."""

from collections.abc import Sequence
from typing import Any

TRAINED = 1000
"""Timesteps of training; a timestep is a thousand times its noise level (sigma)."""


def unipc(config: Any, flow_shift: float) -> Any:
    """Return a UniPC scheduler with that shift: what Wan is drawn with where all steps are made."""
    from diffusers import UniPCMultistepScheduler

    return UniPCMultistepScheduler.from_config(
        config, prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=flow_shift
    )


def pinned(config: Any, levels: Sequence[float], *, stochastic: bool = False) -> Any:
    """Return an Euler scheduler that always walks these sigmas, from 1 downwards; the last step ends at 0.

    WanPipeline takes no sigmas, and a schedule spread by a shift would not be the one that was trained.
    `stochastic` adds fresh noise after each step, as distribution matching distillation (DMD) does.
    """
    from diffusers import FlowMatchEulerDiscreteScheduler

    class PinnedScheduler(FlowMatchEulerDiscreteScheduler):
        def set_timesteps(  # pipelines look for these names before they pass them
            self,
            num_inference_steps: int | None = None,
            device: Any = None,
            sigmas: Any = None,
            mu: float | None = None,
            timesteps: Any = None,
        ) -> None:
            del num_inference_steps, sigmas, mu, timesteps
            super().set_timesteps(sigmas=list(levels), device=device)

    trained = config.get("num_train_timesteps", TRAINED)
    return PinnedScheduler(num_train_timesteps=trained, shift=1.0, stochastic_sampling=stochastic)


def literal() -> Any:
    """Return an Euler scheduler that takes given timesteps as they are, whatever shift a repository has.

    diffusers 0.42.1 would derive the sigmas from them through that shift, and warn each time.
    """
    from diffusers import FlowMatchEulerDiscreteScheduler

    class LiteralScheduler(FlowMatchEulerDiscreteScheduler):
        def set_timesteps(  # pipelines look for these names before they pass them
            self,
            num_inference_steps: int | None = None,
            device: Any = None,
            sigmas: Any = None,
            mu: float | None = None,
            timesteps: Any = None,
        ) -> None:
            if timesteps is not None:
                sigmas = [float(timestep) / TRAINED for timestep in timesteps]
            super().set_timesteps(num_inference_steps, device=device, sigmas=sigmas, mu=mu, timesteps=timesteps)

    return LiteralScheduler(num_train_timesteps=TRAINED, shift=1.0)
