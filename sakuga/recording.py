"""A recording: what happened in a show, line by line in a file, each event with what it changed.

The first line says how everything stood; each further one is an event with the fields that differ since the line
before. A recording holds viewers' prompts and names.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sakuga.errors import RecordingUnusable

OWNER_ONLY = 0o600
# Times are written with their fraction everywhere; seeds and counts have none.
TIME = re.compile(r"(?<![\d.])[1-9]\d{9}\.\d{1,9}(?![\d.])")
FIRST_TIME = 1e9

Kind = Literal["hash", "zset", "list", "bytes"]


class Change(BaseModel):
    """What changed in one key: fields of a hash, members of a zset; lists and bytes (in base64) are written whole."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    fields: dict[str, str] = Field(default_factory=dict)
    members: dict[str, float] = Field(default_factory=dict)
    items: list[str] = Field(default_factory=list)
    gone: list[str] = Field(default_factory=list)


class Opening(BaseModel):
    """The first line. Times are seconds since 1970 by the broker's clock."""

    model_config = ConfigDict(hide_input_in_errors=True)

    format: Literal[1] = 1
    sakuga: str
    began: float
    storage: str = ""  # where the clips' files were
    state: dict[str, Change]


class Moment(BaseModel):
    """An event, when it happened, and what was different from then on."""

    model_config = ConfigDict(hide_input_in_errors=True)

    id: str
    time: float
    type: str
    data: dict[str, Any]
    state: dict[str, Change]


class Recording(BaseModel):
    """A whole file."""

    opening: Opening
    moments: list[Moment]

    @classmethod
    def read(cls, path: Path) -> "Recording":
        """Read a file. A last line that was cut off, as by a crash, is left out. Raises RecordingUnusable."""
        try:
            lines = path.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise RecordingUnusable(file=path, problem="it can't be read") from error
        try:
            opening = Opening.model_validate_json(lines[0] if lines else "")
        except ValidationError as error:
            raise RecordingUnusable(file=path, problem="it is no recording of this version") from error
        return cls(opening=opening, moments=list(_moments(path, lines)))


def _moments(path: Path, lines: list[str]) -> Iterator[Moment]:
    for number, line in enumerate(lines[1:], start=2):
        try:
            yield Moment.model_validate_json(line)
        except ValidationError as error:
            if number == len(lines):
                return
            raise RecordingUnusable(file=path, problem=f"line {number} can't be read") from error


class Clockwork(BaseModel):
    """How the times of a recording become times of a replay: from `began` on, `speed` times as fast."""

    model_config = ConfigDict(frozen=True)

    began: float
    now: float
    speed: float = 1.0

    def time(self, recorded: float) -> float:
        """Return when something happens in the replay."""
        return self.now + (recorded - self.began) / self.speed

    def text(self, recorded: str) -> str:
        """Return a text with all times in it moved."""
        return TIME.sub(lambda found: f"{self.time(float(found[0])):.6f}", recorded)

    def score(self, recorded: float) -> float:
        """Return a score, moved if it is a time."""
        return self.time(recorded) if recorded > FIRST_TIME else recorded


def changes(kind: Kind, before: Any, now: Any) -> Change | None:
    """Return what differs between two states of a key, None if nothing does."""
    if before == now:
        return None
    if kind in {"list", "bytes"}:
        return Change(kind=kind, items=now or [])
    gone = [name for name in before or {} if name not in (now or {})]
    differ = {name: value for name, value in (now or {}).items() if (before or {}).get(name) != value}
    return Change(kind=kind, gone=gone, **{"fields" if kind == "hash" else "members": differ})
