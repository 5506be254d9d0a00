"""What a LoRA file holds, read from the header of its safetensors alone: layers, rank, and for which model it is."""

import json
import math
import re
import struct
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sakuga.engine import GIGABYTE
from sakuga.errors import CharacterRefused

LARGEST = 16 * GIGABYTE
"""More than any LoRA has: a whole model, which must not be read into memory."""
LARGEST_HEADER = 100_000_000
"""Bytes; the library that reads safetensors allows no more."""
BITS = re.compile(r"\D+(\d+)")  # of a type's name: BF16, F8_E4M3
PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")

LAYER = re.compile(r"^(?P<layer>.+)\.(?:lora_(?P<half>A|B|down|up)(?:\.\w+)?\.weight|lora\.(?P<old>down|up)\.weight)$")
FIRST_HALF = {"A", "down"}
BLOCK = re.compile(r"(?:^|[._])(?P<kind>[a-z_]*blocks)[._](?P<index>\d+)[._]")
ATTENTION = re.compile(r"(?<!audio_)(?:attn|attn1)[._](?:to_)?[qkv]$")
PREFIX = re.compile(r"^(?:base_model\.model\.|model\.)?(?:transformer\.|diffusion_model\.|lora_unet_)?")
TEXT_ENCODER = re.compile(r"^(?:text_encoder|lora_te|conditioner)")
FAMILIES = (  # the first whose mark is in the name of a layer
    ("ltx2", re.compile(r"audio_|video_to_|text_embedding_projection")),
    ("mochi", re.compile(r"attn1\.(?:add_[qkv]_proj|to_add_out)|ff_context|qkv_[xy]\b|attn\.proj_[xy]\b")),
    ("flux", re.compile(r"double_blocks|single_(?:transformer_)?blocks")),
    ("hunyuan", re.compile(r"transformer_blocks[._]\d+[._]attn[._]")),
    ("stable diffusion", re.compile(r"(?:down|up|mid|input|middle|output)_blocks?[._]")),
    ("ltx", re.compile(r"transformer_blocks[._]\d+[._](?:attn[12]|ff)[._]")),
    ("wan", re.compile(r"self_attn|cross_attn|^(?:vace_)?blocks[._]\d+[._](?:attn[12]|ffn)", re.MULTILINE)),
)
LONGEST = 200
TAGS = 5
"""How many of the words that it was trained on are told."""


