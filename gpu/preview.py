"""Previews: a small picture of the clean latent, for a few thousandths of what a step costs."""

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
    """Says whether another preview can be afforded, from what the last one took."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._last_s = 0.0
        self._begin = clock()
        self.spent_s = 0.0

    def begin(self) -> None:
        """Begin a render."""
        self._begin = self._clock()
        self.spent_s = 0.0
        self._last_s /= 2  # one that was slow, as the first is, must not be the last

    def affordable(self) -> bool:
        """Whether a preview now would keep within the share."""
        return self.spent_s + self._last_s <= SHARE * (self._clock() - self._begin)

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Measure one preview."""
        began = self._clock()
        try:
            yield
        finally:
            self._last_s = self._clock() - began
            self.spent_s += self._last_s


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
        from safetensors.torch import load_file, save_file

        if cached and cached.is_file():
            known = load_file(cached)
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
            try:
                cached.parent.mkdir(parents=True, exist_ok=True)
                save_file({"weight": weight, "bias": bias}, cached)
            except OSError:
                pass  # a folder for reading only: fitted anew next time
        return cls(weight, bias)

    def picture(self, latent: Any) -> Frame:
        """Return channels x h x w as a picture of h x w pixels."""
        weight, bias = self._weight.to(latent.device), self._bias.to(latent.device)
        colours = latent.float().permute(1, 2, 0) @ weight + bias
        seen: Frame = pictures(colours.permute(2, 0, 1).unsqueeze(1))[0]
        return seen


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
