"""How fast a card could be at best, and how fast one may be expected to be: the work of a clip, and what cards can do.

`python -m gpu.bench.floors` counts the work of all engines anew and prints what `gpu/bench/counted.py` has to hold.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from gpu.bench.counted import COUNTED
from gpu.bench.flops import Size, WorkPart, count
from gpu.bench.fullsize import FULL
from gpu.engines import ENGINES, find_spec
from sakuga.engine import EngineSpec, Preset

INSTALL = "make demo RENDERER=local ENGINE=tiny"
UNABLE = 2

PEAK_TFLOPS: dict[str, float] = {
    "T4": 65,
    "L4": 121,
    "A10": 125,
    "L40S": 362,
    "A100": 312,
    "H100": 989,
    "H200": 989,
    "B200": 2250,
    "B300": 2250,
    "RTX PRO 6000": 504,
    "RTX 5090": 210,
    "RTX 4090": 165,
    "RTX 4080": 97,
    "RTX 4070": 58,
    "RTX 3090": 71,
    "RTX 3080": 60,
    "RTX 3060": 26,
}
"""Dense bf16 (T4: fp16) with fp32 sums, from the vendor's data sheets; for variants such as Ti or PCIe a guide."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Which part of a card's peak is reached, and what a clip takes besides."""

    matrices: float  # in transformers and text encoders
    convolutions: float  # in the VAE
    besides_s: float  # what is not on the card: tokens, copies, the end of the file


UNTUNED = Pace(matrices=0.35, convolutions=0.08, besides_s=1.0)
"""diffusers as it comes, on an H100: 9.77 s for two forwards of Wan 2.1 I2V 14B (README of LightX2V), which is 345
TFLOP/s; and 4 s of a FastWan 1.3B clip that are not denoising (FastVideo, H200), nearly all of it a VAE in fp32."""

TUNED = Pace(matrices=0.58, convolutions=0.25, besides_s=0.3)
"""FastVideo's three dense steps of Wan 2.1 1.3B in 1.49 s with flash attention and compilation (H200), which is 570
TFLOP/s. For a VAE in bf16 and channels-last nobody has published a figure: a quarter is our guess."""


@dataclass(frozen=True, slots=True)
class Work:
    """Operations of a clip in TFLOP."""

    text: float
    begin: float  # encoding what the film begins with
    denoise: float
    decode: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.text + self.begin + self.denoise + self.decode

    def floor_s(self, card: str) -> float:
        """Return the seconds at the peak of a card that is listed: none does it in less."""
        return self.total / (peak_of(card) or float("nan"))

    def expected_s(self, card: str, pace: Pace) -> float:
        """Return the seconds that may be expected of a card at a pace."""
        peak = peak_of(card) or float("nan")
        matrices, convolutions = self.text + self.denoise, self.begin + self.decode
        return matrices / (peak * pace.matrices) + convolutions / (peak * pace.convolutions) + pace.besides_s


@dataclass(frozen=True, slots=True)
class Pass:
    """A part of the denoising loop: so many steps, at a part of the width and height."""

    steps: int
    size: float = 1.0


PASSES: dict[tuple[str, Preset], tuple[Pass, ...]] = {("ltx-video-13b", "quality"): (Pass(8, 0.5), Pass(4))}
"""Engines that draw small first and then refine."""


def peak_of(card: str) -> float | None:
    """Return a card's peak in TFLOP/s by the name that torch or Modal has for it; None for one that isn't listed."""
    words = " ".join(re.findall(r"[A-Z0-9]+", card.upper()))
    known = [name for name in PEAK_TFLOPS if re.search(rf"\b{name}G?\b", words)]
    return PEAK_TFLOPS[max(known, key=len)] if known else None


def work_of(spec: EngineSpec, preset: Preset) -> Work | None:
    """Return the work of an engine's usual clip; None where its models are not known at full size.

    Without LoRAs, previews, and what a cache saves. What has not been counted yet is counted, which takes seconds.
    """
    if spec.name not in FULL or preset not in spec.presets:
        return None
    work = dict.fromkeys(("text", "encode", "forward", "decode"), 0.0)
    for part, size, times in parts(spec, preset):
        known = COUNTED.get((part, spec.name, *size))
        work[part] += times * (count(part, spec.name, size) if known is None else known)
    return Work(text=work["text"], begin=work["encode"], denoise=work["forward"], decode=work["decode"])


def parts(spec: EngineSpec, preset: Preset) -> Iterator[tuple[WorkPart, Size, int]]:
    """Yield what the usual clip of a preset consists of: the part, its size, and how many times it is done."""
    full, recipe = FULL[spec.name], spec.presets[preset]
    width, height = recipe.size or spec.sizes[0]
    size = width, height, spec.num_frames(spec.default_s)
    guided = recipe.guidance_scale > 1
    forwards = full.guided_forwards if guided else 1
    yield "text", (0, 0, 0), 1 + guided
    if full.films_encoded:
        yield "encode", size, full.films_encoded
    for each in PASSES.get((spec.name, preset), (Pass(recipe.num_inference_steps),)):
        at = spec.fitting_size(round(width * each.size), round(height * each.size))
        yield "forward", (*at, size[2]), forwards * each.steps
    yield "decode", size, 1


def rows() -> dict[tuple[WorkPart, str, int, int, int], None]:
    """Return what the engines' usual clips consist of, as keys of `COUNTED`."""
    known = [find_spec(name) for name in ENGINES if name in FULL]
    return {
        (part, spec.name, *size): None
        for spec in known
        for preset in spec.presets
        for part, size, _ in parts(spec, preset)
    }


def main() -> int:
    """Print the rows of `gpu/bench/counted.py`, and return the exit status."""
    try:
        import diffusers  # noqa: F401 - looked for here, as nothing can be counted without
        import torch  # noqa: F401
    except ImportError as error:
        sys.stderr.write(f"What draws is not installed here ({error.name}). Install it: {INSTALL}\n")
        return UNABLE
    for part, name, *size in rows():
        width, height, frames = size
        tflop = count(part, name, (width, height, frames))
        sys.stdout.write(f'    ("{part}", "{name}", {width}, {height}, {frames}): {tflop:.4g},\n')
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
