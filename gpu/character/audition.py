"""Whether an engine can draw with a LoRA, found out before the show: on its model's layers, or by numbers alone."""

import json
from pathlib import Path
from typing import Any

from gpu import weights
from gpu.character.families import DRAWN_BY, LTX2, LTX_LARGE, misfit
from gpu.character.lora_file import LoraFile
from gpu.engines import ENGINES, find_spec
from sakuga.engine import EngineSpec
from sakuga.errors import CharacterRefused, EngineUnknown, WeightsMissing

TRIAL = "trial"


def judge(file: LoraFile, engine: str, folder: Path) -> str:
    """Return how sure it is that an engine, whose weights may lie below `folder`, can draw with a LoRA.

    Raises CharacterRefused if it can't, EngineUnknown.
    """
    if engine not in ENGINES:
        raise EngineUnknown(name=engine, known=", ".join(ENGINES))
    spec = find_spec(engine)
    if not spec.takes_loras:
        raise CharacterRefused(file=file.path.name, problem=f"{engine} takes no LoRAs")
    if _tried(file, spec, folder):
        return f"{engine} can draw with it: it was loaded onto the model, and every layer had its place."
    if problem := misfit(file, engine):
        raise CharacterRefused(file=file.path.name, problem=problem)
    if engine not in DRAWN_BY:
        return f"Whether {engine} can draw with it will show once its weights are here."
    sentence = f"Names and sizes are those that {engine} needs. It was not tried, as the weights are not here."
    if DRAWN_BY[engine] in {LTX_LARGE, LTX2}:
        sentence += " LTX-Video 13B and LTX-2 have the same sizes, so make sure for which of them it was trained."
    return sentence


def _tried(file: LoraFile, spec: EngineSpec, folder: Path) -> bool:
    """Load a LoRA onto an engine's model, without the model's numbers. False if there are no weights or no torch here.

    Raises CharacterRefused if it does not fit.
    """
    try:
        import diffusers
        import torch

        from gpu.pipeline.lora_tensors import PARTS, read

        home = weights.find(spec.source, folder, engine=spec.name) if spec.source else None
    except (ImportError, WeightsMissing):
        return False
    if home is None:
        return False
    index = _json(home / "model_index.json")
    parts = {}
    for part in PARTS:
        if part in index:
            library, kind = index[part]
            owner = diffusers if library == "diffusers" else getattr(diffusers.pipelines, library)
            with torch.device("meta"):
                parts[part] = getattr(owner, kind).from_config(_json(home / part / "config.json"))
    tensors = read(file.path, getattr(diffusers, index["_class_name"]), parts)
    for part, model in parts.items():
        if any(name.startswith(f"{part}.") for name in tensors):
            model.load_lora_adapter(tensors, prefix=part, adapter_name=TRIAL, low_cpu_mem_usage=True)
    return True


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))