@dataclass(frozen=True)
class LoraFile:
    """A LoRA's header: the shapes of its tensors by name, and what its maker wrote beside them."""

    path: Path
    shapes: Mapping[str, tuple[int, ...]]
    metadata: Mapping[str, str]

    @classmethod
    def read(cls, path: Path) -> "LoraFile":
        """Read and check a header; no tensor is read. Raises CharacterRefused, which says what the file is instead."""
        try:
            size = path.stat().st_size
            with path.open("rb") as file:
                start = file.read(8)
                problem = _not_safetensors(start, size)
                if problem:
                    raise CharacterRefused(file=path.name, problem=problem)
                (length,) = struct.unpack("<Q", start)
                header = json.loads(file.read(length))
            metadata = header.pop("__metadata__", {})
            tensors = {str(name): _tensor(entry) for name, entry in header.items()}
            metadata = {str(name): str(text) for name, text in metadata.items()}
        except FileNotFoundError as error:
            raise CharacterRefused(file=path.name, problem=f"there is no file {path}") from error
        except OSError as error:
            raise CharacterRefused(file=path.name, problem=f"it can't be read ({error.strerror})") from error
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise CharacterRefused(file=path.name, problem="it is damaged: its header can't be read") from error
        end = 8 + length + max((tensor[2] for tensor in tensors.values()), default=0)
        if end != size:
            raise CharacterRefused(file=path.name, problem=f"it is incomplete: {size} of {end} bytes are there")
        found = cls(path, {name: tensor[0] for name, tensor in tensors.items()}, metadata)
        if found._kind:
            raise CharacterRefused(file=path.name, problem=found._kind)
        return found

    @cached_property
    def layers(self) -> Mapping[str, tuple[int, ...]]:
        """The layers that it changes, by name as in the file, with the shape of the first half: rank x inputs."""
        found = {}
        for name, shape in self.shapes.items():
            match = LAYER.match(name)
            if match and (match["half"] or match["old"]) in FIRST_HALF and len(shape) > 1:
                found[match["layer"]] = shape
        return found

    @property
    def form(self) -> str:
        """Whose names its keys have."""
        names = " ".join(self.layers)
        if "lora_unet_" in names:
            return "kohya"
        if "diffusion_model." in names:
            return "ComfyUI"
        return "diffusers" if names.startswith("transformer.") or "attn1." in names else "plain"

    @property
    def rank(self) -> int:
        """The rank that most layers have."""
        return _most(shape[0] for shape in self.layers.values())

    @property
    def width(self) -> int:
        """The number of inputs of its attention layers: the width of the model that it was trained on."""
        attention = [shape[1] for name, shape in self.layers.items() if ATTENTION.search(name)]
        return _most(attention or [shape[1] for shape in self.layers.values()])

    @property
    def blocks(self) -> int:
        """How many blocks its model has at least."""
        found = (BLOCK.search(name) for name in self.layers)
        return max((int(match["index"]) + 1 for match in found if match), default=0)

    @property
    def family(self) -> str | None:
        """The family of models whose layers have such names, if it is one of those known here."""
        names = "\n".join(PREFIX.sub("", name) for name in self.layers if not TEXT_ENCODER.match(name))
        return next((family for family, mark in FAMILIES if mark.search(names)), None)

    @property
    def trigger_phrase(self) -> str:
        """Words that call the character, as its maker wrote them into the file; mostly empty."""
        keys = ("modelspec.trigger_phrase", "trigger_phrase", "trigger_words", "trigger_word")
        return shown(next((text for key in keys if (text := self.metadata.get(key, "").strip())), ""))

    @property
    def frequent_words(self) -> str:
        """The most frequent words of the texts that it was trained on, if its program kept count."""
        try:
            counted: Counter[str] = Counter()
            for tags in json.loads(self.metadata.get("ss_tag_frequency", "{}")).values():
                counted.update({str(tag).strip(): int(count) for tag, count in tags.items()})
        except (ValueError, TypeError, AttributeError, RecursionError):
            return ""
        return shown(", ".join(tag for tag, _ in counted.most_common(TAGS) if tag))

    @property
    def differences(self) -> int:
        """How many weights it changes as a whole, beside its layers: diffusers leaves those of Wan out."""
        return sum(name.endswith(".diff") for name in self.shapes)

    @property
    def _kind(self) -> str:
        """What kind of file it is, if it is none that can be used."""
        names = self.shapes
        if any(".lokr_" in name or ".hada_" in name for name in names):
            return "it is a LoKr or LoHa, and only LoRAs can be drawn with"
        if any("dora_scale" in name for name in names):
            return "it is a DoRA in kohya's form, which can't be drawn with; ask its maker for a plain LoRA"
        if not self.layers:
            return "it is no LoRA: no name in it is that of a LoRA's layer"
        return ""


def shown(text: str) -> str:
    """Return what a file's maker wrote in a form that is safe to show: one line of up to 200 characters."""
    return "".join(character if character.isprintable() else " " for character in text)[:LONGEST]


def _not_safetensors(start: bytes, size: int) -> str:
    """Return what a file is whose first bytes are no safetensors', or nothing."""
    if start.startswith(PICKLES):
        return "it is a PyTorch pickle, which can run programs when it is read; only safetensors are taken"
    if start.lstrip()[:1] == b"<":
        return "it is a web page: the site wants you to sign in before the download"
    length = struct.unpack("<Q", start)[0] if len(start) == struct.calcsize("<Q") else 0
    if not len("{}") <= length <= min(size - len(start), LARGEST_HEADER):
        return "it is no safetensors file. Take the one of the LoRA's page whose name ends in .safetensors"
    return f"it has {size / GIGABYTE:.1f} GB, which is a whole model, not a LoRA" if size > LARGEST else ""


def _tensor(entry: Mapping[str, Any]) -> tuple[tuple[int, ...], int, int]:
    """Return shape, first and last byte of an entry. Raises ValueError if they don't agree."""
    shape = tuple(int(length) for length in entry["shape"])
    begin, end = (int(offset) for offset in entry["data_offsets"])
    bits = BITS.match(entry["dtype"])
    width = int(bits[1]) if bits else 8  # BOOL
    if begin < 0 or any(length < 0 for length in shape) or (end - begin) * 8 != math.prod(shape) * width:
        msg = "shape and size don't agree"
        raise ValueError(msg)
    return shape, begin, end


def _most(numbers: Iterable[int]) -> int:
    return Counter(numbers).most_common(1)[0][0]
