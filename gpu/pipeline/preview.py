"""Previews: a small picture of the clean latent, for a few thousandths of what a step costs."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np

from gpu.engines import Frame, Frames

SHARE = 0.03
"""Part of the time so far that previews may have taken; the promise is 4 % of the whole."""

STILLS, STILL_SIZE = 24, 128
"""How many pictures the map is fitted on, and their width and height in pixels."""

RIDGE = 1e-3


class PreviewBudget:
    """Says whether another preview can be afforded, from what the cheapest so far took for its size."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._pixel_s: float | None = None
        self._begin = clock()
        self.spent_s = 0.0
        self.generous = False  # where nobody is in a hurry

    def begin(self) -> None:
        """Begin a render."""
        self._begin = self._clock()
        self.spent_s = 0.0

    def affordable(self, pixels: int) -> bool:
        """Whether a preview of a film of that width times height would, now, keep within the share."""
        return self.generous or self.spent_s + (self._pixel_s or 0.0) * pixels <= SHARE * (self._clock() - self._begin)

    @contextmanager
    def spending(self, pixels: int) -> Iterator[None]:
        """Measure one preview. One that is slow, as the first of a size is, says nothing of the next."""
        began = self._clock()
        try:
            yield
        finally:
            took = self._clock() - began
            self.spent_s += took
            self._pixel_s = min(took / pixels, self._pixel_s or float("inf"))


class LatentMap:
    """A linear map from a latent's channels to red, green and blue, fitted on the engine's own VAE."""

    def __init__(self, weight: Any, bias: Any) -> None:
        self._weight, self._bias = weight, bias  # channels x 3, and 3

    @classmethod
    def fitted(cls, encode: Callable[[Any], Any], cached: Path | None = None) -> Self:
        """Fit by least squares on synthetic pictures.

        `encode` takes n x 3 x h x w in -1..1 and returns n x c x h' x w'. With `cached` the numbers are read from that
        .safetensors file, or written to it if it can be.
        """
        import torch

        if cached and (known := _recalled(cached)):
            return cls(known["weight"], known["bias"])
        pixels = stills()
        latents = encode(pixels).float().cpu()
        colours = torch.nn.functional.adaptive_avg_pool2d(pixels, latents.shape[-2:])
        inputs = latents.permute(0, 2, 3, 1).flatten(0, 2)
        inputs = torch.cat([inputs, torch.ones(len(inputs), 1)], dim=1).double()
        targets = colours.permute(0, 2, 3, 1).flatten(0, 2).double()
        # A little ridge: pictures this plain leave some channels nearly unused.
        gram = inputs.T @ inputs + RIDGE * len(inputs) * torch.eye(inputs.shape[1], dtype=torch.float64)
        solution = torch.linalg.solve(gram, inputs.T @ targets).float()
        weight, bias = solution[:-1].contiguous(), solution[-1].contiguous()
        if cached:
            _keep(cached, {"weight": weight, "bias": bias})
        return cls(weight, bias)

    def picture(self, latent: Any) -> Frame:
        """Return channels x h x w as a picture of h x w pixels."""
        weight, bias = self._weight.to(latent.device), self._bias.to(latent.device)
        colours = latent.float().permute(1, 2, 0) @ weight + bias
        seen: Frame = pictures(colours.permute(2, 0, 1).unsqueeze(1))[0]
        return seen


def _recalled(file: Path) -> dict[str, Any] | None:
    """Return the tensors of a file, or None if it is not there or can't be read."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(file) if file.is_file() else None
    except (SafetensorError, OSError):
        return None


def _keep(file: Path, tensors: dict[str, Any]) -> None:
    """Write tensors to a file, whole or not at all: a container may be stopped meanwhile, and others read."""
    from safetensors.torch import save_file

    draft = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, draft)
        draft.replace(file)
    except OSError:
        pass  # a folder for reading only: fitted anew next time


def pictures(film: Any) -> Frames:
    """Return 3 x frames x height x width in -1..1 as frames x height x width x 3 in 0-255, in the CPU's memory."""
    found: Frames = np.asarray(((film.float().clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 3, 0).cpu())
    return found


def stills() -> Any:
    """Return pictures of soft and of sharp patches of colour: STILLS x 3 x STILL_SIZE x STILL_SIZE, -1 to 1."""
    import torch

    dice = torch.Generator().manual_seed(7)
    size = (STILL_SIZE, STILL_SIZE)
    made = []
    for number in range(STILLS):
        patches = torch.rand(1, 3, *(2 + number % 5,) * 2, generator=dice) * 2 - 1
        how = {"mode": "bilinear", "align_corners": False} if number % 2 else {"mode": "nearest"}
        made.append(torch.nn.functional.interpolate(patches, size=size, **how))
    return torch.cat(made)
