"""What card is here, what fits on it, and how a pipeline is made ready for it."""

import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from weakref import WeakSet

from gpu.pipeline import tuning
from sakuga.engine import GIGABYTE, Variant, VariantName
from sakuga.errors import RenderFailed

AMPERE, VOLTA = (8, 0), (7, 0)
"""Compute capabilities: from Ampere on bf16 is computed, from Volta on fp16 is fast."""

HEAD_ROOM = 0.95
"""Which part of the free memory may be planned for; the rest is CUDA's own, and what lies between blocks."""

SMALL_GB = 13.0
"""On offloading cards up to this size the VAE decodes in tiles."""

MEMORY_SHARE = 0.5
"""Up to which part of the machine's memory offloaded weights are pinned, which makes them come three times as fast."""

LARGE = ("transformer", "text_encoder", "image_encoder")
"""What the names of those parts of a pipeline begin with that are offloaded; the rest stays on the card."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hardware:
    """Where an engine runs. Memory in GiB."""

    name: str
    vram_gb: float = 0.0
    capability: tuple[int, int] = (0, 0)
    is_cuda: bool = False
    free_gb: float | None = None  # of vram_gb, when it was looked at; all of it if None

    @classmethod
    def found(cls, device: str | None = None) -> Self:
        """Return what is here: the CUDA card unless `device` says "cpu". Raises RenderFailed if there is none."""
        import torch

        if not torch.cuda.is_available():
            if device and device.startswith("cuda"):
                raise RenderFailed(reason="there is no CUDA card here, or torch was built without CUDA")
            return cls("cpu")
        if device == "cpu":
            return cls("cpu")
        card = torch.device(device or "cuda")
        free, whole = torch.cuda.mem_get_info(card)
        return cls(
            name=torch.cuda.get_device_name(card),
            vram_gb=round(whole / GIGABYTE, 2),
            capability=torch.cuda.get_device_capability(card),
            is_cuda=True,
            free_gb=round(free / GIGABYTE, 2),
        )

    @property
    def device(self) -> str:
        """The device as torch names it."""
        return "cuda" if self.is_cuda else "cpu"


@dataclass(frozen=True, slots=True)
class Readiness:
    """How a pipeline was made ready."""

    variant: VariantName | None
    dtype: str
    attention: str = tuning.NATIVE
    vae: str = ""
    compiled: bool = False
    tiled: bool = False


def choose(variants: Iterable[Variant], hardware: Hardware) -> Variant | None:
    """Return the first variant that fits the card; None if there is none to choose from.

    The last one is taken as well when it fits an empty card, as it makes do with what it gets. Without a card, the
    first is taken. Raises RenderFailed when none fits.
    """
    offered = tuple(variants)
    if not offered or not hardware.is_cuda:
        return offered[0] if offered else None
    free = hardware.vram_gb if hardware.free_gb is None else hardware.free_gb
    for variant in offered:
        if variant.vram_gb <= free * HEAD_ROOM:
            return variant
    smallest = min(offered, key=lambda variant: variant.vram_gb)
    if smallest.vram_gb <= hardware.vram_gb:
        return smallest
    raise RenderFailed(
        reason=f"it needs {smallest.vram_gb:g} GB of GPU memory and {hardware.name} has {hardware.vram_gb:.1f} GB"
    )


def dtype_of(hardware: Hardware) -> Any:
    """Return the torch dtype to compute in: bf16, fp16 on cards too old for it, fp32 where neither is fast.

    fp16 overflows in some text encoders and VAEs; what comes of that is FramesInvalid, not a bad picture.
    """
    import torch

    if not hardware.is_cuda or hardware.capability < VOLTA:
        return torch.float32
    return torch.bfloat16 if hardware.capability >= AMPERE else torch.float16


_ready: WeakSet[Any] = WeakSet()
"""Models that have been prepared. A pipeline comes again when its transformer is exchanged for a distilled one."""


def prepare(
    pipe: Any,
    variant: Variant | None,
    hardware: Hardware,
    cache: Path,
    *,
    compile: bool = False,  # noqa: A002 (as torch and Place call it)
) -> Readiness:
    """Put a pipeline on the card in a variant, with the fastest kernels, and return what was chosen.

    What is fastest is measured once per card, model and version, and remembered in `cache`/tuning.json. May be called
    again for the same pipeline with an exchanged transformer. Raises torch.OutOfMemoryError.
    """
    import torch

    device, dtype = torch.device(hardware.device), dtype_of(hardware)
    name = variant.name if variant else None
    offloading, casting = bool(name and "offload" in name), bool(name and "fp8" in name)
    notes = tuning.Notes(cache / tuning.NOTES)
    if hardware.is_cuda:
        torch.set_float32_matmul_precision("high")  # TF32 where fp32 is asked for: ten bits, which a picture is within
        torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = not offloading  # its trials take memory
    new = {part: model for part, model in _models(pipe) if model not in _ready}
    _ready.update(new.values())
    if casting:
        for model in _transformers(new):
            cast(model, dtype)
    if offloading:
        offload(new, device, pin=_affordable(new))
    else:
        pipe.to(device)
    tiled = offloading and hardware.vram_gb <= SMALL_GB and hasattr(pipe.vae, "enable_tiling")
    if tiled:
        pipe.vae.enable_tiling()
    vae = _tuned_vae(pipe.vae, hardware, dtype, notes) if "vae" in new else None
    attention = tuning.NATIVE
    compiled = False
    for model in _transformers(new):
        attention = _tuned_attention(model, hardware, dtype, notes)
        compiled = compile and not (offloading or casting) and compile_blocks(model, cache)
    if hardware.is_cuda:
        torch.cuda.empty_cache()  # of what trying has left
    readiness = Readiness(name, _plain(dtype), attention, _plain(vae or pipe.vae.dtype), compiled, tiled)
    log.info("hardware.ready card=%s %s", hardware.name, readiness)
    return readiness


def cast(transformer: Any, dtype: Any) -> None:
    """Hold a transformer's large weights in 8 bits, and compute in `dtype`. LoRAs may be loaded before and after."""
    import torch

    transformer.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=dtype)
    for module in transformer.modules():
        if isinstance(module, torch.nn.Linear) and module.weight.dtype == torch.float8_e4m3fn:
            # PEFT makes LoRA weights of the base weight's type, and in 8 bits most of them were 0, unless the base
            # says what it computes in: BaseTunerLayer._get_base_layer_device_and_dtype of peft 0.21.
            module.compute_dtype = dtype


