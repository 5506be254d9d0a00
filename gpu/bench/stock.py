"""diffusers as it comes, timed: the same pipeline, size and steps as ours, loaded and called as its pages say."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sakuga.engine import RenderStage


@dataclass
class Call:
    """What a pipeline is called with, as the engine of ours would call it."""

    arguments: dict[str, Any]
    scheduler: Any
    fps: float
    guidance_scale: float = 1.0
    prompts: list[str] = field(default_factory=list)  # one for each run, so that none is remembered


def wait() -> None:
    """Wait for the card, if there is one, so that what was asked for has been done."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def time_stock(pipe: Any, call: Call, device: str, folder: Path) -> list[dict[RenderStage, float]]:
    """Return the seconds per stage of each run, the first of which also warms up.

    The transformer computes in the dtype that it was opened with, and the VAE of Wan in fp32, as the pages of diffusers
    say. Files go to `folder`. Raises torch.OutOfMemoryError.
    """
    import torch
    from diffusers.utils import encode_video

    pipe.to(device)
    if type(pipe.vae).__name__ == "AutoencoderKLWan":
        pipe.vae.to(torch.float32)
    pipe.scheduler = call.scheduler
    if hasattr(pipe, "guider"):  # HunyuanVideo is not told by an argument
        pipe.guider = pipe.guider.new(guidance_scale=call.guidance_scale, enabled=call.guidance_scale > 1)
    runs: list[dict[RenderStage, float]] = []
    spent: dict[RenderStage, float] = {}
    pipe.encode_prompt = _timed(pipe.encode_prompt, "text", spent)
    pipe.vae.decode = _timed(pipe.vae.decode, "decode", spent)
    for number, prompt in enumerate(call.prompts):
        spent["text"] = spent["decode"] = 0.0
        began = time.perf_counter()
        dice = torch.Generator("cpu").manual_seed(number)
        frames = pipe(prompt=prompt, generator=dice, output_type="np", **call.arguments).frames[0]
        drawn = time.perf_counter()
        encode_video(frames.clip(0, 1), fps=round(call.fps), output_path=str(folder / f"stock-{number}.mp4"))
        encode = time.perf_counter() - drawn
        runs.append(spent | {"denoise": drawn - began - spent["text"] - spent["decode"], "encode": encode})
    return runs


def _timed(work: Callable[..., Any], stage: RenderStage, spent: dict[RenderStage, float]) -> Callable[..., Any]:
    """Return the same function, which also adds its seconds to a stage."""

    def timed(*values: Any, **named: Any) -> Any:
        wait()
        began = time.perf_counter()
        try:
            return work(*values, **named)
        finally:
            wait()
            spent[stage] += time.perf_counter() - began

    return timed
