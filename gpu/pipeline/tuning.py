"""What is fastest on this card: attention kernels and the VAE's number format, measured once and remembered."""

import copy
import json
import logging
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

TOKENS = 8192
"""How long the attention is that is timed: about a clip of LTX-Video, a quarter of one of Wan 2.1 at 832x480."""

NATIVE = "native"
BACKENDS = (NATIVE, "_native_cudnn", "_native_flash", "flash", "_flash_3", "sage")
"""Attention backends of diffusers that need no download. Those with `_hub` in their name fetch code at run time."""

PACKAGES = {"flash": "flash_attn", "_flash_3": "flash_attn_interface", "sage": "sageattention"}
TAKES_MASKS = {NATIVE, "_native_cudnn"}
MASKED_THROUGHOUT = {"HunyuanVideo15Transformer3DModel"}
"""Transformers that give a mask to every attention. The others give one, if at all, where words are looked at."""

TOLERATED_ATTENTION = 0.05
"""Relative difference (L2) from plain attention up to which a faster one is taken; sage's int8 has 0.02 to 0.04."""

TOLERATED_PIXEL, TOLERATED_MEAN = 0.1, 0.01
"""Difference of a frame (-1 to 1) from fp32's up to which a faster format is taken: 13 and 1.3 of 255 steps."""

NOTES = "tuning.json"

LATENT_FRAMES, PICTURE = 2, (480, 832)
ROUNDS = 5

log = logging.getLogger(__name__)


class Notes:
    """A small JSON file of what was measured. One that can't be read or written is as good as none."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def recall(self, key: str) -> dict[str, Any] | None:
        """Return what was kept under a key."""
        found = self.all().get(key)
        return found if isinstance(found, dict) else None

    def keep(self, key: str, value: dict[str, Any]) -> None:
        """Keep a value, beside what others have kept meanwhile."""
        draft = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps(self.all() | {key: value}, indent=1, sort_keys=True), encoding="utf-8")
            draft.replace(self._path)
        except OSError as error:
            log.warning("tuning.not_kept path=%s reason=%s", self._path, type(error).__name__)

    def all(self) -> dict[str, Any]:
        """Return everything that was kept."""
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def timed(work: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """Return the seconds of the fastest of several runs, after one that doesn't count."""
    import torch

    wait = torch.cuda.synchronize if torch.cuda.is_available() else lambda: None
    best = float("inf")
    for turn in range(rounds + 1):
        wait()
        began = time.perf_counter()
        work()
        wait()
        if turn:
            best = min(best, time.perf_counter() - began)
    return best


def backends(transformer: Any) -> list[str]:
    """Return the attention backends that are installed here and that a transformer can be run with."""
    masked = type(transformer).__name__ in MASKED_THROUGHOUT
    return [
        name
        for name in BACKENDS
        if (name not in PACKAGES or find_spec(PACKAGES[name])) and (name in TAKES_MASKS or not masked)
    ]


def fastest_attention(
    transformer: Any, device: Any, dtype: Any, names: Iterable[str], tokens: int
) -> tuple[str, dict[str, float]]:
    """Return the fastest of some backends for a transformer's heads, and milliseconds of all that could be run.

    One that raises, or whose result differs too much from plain attention, is left out.
    """
    import torch
    from diffusers.models.attention_dispatch import dispatch_attention_fn

    heads, width = transformer.config.num_attention_heads, transformer.config.attention_head_dim
    dice = torch.Generator(device).manual_seed(0)
    query, key, value = (
        torch.randn(1, tokens, heads, width, device=device, dtype=dtype, generator=dice) for _ in range(3)
    )
    masked = type(transformer).__name__ in MASKED_THROUGHOUT
    mask = torch.ones(1, 1, tokens, tokens, device=device, dtype=torch.bool) if masked else None
    spent: dict[str, float] = {}
    with torch.no_grad():

        def attend(name: str) -> Any:
            return dispatch_attention_fn(query, key, value, attn_mask=mask, backend=name)

        plain = attend(NATIVE).float()
        for name in names:
            try:
                difference = float((attend(name).float() - plain).norm() / plain.norm())
                if difference <= TOLERATED_ATTENTION:
                    spent[name] = round(timed(lambda: attend(name)) * 1000, 3)  # noqa: B023 (called at once)
            except Exception as error:  # noqa: BLE001 (kernels raise what they like when a card is not theirs)
                log.debug("tuning.unfit backend=%s reason=%s", name, type(error).__name__)
    return min(spent, key=lambda name: spent[name], default=NATIVE), spent


