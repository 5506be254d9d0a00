"""The tensors of a LoRA file in the names of diffusers, and proof that each has its place in a model."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gpu.character.families import likely_model
from gpu.character.lora_file import TEXT_ENCODER, LoraFile, shown
from sakuga.errors import CharacterRefused

PARTS = ("transformer", "connectors")
"""Parts of a pipeline that LoRAs change. None of our families has LoRAs for its text encoder."""
Tensors = dict[str, Any]
Parts = Mapping[str, Any]
"""The modules of a pipeline that LoRAs change, by name: transformer, and connectors where there are some."""

SETTINGS = "lora_adapter_metadata"
"""Where the training scripts of diffusers keep rank and alpha of their LoRAs: JSON, in the file's header."""
USUAL_RANK = 8
"""PEFT's, and its alpha."""
KOHYA = "lora_unet_"
KNOWN_PREFIXES = ("transformer.", "connectors.", "diffusion_model.", "text_embedding_projection.", KOHYA)
WAN_LAYER = re.compile(rf"{KOHYA}(blocks)_(\d+)_(self_attn|cross_attn|ffn)_(\w+)$")
HALVES = {"lora_A": r"lora_A\.\w+|lora_down|lora\.down", "lora_B": r"lora_B\.\w+|lora_up|lora\.up"}
"""What the halves of a layer are called by PEFT, and by others."""
TENSOR = re.compile(r"^(?P<part>\w+)\.(?P<layer>.+)\.lora_(?:(?P<half>[AB])\.(?P<kind>weight|bias)|magnitude_vector)$")
PICTURE_LAYER = re.compile(r"\.add_[kv]_proj$|\bimage_embedder\.")
"""Layers that see nothing but the picture that a clip begins with; only Wan's image-to-video models have them."""


def read(path: Path, pipeline: Any, parts: Parts) -> Tensors:
    """Return a file's tensors in the names of diffusers, each certain to fit a layer of `parts`; alphas are worked in.

    `pipeline` is the class whose LoRA mixin knows the names. `parts` may lie on the meta device. Diffusers only warns
    of what does not fit, so this is where it is found out. Raises CharacterRefused.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    file = LoraFile.read(path)
    foreign = sum(bool(TEXT_ENCODER.match(layer)) for layer in file.layers)
    if foreign and foreign < len(file.layers):
        _refuse(file, f"{foreign} of its {len(file.layers)} layers are a text encoder's, which no LoRA changes here")
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise CharacterRefused(file=path.name, problem=f"it is damaged ({error})") from error
    tensors = _scaled(_named(tensors, parts), file)
    if not all(tensor.float().isfinite().all() for tensor in tensors.values()):
        _refuse(file, "some of its numbers are infinite or none at all")
    count = sum(_is_first_half(name) for name in tensors)
    try:
        converted: Tensors = pipeline.lora_state_dict(tensors)
    except (ValueError, KeyError, IndexError, RuntimeError, TypeError, AttributeError) as error:
        raise CharacterRefused(file=path.name, problem=_guessed(file, "its layers have unknown names")) from error
    dropped = count - sum(_is_first_half(name) for name in converted)
    if dropped > 0:
        _refuse(file, _guessed(file, f"{dropped} of its {count} layers have unknown names"))
    fitting = dict(_without_picture(converted, parts))
    if problem := _misfit(fitting, parts):
        _refuse(file, _guessed(file, problem))
    return fitting


def _named(tensors: Tensors, parts: Parts) -> Tensors:
    """Name halves as PEFT does and layers with dots, behind the prefix that tells the mixin whose they are.

    Diffusers reads kohya's names only for Wan, and only where every layer was trained.
    """
    modules = {name for name, _ in parts["transformer"].named_modules()}
    dotted = {f"{KOHYA}{name.replace('.', '_')}": f"transformer.{name}" for name in modules}
    plain = {_plain(name, dotted): tensor for name, tensor in tensors.items()}
    if any(name.startswith((*KNOWN_PREFIXES, "text_encoder", "lora_te")) for name in plain):
        return plain
    ours = any(re.split(r"\.lora[_.]", name)[0] in modules for name in plain)
    return {f"{'transformer' if ours else 'diffusion_model'}.{name}": tensor for name, tensor in plain.items()}


def _plain(name: str, dotted: Mapping[str, str]) -> str:
    name = re.sub(r"^(base_model\.model|model)\.", "", name)
    if name.startswith(KOHYA):
        layer, _, rest = name.partition(".")
        wan = WAN_LAYER.match(layer)
        name = f"{'diffusion_model.' + '.'.join(wan.groups()) if wan else dotted.get(layer, layer)}.{rest}"
    for half, others in HALVES.items():
        name = re.sub(rf"\.(?:{others})\.weight$", f".{half}.weight", name)
    return name


def _scaled(tensors: Tensors, file: LoraFile) -> Tensors:
    """Work each layer's alpha into its second half, so that all that is loaded counts alike.

    Alphas stand in tensors of their own, which not every mixin of diffusers reads, or in the header.
    """
    scaled = dict(tensors)
    for name in [name for name in tensors if name.endswith(".alpha")]:
        alpha = float(scaled.pop(name))
        first, second = (f"{name.removesuffix('.alpha')}.{half}.weight" for half in HALVES)
        if first in tensors and second in tensors:
            scaled[second] = tensors[second].float() * (alpha / tensors[first].shape[0])
    if SETTINGS not in file.metadata:
        return scaled
    for name in list(scaled):
        if match := re.match(r"^(?P<part>\w+)\.(?P<layer>.+)\.lora_B\.(weight|bias)$", name):
            scaled[name] = scaled[name].float() * _scale(file, match["part"], match["layer"])
    return scaled


def _scale(file: LoraFile, part: str, layer: str) -> float:
    """Return by how much a layer's change counts, as PEFT would from the settings in the header."""
    from peft.utils.other import get_pattern_key

    def setting(name: str, patterns: str) -> float:
        special = settings.get(f"{part}.{patterns}") or {}
        return float(special.get(get_pattern_key(special, layer), settings.get(f"{part}.{name}", USUAL_RANK)))

    try:
        settings = json.loads(file.metadata[SETTINGS])
        rank, alpha = setting("r", "rank_pattern"), setting("lora_alpha", "alpha_pattern")
        return alpha / (math.sqrt(rank) if settings.get(f"{part}.use_rslora") else rank)
    except (ValueError, TypeError, AttributeError, ZeroDivisionError, RecursionError, re.error) as error:
        raise CharacterRefused(file=file.path.name, problem=f"its header's {SETTINGS} can't be read") from error


