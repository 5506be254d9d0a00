"""The probe: hears each step of a denoising loop, without the pipeline knowing."""

from collections.abc import Callable
from typing import Any, Self

OnStep = Callable[[int, Callable[[], Any]], None]
"""Called as `on_step(step, clean)` after each step, counted from 1; `clean()` is the clean latent as foreseen then."""


class Probe:
    """While entered, the scheduler's `step` also calls `on_step`, which may raise to stop the loop.

    The scheduler's class is exchanged for a subclass of it. Not a callback of the pipeline, since HunyuanVideo 1.5 has
    none and the others hand over the noisy latent; not an attribute of the object, since LTX-2 copies its scheduler
    deeply for the sound and the copy would speak too.
    """

    def __init__(self, scheduler: Any, on_step: OnStep) -> None:
        self._scheduler = scheduler
        self._plain = type(scheduler)
        self._on_step = on_step
        self._steps = 0

    def __enter__(self) -> Self:
        probe, plain = self, self._plain

        class Probed(plain):  # type: ignore[misc, valid-type]
            def step(self, model_output: Any, timestep: Any, sample: Any, *more: Any, **options: Any) -> Any:
                if self is not probe._scheduler:
                    return super().step(model_output, timestep, sample, *more, **options)
                if self.step_index is None:
                    self._init_step_index(timestep)
                sigma = self.sigmas[self.step_index]
                after = super().step(model_output, timestep, sample, *more, **options)
                probe._heard(lambda: clean(self, model_output, sample, sigma, options.get("per_token_timesteps")))
                return after

        Probed.__name__, Probed.__qualname__ = plain.__name__, plain.__qualname__
        self._scheduler.__class__ = Probed
        return self

    def __exit__(self, *_: object) -> None:
        self._scheduler.__class__ = self._plain

    def _heard(self, clean_latent: Callable[[], Any]) -> None:
        self._steps += 1
        self._on_step(self._steps, clean_latent)


def clean(scheduler: Any, model_output: Any, sample: Any, sigma: Any, per_token_timesteps: Any = None) -> Any:
    """Return the clean latent that a flow-matching model foresees, in float32 and the sample's shape.

    sample = (1 - sigma) * clean + sigma * noise, and the model's output is noise - clean.
    """
    output, noisy = model_output.float(), sample.float()
    if per_token_timesteps is not None:  # LTXConditionPipeline: a sigma per token, and the output negated
        return noisy + (per_token_timesteps / scheduler.config.num_train_timesteps)[..., None] * output
    if scheduler.config.get("invert_sigmas", False):  # Mochi: sigma counts the clean part, the output is clean - noise
        return noisy + (1 - float(sigma)) * output
    return noisy - float(sigma) * output
