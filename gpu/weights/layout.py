"""The layout of weights in diffusers' form: which files of a repository are loaded, and whether none is missing."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

INDEX = "model_index.json"
TRANSFORMERS, DIFFUSERS = "model", "diffusion_pytorch_model"
"""What the two libraries call the weights of a model."""

SETTINGS = {".json", ".txt", ".model", ".jinja"}
"""Endings of configurations and tokenizers. Pickles (.bin, .pt, .pth, .ckpt) and code are never taken."""

WEIGHTS = re.compile(r"(?P<stem>[^.]+?)(\.(?P<variant>\w+))?(-\d{5}-of-(?P<shards>\d{5}))?\.safetensors")
SHARD_LIST = re.compile(r"(?P<stem>[^.]+)\.safetensors\.index(\.(?P<variant>\w+))?\.json")
TERMS = re.compile(r"[^/]*(licen[cs]e|notice)([^/.]*|[^/]*\.(txt|md))", re.IGNORECASE)


def needed(names: Collection[str], index: Mapping[str, Any] | None, file: str | None = None) -> list[str]:
    """Return which of a repository's files are loaded; none if it has another layout.

    `index` is its model_index.json, if it has one; `file` asks for that file or folder alone. Of the same weights in
    several forms only one is taken: what the component's own library loads, in bf16 where there is a choice.
    """
    if file and file in names:
        return [file] if PurePosixPath(file).suffix in {".safetensors", *SETTINGS} else []
    if file:
        return _component(names, file, None)
    terms = [name for name in names if TERMS.fullmatch(name)]
    if index is not None:
        inner = [name for part, (library, _) in _components(index).items() for name in _component(names, part, library)]
        return sorted([INDEX, *terms, *inner])
    return sorted([*terms, *_component(names, "", None)]) if "config.json" in names else []


def whole(names: Collection[str], index: Mapping[str, Any] | None, file: str | None = None) -> bool:
    """Return whether these files are all that is needed; the arguments are those of `needed`."""
    if file:
        return file in names or _whole(names, file, None)
    if index is not None:
        return all(_whole(names, part, library, kind) for part, (library, kind) in _components(index).items())
    return "config.json" in names and _whole(names, "", None)


def read_index(text: str) -> dict[str, Any] | None:
    """Return what a model_index.json says, or None if it says nothing that can be read."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def variant(names: Iterable[str]) -> str | None:
    """Return the variant that some of these weights are in, such as bf16, if they are in one."""
    found = (WEIGHTS.fullmatch(PurePosixPath(name).name) for name in names)
    return next((match["variant"] for match in found if match and match["variant"]), None)


def _components(index: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return each component's library and class. An optional one that is left out has neither."""
    pairs = {name: value for name, value in index.items() if isinstance(value, list) and len(value) == 2}  # noqa: PLR2004
    return {name: (library, kind) for name, (library, kind) in pairs.items() if library and kind}


def _inside(names: Collection[str], folder: str) -> dict[str, str]:
    """Return the files that lie in a folder, and not deeper, by their last name."""
    found = (PurePosixPath(name) for name in names)
    return {path.name: str(path) for path in found if path.parent == PurePosixPath(folder)}


def _component(names: Collection[str], folder: str, library: str | None) -> list[str]:
    inside = _inside(names, folder)
    taken = []
    forms: dict[tuple[str, str | None], list[str]] = defaultdict(list)
    for name, path in inside.items():
        if match := WEIGHTS.fullmatch(name) or SHARD_LIST.fullmatch(name):
            forms[match["stem"], match["variant"]].append(path)
        elif PurePosixPath(name).suffix in SETTINGS:
            taken.append(path)
    return sorted(taken + _form(forms, library))


def _form(forms: Mapping[tuple[str, str | None], list[str]], library: str | None) -> list[str]:
    """Choose one of the forms in which a component's weights are there."""
    stems = {stem for stem, _ in forms}
    liked = {"transformers": (TRANSFORMERS,), None: (DIFFUSERS, TRANSFORMERS)}.get(library, (DIFFUSERS,))
    stem = next((name for name in liked if name in stems), None)
    if stem is None:
        return [path for paths in forms.values() for path in paths]
    ways = {way for name, way in forms if name == stem}
    way = "bf16" if "bf16" in ways else None if None in ways else min(ways, key=str)
    paths = forms[stem, way]
    alone = [path for path in paths if (match := WEIGHTS.fullmatch(PurePosixPath(path).name)) and not match["shards"]]
    rest = [path for path in paths if path not in alone]
    # A model that is there in one piece and in shards: transformers loads the one piece, diffusers the shards.
    return alone if alone and (library == "transformers" or not rest) else rest


def _whole(names: Collection[str], folder: str, library: str | None, kind: str = "") -> bool:
    taken = [PurePosixPath(path).name for path in _component(names, folder, library)]
    shards = Counter(match["shards"] for match in map(WEIGHTS.fullmatch, taken) if match)
    alone = shards.pop(None, 0)
    if shards:
        listed = any(SHARD_LIST.fullmatch(name) for name in taken)
        return listed and all(here == int(count) for count, here in shards.items())
    is_model = "config.json" in taken and "Tokenizer" not in kind
    return bool(taken) and (alone > 0 or not is_model)