def _without_picture(tensors: Tensors, parts: Parts) -> Iterator[tuple[str, Any]]:
    """Leave out what changes how a picture is seen, where the model sees none: there it would change nothing."""
    has_picture = any(PICTURE_LAYER.search(name) for name, _ in parts["transformer"].named_modules())
    for name, tensor in tensors.items():
        match = TENSOR.match(name)
        if has_picture or not (match and PICTURE_LAYER.search(match["layer"])):
            yield name, tensor


def _misfit(tensors: Tensors, parts: Parts) -> str:
    """Return in plain words what does not fit; nothing if every tensor has its place and shape."""
    layers: dict[str, dict[str, tuple[int, ...]]] = {}
    strange = 0
    for name, tensor in tensors.items():
        match = TENSOR.match(name)
        strange += match is None
        if match:
            half = f"{match['half']} {match['kind']}"
            layers.setdefault(f"{match['part']}.{match['layer']}", {})[half] = tuple(tensor.shape)
    modules = {f"{part}.{name}": module for part, root in parts.items() for name, module in root.named_modules()}
    known = {name: halves for name, halves in layers.items() if name in modules}
    if not known:
        return "none of its layers belongs to this model"
    if len(known) < len(layers):
        example = next(name for name in layers if name not in known)
        return f"{len(layers) - len(known)} of its {len(layers)} layers are not in this model, such as {shown(example)}"
    if strange:
        return f"{strange} of its tensors are no LoRA's"
    for name, halves in known.items():
        if problem := _unlike(halves, modules[name]):
            return f"{shown(name)} {problem}"
    return ""


def _unlike(halves: Mapping[str, tuple[int, ...]], module: Any) -> str:
    base = module.get_base_layer() if hasattr(module, "get_base_layer") else module
    inputs, outputs = (
        getattr(base, f"{way}_features", getattr(base, f"{way}_channels", None)) for way in ("in", "out")
    )
    if inputs is None or outputs is None:
        return "is no layer that a LoRA can change"
    first, second = halves.get("A weight", ()), halves.get("B weight", ())
    if len(first) < 2 or len(second) < 2 or first[0] != second[1]:  # noqa: PLR2004 (rank x inputs, outputs x rank)
        return "has only one half of its change"
    bias = halves.get("B bias", (outputs,))
    if (first[1], second[0], bias) != (inputs, outputs, (outputs,)):
        return f"takes {first[1]} numbers and gives {second[0]}, and the model's takes {inputs} and gives {outputs}"
    return ""


def _is_first_half(name: str) -> bool:
    return name.endswith((".lora_A.weight", ".lora_down.weight"))


def _guessed(file: LoraFile, problem: str) -> str:
    made_for = likely_model(file)
    return f"{problem}; it seems to be made for {made_for}" if made_for else problem


def _refuse(file: LoraFile, problem: str) -> None:
    raise CharacterRefused(file=file.path.name, problem=problem)
