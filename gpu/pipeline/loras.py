"""LoRAs on a pipeline: loaded once, switched per request, the least recently used taken off; the base is untouched."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from gpu import weights as kept
from gpu.media import locate
from gpu.pipeline.lora_tensors import PARTS, Parts, Tensors, read
from sakuga.engine import Adapter
from sakuga.errors import AdapterUnfit, CharacterRefused, MediaMissing, WeightsMissing

USUAL_FILE = "pytorch_lora_weights.safetensors"
"""The name that diffusers gives a LoRA."""
VARIANTS = 128
"""How many variants of a compiled block may be made. Each order of slots in use is one, and where torch's own limit
of 8 is reached, blocks are no longer compiled, or raise FailOnRecompileLimitHit."""


@dataclass(frozen=True, slots=True)
class _File:
    """A file as it was when it was looked at, so that one that was replaced counts as another."""

    path: Path
    size: int
    changed_ns: int

    @classmethod
    def at(cls, path: Path) -> "_File":
        state = path.stat()
        return cls(path, state.st_size, state.st_mtime_ns)


class Loras:
    """The LoRAs of one pipeline.

    They lie in slots, whose names are used again. torch.compile makes a variant of a block for each name that it meets:
    on the tiny Wan, other files of other ranks in the same slot made none, a new name made one each time.
    """

    def __init__(self, pipe: Any, engine: str, *, media: Path, weights: Path, keep: int = 4) -> None:
        self._pipe = pipe
        self._engine = engine
        self._media = media
        self._weights = weights
        self._keep = keep
        # Per transformer, as an engine may exchange its own for a distilled one: file -> slot, the least recently
        # used first.
        self._slots: WeakKeyDictionary[Any, dict[_File, str]] = WeakKeyDictionary()
        self._fixed: set[_File] = set()

    def use(self, adapters: tuple[Adapter, ...], fixed: tuple[Adapter, ...] = ()) -> None:
        """Draw with exactly these from now on. Those in `fixed` come first and are not taken off to make room.

        One with weight 0 is left out; one that is named twice counts with the sum of its weights. Without any, the
        pipeline draws bit for bit what it drew before it had its first. Raises AdapterUnfit, MediaMissing for one that
        was asked for, WeightsMissing for a fixed one, torch.OutOfMemoryError; the pipeline is as fit as before.
        """
        wanted: dict[_File, float] = {}
        names: dict[_File, str] = {}
        for adapter, is_fixed in [(each, True) for each in fixed] + [(each, False) for each in adapters]:
            if adapter.weight == 0:
                continue
            file = _File.at(self._found(adapter, fixed=is_fixed))
            wanted[file] = wanted.get(file, 0.0) + adapter.weight
            names.setdefault(file, adapter.name)
            if is_fixed:
                self._fixed.add(file)
        parts = self._parts()
        slots = self._slots.setdefault(parts["transformer"], {}) if parts else {}
        fresh = {file: self._read(names[file], file.path, parts) for file in wanted if file not in slots}
        if fresh:
            self._make_room(parts, slots, wanted)
        for file, tensors in fresh.items():
            slots[file] = self._load(names[file], tensors, parts)
        for file in wanted:
            slots[file] = slots.pop(file)
        if slots:
            _activate(parts, {slots[file]: weight for file, weight in wanted.items()})

    def _found(self, adapter: Adapter, *, fixed: bool) -> Path:
        if adapter.source is None:
            return locate(self._media, adapter.file or "")
        source = adapter.source.model_copy(update={"file": adapter.source.file or USUAL_FILE})
        try:
            return kept.find(source, self._weights, engine=self._engine).resolve()
        except WeightsMissing as missing:
            if fixed:
                raise
            raise MediaMissing(name=f"{source.repository}/{source.file}") from missing

    def _parts(self) -> dict[str, Any]:
        """Return the modules that LoRAs may change; none if the pipeline takes no LoRAs."""
        if not hasattr(self._pipe, "load_lora_weights"):
            return {}
        found = ((name, getattr(self._pipe, name, None)) for name in PARTS)
        # torch.compile(model) is a wrapper, in which LoraBaseMixin.set_adapters of diffusers sees no model of its own
        # and does nothing.
        return {name: getattr(part, "_orig_mod", part) for name, part in found if part is not None}

    def _read(self, name: str, path: Path, parts: Parts) -> Tensors:
        if not parts:
            raise AdapterUnfit(adapter=name, engine=self._engine, problem="this engine takes no LoRAs")
        try:
            return read(path, type(self._pipe), parts)
        except CharacterRefused as refused:
            raise AdapterUnfit(adapter=name, engine=self._engine, problem=refused.data["problem"]) from refused

    def _make_room(self, parts: Parts, slots: dict[_File, str], wanted: Mapping[_File, float]) -> None:
        idle = [file for file in slots if file not in wanted and file not in self._fixed]
        asked = [file for file in wanted if file not in self._fixed]
        for file in idle[: max(0, len(idle) + len(asked) - self._keep)]:
            _remove(parts, slots.pop(file))

    def _load(self, name: str, tensors: Tensors, parts: Parts) -> str:
        import torch

        taken = {slot for part in parts.values() for slot in getattr(part, "peft_config", {})}
        slot = next(slot for slot in map("slot{}".format, range(len(taken) + 1)) if slot not in taken)
        _allow_variants(parts)
        missing = len(tensors)
        try:
            with _known_warnings():
                self._pipe.load_lora_weights(tensors, adapter_name=slot)
            missing = len(tensors.keys() - _placed(parts, slot))
        except torch.OutOfMemoryError:
            raise
        except (ValueError, KeyError, RuntimeError, TypeError) as error:
            problem = "diffusers could not load it"
            raise AdapterUnfit(adapter=name, engine=self._engine, problem=problem) from error
        finally:
            if missing:
                _remove(parts, slot)
        if missing:
            problem = f"{missing} of its {len(tensors)} tensors found no place"
            raise AdapterUnfit(adapter=name, engine=self._engine, problem=problem)
        return slot


def _activate(parts: Parts, weights: Mapping[str, float]) -> None:
    for part in parts.values():
        part.set_adapters(list(weights), list(weights.values()))
        for name, tensor in part.named_parameters():
            if ".lora_" in name:
                tensor.requires_grad = False  # PEFT means to train those that are active; that makes a variant, too


def _remove(parts: Parts, slot: str) -> None:
    _activate(parts, {})  # PEFT warns when it deletes one that is active, and activates another one
    for part in parts.values():
        part.delete_adapters(slot)


def _placed(parts: Parts, slot: str) -> set[str]:
    """Return the names of a slot's tensors as they were before PEFT put the slot's name into them."""
    names = (f"{part}.{name}" for part, root in parts.items() for name, _ in root.named_parameters())
    return {name.replace(f".{slot}.", ".") for name in names if f".{slot}." in name}


@contextmanager
def _known_warnings() -> Iterator[None]:
    """Ignore what PEFT warns of each time that a second LoRA is loaded, or one that does not change every block."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Already found a `peft_config` attribute")
        warnings.filterwarnings("ignore", message="While injecting the PEFT adapters, an inconsistency")
        yield


def _allow_variants(parts: Parts) -> None:
    modules = (module for part in parts.values() for module in part.modules())
    if any(getattr(module, "_compiled_call_impl", None) for module in modules):
        import torch._dynamo

        config = torch._dynamo.config  # noqa: SLF001 (its documented place)
        config.recompile_limit = max(config.recompile_limit, VARIANTS)
