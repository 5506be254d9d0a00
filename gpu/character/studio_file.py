"""The characters in the studio file: read as they stand there, and a new one written at its end, as text."""

import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sakuga.errors import CharacterRefused, StudioFileInvalid

NAME = re.compile(r"[a-z0-9_-]{1,40}")
TABLES = {"character": "characters", "style": "styles"}
"""Both are asked for by name, so none may have the name of another."""
Table = Mapping[str, Any]


def read(path: Path) -> dict[str, Any]:
    """Return the whole studio file; an empty one if there is none. Raises StudioFileInvalid."""
    try:
        studio = tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError as error:
        raise StudioFileInvalid(path=path, problem=str(error)) from error
    for kind in TABLES.values():
        tables = studio.get(kind, {})
        if not (isinstance(tables, dict) and all(isinstance(table, dict) for table in tables.values())):
            raise StudioFileInvalid(path=path, problem=f"{kind} must hold tables, such as [{kind}.mika]")
    return studio


def free(path: Path, name: str) -> None:
    """Raise CharacterRefused unless a new character may have that name; StudioFileInvalid."""
    studio = read(path)
    if not NAME.fullmatch(name):
        problem = "it can't be typed in chat; a name has up to 40 small letters, digits, - and _"
        raise CharacterRefused(file=name, problem=problem)
    for kind, tables in TABLES.items():
        if name in studio.get(tables, {}):
            problem = f"{path} has a {kind} of that name already"
            if kind == "character":
                problem += ". To replace it, first take its table out there, and remove its folder in the media folder"
            raise CharacterRefused(file=name, problem=problem)


def append(path: Path, name: str, character: Table) -> None:
    """Write a character's table at the end of the studio file and touch nothing else of it.

    What was written is read back before it counts. Raises CharacterRefused, StudioFileInvalid.
    """
    free(path, name)
    before = read(path)
    text = _text(path)
    line = "\r\n" if "\r\n" in text else "\n"
    gap = "" if not text else line if text.endswith("\n") else line * 2
    rows = [f"[characters.{name}]", *(f"{key} = {_toml(value)}" for key, value in character.items())]
    text += gap + line.join(rows) + line
    expected = before | {"characters": before.get("characters", {}) | {name: character}}
    try:
        kept = tomllib.loads(text) == expected
    except tomllib.TOMLDecodeError:
        kept = False  # such as characters = {…}, to which no table can be added
    if not kept:
        problem = f"no table can be added to {path} as it is. Write there by hand:\n" + "\n".join(rows)
        raise CharacterRefused(file=name, problem=problem)
    _replace(path, text)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")  # as it is: read_text would change the ends of its lines
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise StudioFileInvalid(path=path, problem=str(error)) from error


def _replace(path: Path, text: str) -> None:
    target = path.resolve()  # a link stays a link
    part = target.with_name(f"{target.name}.part")
    try:
        part.write_bytes(text.encode("utf-8"))
        if target.exists():
            part.chmod(target.stat().st_mode)
        os.replace(part, target)  # noqa: PTH105 (an open editor sees the old file or the new one, never half of one)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise StudioFileInvalid(path=path, problem=f"it can't be written ({error.strerror})") from error


def _toml(value: Any) -> str:
    """Write texts, numbers, lists and tables in TOML. Texts are printable, so JSON's and TOML's are the same."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(inner) for inner in value) + "]"
    return json.dumps(value, ensure_ascii=False)
