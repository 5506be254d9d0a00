"""The catalog: what the studio offers and allows, as the studio file says."""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from sakuga.ballot import VotePolicy
from sakuga.budget import BudgetPolicy, Prices
from sakuga.chat import ChatPolicy
from sakuga.engine import Adapter, EngineSpec, Preset, Source
from sakuga.errors import StudioFileInvalid
from sakuga.gate_policy import GatePolicy
from sakuga.helper import HelperPolicy
from sakuga.lane import LanePolicy
from sakuga.limits import Limits
from sakuga.pot import PotPolicy
from sakuga.support import PaidPolicy

NAME = re.compile(r"[\w-]{1,40}")
PICTURES = (".png", ".jpg", ".jpeg", ".webp")
HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)


def _name(name: str) -> str:
    if not NAME.fullmatch(name) or name != name.lower():
        msg = f"{name!r} can't be typed in chat: a name has up to 40 small letters, digits, - and _"
        raise ValueError(msg)
    return name


def _below(path: str, *endings: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or re.search(r"[\\:\x00-\x1f]", path):
        msg = f"{path!r} must be a path below a folder: not absolute, with / between its parts, and without .."
        raise ValueError(msg)
    if not path.lower().endswith(endings):
        msg = f"{path!r} must end in {' or '.join(endings)}"
        raise ValueError(msg)
    return path


def _on_the_hub(repository: str) -> str:
    if not HUB.fullmatch(repository):
        msg = f"{repository!r} must be owner/name, as on the Hub"
        raise ValueError(msg)
    return repository


Name = Annotated[str, AfterValidator(_name)]
Repository = Annotated[str, AfterValidator(_on_the_hub)]
Weights = Annotated[str, AfterValidator(lambda path: _below(path, ".safetensors"))]  # other formats can run code
Picture = Annotated[str, AfterValidator(lambda path: _below(path, *PICTURES))]


class Entry(BaseModel):
    """A part of the studio file: read once, and refused when it has a key that does not exist."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Lora(Entry):
    """A LoRA to draw with, and where it lies."""

    file: Weights = Field(description="Path of a .safetensors file below the media folder, or in the repository.")
    repository: Repository | None = Field(
        default=None, max_length=96, description="Where the file lies on the Hub, as owner/name."
    )
    revision: str | None = Field(
        default=None,
        max_length=64,
        pattern=r"^[\w.-]+$",
        description="The commit on the Hub; that of the first download if unset.",
    )
    weight: float = Field(default=1.0, ge=-4, le=4, description="How strongly it counts.")
    engines: tuple[str, ...] = Field(
        default=(), description="Engines that it was trained for; every engine that takes LoRAs if empty."
    )

    @model_validator(mode="after")
    def _revision_of_something(self) -> Self:
        if self.revision and not self.repository:
            msg = "revision is for files on the Hub: name their repository too"
            raise ValueError(msg)
        return self

    def adapter(self, name: str) -> Adapter:
        """Return what a renderer is told of it."""
        if self.repository is None:
            return Adapter(name=name, file=self.file, weight=self.weight)
        source = Source(repository=self.repository, revision=self.revision, file=self.file)
        return Adapter(name=name, source=source, weight=self.weight)


class Style(Entry):
    """A look that viewers can ask for by name."""

    title: str = Field(max_length=40, description="The name that people read.")
    summary: str = Field(default="", max_length=200, description="A sentence about it.")
    prompt: str = Field(default="", max_length=500, description="Words added to the viewer's prompt.")
    negative_prompt: str = Field(default="", max_length=500, description="Words for what must not be in the picture.")
    loras: tuple[Lora, ...] = Field(default=(), max_length=4, description="LoRAs that draw it.")


class Character(Style):
    """Somebody whom viewers can have in their clip by name."""

    prompt: str = Field(
        default="", max_length=500, description="Words added to the viewer's prompt, such as the LoRA's trigger words."
    )
    image: Picture | None = Field(
        default=None,
        description="Path of a picture below the media folder (PNG, JPEG or WebP); image-to-video begins with it.",
    )
    engines: tuple[str, ...] = Field(default=(), description="Engines that draw this character; any if empty.")

    def plays_in(self, engine: str) -> bool:
        """Whether that engine draws this character."""
        return not self.engines or engine in self.engines


class Hero(Entry):
    """Clips that the studio draws for itself at night, for the gallery."""

    engine: str | None = Field(default=None, description="The engine that draws them; the show's if unset.")
    style: str | None = Field(default=None, description="Their style; the show's if unset.")
    prompts: tuple[str, ...] = Field(default=(), description="What to draw; one clip for each.")
    seconds: float | None = Field(
        default=None, ge=1, le=60, description="Length of each clip in seconds; the engine's usual one if unset."
    )


DEFAULT_STYLES = {
    "anime": Style(
        title="Anime", summary="Clean lines and evening light.", prompt="anime style, clean line art, cel shading"
    ),
}


class Catalog(Entry):
    """The studio file, checked. Every table is optional."""

    title: str = Field(default="Sakuga", max_length=60, description="Name of the show.")
    style: str = Field(default="anime", description="The style of jobs that name none.")
    engine: str | None = Field(
        default=None, description="The engine of jobs that name none; the renderer's first if unset."
    )
    preset: Preset = Field(default="live", description="How much a render may take, for jobs that don't say.")
    presets: tuple[Preset, ...] = Field(default=("draft", "live"), description="Presets that viewers may ask for.")
    styles: dict[Name, Style] = Field(default_factory=lambda: dict(DEFAULT_STYLES), min_length=1)
    characters: dict[Name, Character] = Field(default_factory=dict)
    lanes: LanePolicy = LanePolicy()
    limits: Limits = Limits()
    votes: VotePolicy = VotePolicy()
    pot: PotPolicy = PotPolicy()
    gate: GatePolicy = GatePolicy()
    helper: HelperPolicy = HelperPolicy()
    budget: BudgetPolicy = BudgetPolicy()
    prices: Prices = Prices()
    paid: PaidPolicy = PaidPolicy()
    chat: ChatPolicy = ChatPolicy()
    hero: Hero = Hero()

    @model_validator(mode="after")
    def _names_lead_somewhere(self) -> Self:
        for key, style in (("style", self.style), ("hero.style", self.hero.style)):
            if style is not None and style not in self.styles:
                msg = f"{key} = {style!r} names a style that is not in [styles]"
                raise ValueError(msg)
        if both := sorted(set(self.styles) & set(self.characters)):
            msg = f"characters.{both[0]} has the name of a style, and nobody could tell which is meant: rename one"
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
            where = ".".join(str(part) for part in first["loc"] if part != "[key]")
            said = first["msg"].removeprefix("Value error, ")
            problem = "there is no such key" if first["type"] == "extra_forbidden" else said
            raise StudioFileInvalid(path=path, problem=f"{where}: {problem}".removeprefix(": ")) from error

    def presets_of(self, spec: EngineSpec) -> list[Preset]:
        """Return the presets that may be asked for with an engine, the usual one first.

        The show's own preset is always among them, if the engine has it. One without presets draws all of them alike.
        """
        has = spec.presets or dict.fromkeys((self.preset, *self.presets))
        usual = self.preset if self.preset in has else next(iter(has))
        return list(dict.fromkeys((usual, *(preset for preset in self.presets if preset in has))))

    @property
    def most_credit_s(self) -> float:
        """The most head start that a job can earn without a moderator, in seconds: nobody is overtaken by more."""
        lanes, votes = self.lanes, self.votes
        role_s = max(lanes.mod_s, lanes.sub_s, lanes.vip_s)
        return role_s + lanes.bits_cap_s + votes.upvotes_cap_s + votes.win_s

    def drawn_by(self, spec: EngineSpec, names: Iterable[str]) -> bool:
        """Whether an engine can draw these characters: each is made for it, and one has the picture that it needs."""
        cast = [self.characters[name] for name in names]
        pictured = "image-to-video" in spec.modes and any(character.image for character in cast)
        return ("text-to-video" in spec.modes or pictured) and all(one.plays_in(spec.name) for one in cast)
