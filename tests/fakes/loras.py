"""LoRAs as they are found in the wild: random numbers for a transformer, in the names of each training program."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
ALL = (*ATTENTION, "ffn.net.0.proj", "ffn.net.2")
STRENGTH = 0.3

Trained = dict[str, tuple[torch.Tensor, torch.Tensor]]
"""Layers by their names in diffusers: what goes down to the rank, and what comes up from it."""


def trained(transformer: Any, *, rank: int = 4, seed: int = 1, layers: tuple[str, ...] = ALL) -> Trained:
    """Change all layers of the blocks whose names end so."""
    dice = torch.Generator().manual_seed(seed)
    modules = ((name.removesuffix(".base_layer"), module) for name, module in transformer.named_modules())
    return {
        name: (
            torch.randn(rank, module.in_features, generator=dice) * STRENGTH,
            torch.randn(module.out_features, rank, generator=dice) * STRENGTH,
        )
        for name, module in modules
        if "blocks." in name and name.endswith(layers) and isinstance(module, torch.nn.Linear)
    }


def of_wan(*, width: int, blocks: int, rank: int = 4) -> Trained:
    """Change the attention of a Wan of any size, without building it."""
    return {
        f"blocks.{block}.{attention}.{layer}": (torch.ones(rank, width), torch.ones(width, rank))
        for block in range(blocks)
        for attention in ("attn1", "attn2")
        for layer in ATTENTION
    }


def wans_own(name: str) -> str:
    """Give a layer the name that Wan's makers gave it."""
    name = name.replace("attn1", "self_attn").replace("attn2", "cross_attn").replace("to_out.0", "o")
    name = name.replace("add_k_proj", "k_img").replace("add_v_proj", "v_img")
    return re.sub(r"to_([qkv])$", r"\1", name.replace("ffn.net.0.proj", "ffn.0").replace("ffn.net.2", "ffn.2"))


def diffusers(lora: Trained) -> dict[str, torch.Tensor]:
    return _tensors(lora, lambda name: f"transformer.{name}", "lora_A", "lora_B")


def diffusers_plain(lora: Trained) -> dict[str, torch.Tensor]:
    return _tensors(lora, lambda name: name, "lora_A", "lora_B")


def peft(lora: Trained) -> dict[str, torch.Tensor]:
    return _tensors(lora, lambda name: f"base_model.model.{name}", "lora_A", "lora_B")


def comfyui(lora: Trained, named: Callable[[str], str] = wans_own) -> dict[str, torch.Tensor]:
    return _tensors(lora, lambda name: f"diffusion_model.{named(name)}", "lora_down", "lora_up")


def civitai(lora: Trained) -> dict[str, torch.Tensor]:
    return _tensors(lora, lambda name: f"diffusion_model.{wans_own(name)}", "lora_A", "lora_B")


def diffsynth(lora: Trained) -> dict[str, torch.Tensor]:
    return _tensors(lora, wans_own, "lora_A.default", "lora_B.default")


def kohya(lora: Trained, named: Callable[[str], str] = wans_own) -> dict[str, torch.Tensor]:
    def underscored(name: str) -> str:
        return f"lora_unet_{named(name).replace('.', '_')}"

    alphas = {f"{underscored(name)}.alpha": torch.tensor(float(len(down))) for name, (down, _) in lora.items()}
    return _tensors(lora, underscored, "lora_down", "lora_up") | alphas


FORMS: Mapping[str, Callable[[Trained], dict[str, torch.Tensor]]] = {
    form.__name__: form for form in (diffusers, diffusers_plain, peft, comfyui, civitai, diffsynth, kohya)
}


def write(path: Path, tensors: dict[str, torch.Tensor], **header: Any) -> Path:
    """Save tensors, and texts beside them; what is no text is written as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = {name: text if isinstance(text, str) else json.dumps(text) for name, text in header.items()}
    save_file({name: tensor.clone().contiguous() for name, tensor in tensors.items()}, path, metadata=texts)
    return path


def _tensors(lora: Trained, named: Callable[[str], str], down: str, up: str) -> dict[str, torch.Tensor]:
    return {
        f"{named(name)}.{half}.weight": tensor
        for name, pair in lora.items()
        for half, tensor in zip((down, up), pair, strict=True)
    }
