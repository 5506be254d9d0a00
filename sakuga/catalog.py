"""The catalog: what the studio offers and allows, as the studio file says."""

import tomllib
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sakuga.errors import StudioFileInvalid
from sakuga.lane import LanePolicy


class Style(BaseModel):
    """A look that viewers can ask for by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(max_length=40, description="The name that people read.")
    summary: str = Field(default="", max_length=200, description="A sentence about it.")
    prompt: str = Field(default="", max_length=500, description="Words added to the viewer's prompt.")
    negative_prompt: str = Field(default="", max_length=500, description="Words for what must not be in the picture.")


class Limits(BaseModel):
    """How much the studio takes in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt_length: int = Field(default=300, ge=10, le=2000, description="Characters in a prompt.")
    waiting: int = Field(default=200, ge=1, le=100_000, description="Jobs that may wait.")


DEFAULT_STYLES = {
    "anime": Style(
        title="Anime", summary="Clean lines and evening light.", prompt="anime style, clean line art, cel shading"
    ),
}


class Catalog(BaseModel):
    """The studio file, checked. Every table is optional."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(default="Sakuga", max_length=60, description="Name of the show.")
    style: str = Field(default="anime", description="The style of jobs that name none.")
    engine: str | None = Field(
        default=None, description="The engine of jobs that name none; the renderer's first if unset."
    )
    styles: dict[str, Style] = Field(default_factory=lambda: dict(DEFAULT_STYLES), min_length=1)
    lanes: LanePolicy = LanePolicy()
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _style_exists(self) -> Self:
        if self.style not in self.styles:
            msg = f"style = {self.style!r} names a style that is not in [styles]"
            raise ValueError(msg)
        return self

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the studio file; without one, the defaults. Raises StudioFileInvalid."""
        try:
            return cls.model_validate(tomllib.loads(path.read_text("utf-8")))
        except FileNotFoundError:
            return cls()
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise StudioFileInvalid(path=path, problem=str(error)) from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            problem = "there is no such key" if first["type"] == "extra_forbidden" else first["msg"]
            raise StudioFileInvalid(path=path, problem=f"{where}: {problem}".removeprefix(": ")) from error