def use_attention(transformer: Any, name: str) -> None:
    """Set a transformer's attention backend, and no other model's: diffusers would change the process's default too."""
    from diffusers.models.attention_dispatch import attention_backend

    with attention_backend(NATIVE):
        transformer.set_attention_backend(name)
    if name in TAKES_MASKS:
        return
    for path, module in transformer.named_modules():
        # `attn2` looks at the words, whose padding LTX and LTX-2 mask. It has a hundredth of the work.
        if path.endswith("attn2") and hasattr(module, "set_attention_backend"):
            module.set_attention_backend(NATIVE)


@dataclass(frozen=True, slots=True)
class Format:
    """How a VAE's weights are held."""

    dtype: str  # as torch names it: "float32"
    channels_last: bool = False

    def put_on(self, vae: Any) -> None:
        """Change a VAE's weights to this format."""
        import torch

        vae.to(getattr(torch, self.dtype))
        layouts = {4: torch.channels_last, 5: torch.channels_last_3d} if self.channels_last else {}
        for weight in vae.parameters():
            layout = layouts.get(weight.dim(), torch.contiguous_format)
            weight.data = weight.data.contiguous(memory_format=layout)


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of decoding with one format."""

    milliseconds: float
    largest: float  # difference of a pixel from fp32's, of -1 to 1
    mean: float

    @property
    def tolerable(self) -> bool:
        """Whether nobody would see the difference."""
        return self.largest <= TOLERATED_PIXEL and self.mean <= TOLERATED_MEAN


def formats(dtype: Any) -> list[Format]:
    """Return the formats to try where the transformer computes in `dtype`; the first is the most exact."""
    import torch

    names = dict.fromkeys(str(kind).removeprefix("torch.") for kind in (torch.float32, dtype))
    return [Format(name, last) for name in names for last in (False, True)]


def fastest_format(
    vae: Any, tried: list[Format], picture: tuple[int, int], rounds: int = ROUNDS
) -> tuple[Format, dict[str, dict[str, float]]]:
    """Return the fastest format whose picture is like the first's, and what came of all that could be run.

    `vae` lies on its device and stays as it is; `picture` is the height and width to decode, in pixels.
    """
    import torch

    latents = _latents(vae, picture)
    exact = None
    trials: dict[Format, Trial] = {}
    for kind in tried:
        try:
            other = copy.deepcopy(vae)
            kind.put_on(other)
            with torch.no_grad():
                frames = _decode(other, latents).float().clamp(-1, 1)
                exact = frames if exact is None else exact
                gap = torch.nan_to_num((frames - exact).abs(), nan=2.0)
                spent = timed(lambda: _decode(other, latents), rounds)  # noqa: B023 (called at once)
            trials[kind] = Trial(round(spent * 1000, 3), round(float(gap.max()), 4), round(float(gap.mean()), 5))
        except torch.OutOfMemoryError:
            log.debug("tuning.unfit format=%s reason=memory", kind)
    fit = {kind: trial for kind, trial in trials.items() if trial.tolerable}
    best = min(fit, key=lambda kind: fit[kind].milliseconds, default=tried[-1])
    return best, {
        f"{kind.dtype}{'-last' if kind.channels_last else ''}": asdict(trial) for kind, trial in trials.items()
    }


def _latents(vae: Any, picture: tuple[int, int]) -> Any:
    """Return smooth noise of the VAE's latent shape: content rather than grain."""
    import torch

    scale = getattr(vae, "spatial_compression_ratio", None) or vae.config.get("scale_factor_spatial") or 8
    channels = vae.config.get("z_dim") or vae.config.latent_channels
    size = (LATENT_FRAMES, *(max(2, pixels // scale) for pixels in picture))
    coarse = torch.randn(1, channels, *(max(2, side // 4) for side in size), generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.interpolate(coarse, size=size, mode="trilinear", align_corners=True).to(vae.device)


def _decode(vae: Any, latents: Any) -> Any:
    import torch

    given = [latents.to(vae.dtype)]
    if vae.config.get("timestep_conditioning"):
        given.append(torch.full((1,), 0.05, device=vae.device, dtype=vae.dtype))
    return vae.decode(*given, return_dict=False)[0]
