"""Weights of every family, small and random, lying as the Hub's client would have left them."""

import hashlib
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from gpu.engines.tiny import keep, tiny_wan
from tests.fakes.weights import hunyuan, ltx, ltx2, mochi, wan

FAMILIES: dict[str, Callable[[], Any]] = {
    "tiny": tiny_wan,
    "wan-t2v": wan.text_to_video,
    "wan-i2v": wan.image_to_video,
    "wan-vace": wan.vace,
    "wan-5b": wan.five_b,
    "ltx": ltx.ltx,
    "ltx-conditioned": ltx.conditioned,
    "ltx-upscaler": ltx.upscaler,
    "ltx-2": ltx2.ltx2,
    "mochi": mochi.mochi,
    "hunyuan-t2v": hunyuan.text_to_video,
    "hunyuan-i2v": hunyuan.image_to_video,
}
"""What each builds is a pipeline of diffusers."""

REVISION = hashlib.sha1(b"fake", usedforsecurity=False).hexdigest()


def write(family: str, folder: Path, repository: str, revision: str | None = None) -> Path:
    """Write a family's pipeline as a repository below `folder`, unless it lies there; return where.

    The name of the repository is the dice: two of one family are as little alike as a model and its distillation.
    """

    def build() -> Any:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(zlib.crc32(repository.encode()))
            return FAMILIES[family]()

    return keep(build, folder, repository, revision or REVISION)


def write_file(
    tensors: dict[str, torch.Tensor], folder: Path, repository: str, revision: str | None, name: str
) -> Path:
    """Write one file of a repository below `folder`, whether or not it has others there; return where."""

    class Nothing:
        def save_pretrained(self, place: Path) -> None:
            place.mkdir()

    path = keep(Nothing, folder, repository, revision or REVISION) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({key: value.contiguous() for key, value in tensors.items()}, path)
    return path
