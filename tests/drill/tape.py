"""The tape: the broker's append-only file, in which each change of the show stands in its order.

A script's changes are one transaction there. What the file has lost the studio has lost too: this is the truth.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

Command = list[str]


def steps(folder: Path) -> Iterator[list[Command]]:
    """Yield what was changed together, from the first step on. Raises ValueError for a file that was written anew."""
    files = sorted(folder.glob("*.incr.aof"))
    if len(files) != 1:
        problem = f"{folder} has {len(files)} files: the beginning was folded into a snapshot"
        raise ValueError(problem)
    with files[0].open("rb") as file:
        together: list[Command] | None = None
        for command in _commands(file):
            match command[0].upper():
                case "MULTI":
                    together = []
                case "EXEC":
                    yield together or []
                    together = None
                case _ if together is None:
                    yield [command]
                case _:
                    together.append(command)


def _commands(file: BinaryIO) -> Iterator[Command]:
    while line := file.readline():
        if line.startswith(b"*"):
            parts = (int(file.readline()[1:]) for _ in range(int(line[1:])))
            yield [_text(file, length) for length in parts]


def _text(file: BinaryIO, length: int) -> str:
    text = file.read(length + 2)[:-2]
    return text.decode("utf-8", "replace")
