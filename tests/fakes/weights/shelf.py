"""A shelf with small weights for every engine, each at its own repository and commit, its presets' included."""

from pathlib import Path
from typing import Any

import torch
from diffusers import DiffusionPipeline

from gpu import weights
from gpu.engines import ENGINES, find_spec
from sakuga.engine import Source
from tests.fakes import loras
from tests.fakes.weights import write, write_file
from tests.fakes.weights.ltx import in_lightricks_layout

FAMILIES = {
    "Wan-AI/Wan2.1-T2V": "wan-t2v",
    "Wan-AI/Wan2.1-I2V": "wan-i2v",
    "Wan-AI/Wan2.1-VACE": "wan-vace",
    "Wan-AI/Wan2.2-TI2V-5B": "wan-5b",
    "FastVideo/FastWan2.1": "wan-t2v",
    "FastVideo/FastWan2.2": "wan-5b",
    "Lightricks/LTX-Video": "ltx-conditioned",
    "Lightricks/ltxv-spatial-upscaler": "ltx-upscaler",
    "Lightricks/LTX-2": "ltx-2",
    "genmo/mochi": "mochi",
    "hunyuanvideo-community/HunyuanVideo-1.5-Diffusers-480p_t2v": "hunyuan-t2v",
    "hunyuanvideo-community/HunyuanVideo-1.5-Diffusers-480p_i2v": "hunyuan-i2v",
}
"""Which family a repository is of, by how its name begins."""

REAL = sorted(name for name in ENGINES if (spec := find_spec(name)).source and name != "tiny")


def stock(engine: str, folder: Path) -> Path:
    """Put everything on the shelf that an engine loads, unless it lies there."""
    spec = find_spec(engine)
    for source in weights.sources(spec):
        if source.file is None or source.file == "transformer":
            write(_family(source.repository), folder, source.repository, source.revision)
    assert spec.source
    for source in weights.sources(spec):
        if source.file and source.file.endswith(".safetensors") and not _lies(source, folder):
            transformer = _pipeline(spec.source, folder).transformer
            tensors = (
                loras.comfyui(loras.trained(transformer))
                if "wan2.1" in source.file
                else loras.diffusers(loras.trained(transformer))
                if "lora" in source.file
                else in_lightricks_layout(transformer)
            )
            write_file(tensors, folder, source.repository, source.revision, source.file)
    return folder


def _family(repository: str) -> str:
    return next(family for begin, family in FAMILIES.items() if repository.startswith(begin))


def _lies(source: Source, folder: Path) -> bool:
    try:
        return weights.find(source, folder, engine="").is_file()
    except weights.WeightsMissing:
        return False


def _pipeline(source: Source, folder: Path) -> Any:
    return DiffusionPipeline.from_pretrained(
        weights.find(source, folder, engine=""), dtype=torch.float32, local_files_only=True
    )