def offload(models: dict[str, Any], device: Any, *, pin: bool) -> None:
    """Keep the large models in the machine's memory, and bring them to the card block by block, ahead of their turn.

    The VAE stays on the card: engines walk through its decoder by themselves, where no hook would hear of it.
    """
    from diffusers.hooks import apply_group_offloading

    cuda = device.type == "cuda"
    for part, model in models.items():
        if not part.startswith(LARGE):
            model.to(device)
            continue
        blocks = part.startswith("transformer")
        apply_group_offloading(
            model,
            onload_device=device,
            offload_type="block_level" if blocks else "leaf_level",
            num_blocks_per_group=1 if blocks else None,
            use_stream=cuda,
            record_stream=cuda,
            low_cpu_mem_usage=not pin,
        )


def compile_blocks(transformer: Any, cache: Path) -> bool:
    """Have a transformer's repeated blocks compiled when they first run; return whether it can be done.

    A block that can't be compiled is run as it is. Kernels are kept below `cache`.
    """
    import torch

    if not getattr(transformer, "_repeated_blocks", None):
        return False  # Mochi names none
    # Where inductor and triton keep their work; there is no other way to tell them.
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(cache / "inductor")  # noqa: TID251 (told, not asked)
    torch._dynamo.config.suppress_errors = True  # noqa: SLF001 (its documented place)
    transformer.compile_repeated_blocks()
    return True


def _models(pipe: Any) -> Iterator[tuple[str, Any]]:
    import torch

    for part, model in pipe.components.items():
        if isinstance(model, torch.nn.Module):
            yield part, model


def _transformers(models: dict[str, Any]) -> list[Any]:
    return [model for part, model in models.items() if part.startswith("transformer")]


def _plain(name: Any) -> str:
    return str(name).removeprefix("torch.")


def _affordable(models: dict[str, Any]) -> bool:
    """Whether there is memory enough to pin what is offloaded."""
    if not hasattr(os, "sysconf"):
        return False  # Windows
    weight = sum(
        tensor.numel() * tensor.element_size()
        for part, model in models.items()
        if part.startswith(LARGE)
        for tensor in model.parameters()
    )
    return bool(weight <= MEMORY_SHARE * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


def _key(hardware: Hardware, *what: Any) -> str:
    import diffusers
    import torch

    return " | ".join(str(part) for part in (hardware.name, torch.__version__, diffusers.__version__, *what))


def _tuned_attention(transformer: Any, hardware: Hardware, dtype: Any, notes: tuning.Notes) -> str:
    """Set the fastest attention and return its name. Without a card there is no choice."""
    config = transformer.config
    if not hardware.is_cuda or "num_attention_heads" not in config:
        return tuning.NATIVE
    names = tuning.backends(transformer)
    shape = (type(transformer).__name__, config.num_attention_heads, config.attention_head_dim, _plain(dtype))
    key = _key(hardware, "attention", *shape, "+".join(names))
    known = notes.recall(key)
    if known is None or known.get("best") not in names:
        best, spent = tuning.fastest_attention(transformer, hardware.device, dtype, names, tuning.TOKENS)
        known = {"best": best, "milliseconds": spent, "tokens": tuning.TOKENS}
        notes.keep(key, known)
    tuning.use_attention(transformer, known["best"])
    return str(known["best"])


def _tuned_vae(vae: Any, hardware: Hardware, dtype: Any, notes: tuning.Notes) -> str:
    """Put the VAE into the fastest format that shows no difference, and return it. Without a card, it stays."""
    if not hardware.is_cuda:
        return _plain(vae.dtype)
    weights = sum(weight.numel() for weight in vae.parameters())
    key = _key(hardware, "vae", type(vae).__name__, weights, _plain(dtype))
    tried = tuning.formats(dtype)
    known = notes.recall(key)
    best = next((kind for kind in tried if known and known.get("best") == [kind.dtype, kind.channels_last]), None)
    if best is None:
        best, trials = tuning.fastest_format(vae, tried, tuning.PICTURE, tuning.ROUNDS)
        notes.keep(key, {"best": [best.dtype, best.channels_last], "trials": trials})
    best.put_on(vae)
    return best.dtype + (" channels-last" if best.channels_last else "")
