"""Schedules: the noise levels that few-step models were trained on, exactly."""

from collections.abc import Sequence
from typing import Any


def unipc(config: Any, flow_shift: float) -> Any:
    """Return a UniPC scheduler with that shift.

    With shift 5 and 4 steps its timesteps are 999, 937, 833, 625: those that lightx2v's distillation was trained on.
    """
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

    trained = config.get("num_train_timesteps", 1000)
    return PinnedScheduler(num_train_timesteps=trained, shift=1.0, stochastic_sampling=stochastic)
