"""The plan of a cut: what is to be drawn, put together from wish, parent, show and catalog."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from api import choice
from api.paces import Paces
from api.pricing import foreseen, price_of
from api.state import State
from sakuga.catalog import Catalog
from sakuga.engine import EngineSpec, Preset
from sakuga.errors import CharacterNeeded, CharacterUnavailable, CharacterUnknown
from sakuga.lineage import Parent
from sakuga.prompt import clean_prompt, visible

SEEDS = 2**32
CAST = 3  # characters in a clip
BETWEEN = ", "


class Remix(BaseModel):
    """The cut to begin with: by number, by clip, or by neither for the clip on stage, else the newest."""

    model_config = ConfigDict(extra="forbid", strict=True)

    number: int | None = Field(default=None, ge=0, lt=10**9, description="Of a cut: 42 is C-042.", examples=[42])
    clip_id: Annotated[str | None, Field(max_length=64, description="Of a clip of GET /clips.")] = None

    @model_validator(mode="after")
    def _one_or_none(self) -> "Remix":
        if self.number is not None and self.clip_id is not None:
            msg = "name the cut by its number or by its clip_id, not by both"
            raise ValueError(msg)
        return self


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request names. What is None or empty is chosen."""

    prompt: str
    style: str | None = None
    characters: tuple[str, ...] = ()
    engine: str | None = None
    preset: str | None = None
    duration: float | None = None
    seed: int | None = None
    remix: Remix | None = None

    @property
    def changes(self) -> bool:
        """Whether a remix with it would look otherwise than its parent."""
        named = (self.style, self.engine, self.preset, self.duration)
        return bool(visible(self.prompt) or self.characters or any(name is not None for name in named))


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be drawn: everything is settled but the gate's word on the prompt."""

    prompt: str
    style: str
    characters: tuple[str, ...]
    spec: EngineSpec
    preset: Preset
    duration_s: float
    seed: int
    parent: Parent | None = None

    @property
    def fields(self) -> dict[str, str | int | float]:
        """What the queue is told of it."""
        of_parent: dict[str, str | int | float] = {}
        if self.parent:
            of_parent = {"parent": self.parent.id, "parent_number": self.parent.number}
        return {
            "prompt": self.prompt,
            "style": self.style,
            "engine": self.spec.name,
            "preset": self.preset,
            "characters": json.dumps(self.characters, ensure_ascii=False),
            "duration_s": self.duration_s,
            "seed": self.seed,
            **of_parent,
        }


async def plan(wish: Wish, studio: State) -> Plan:
    """Return the plan for a wish.

    Names that the wish itself has must exist; those of the parent or the show count as far as they still do. A remix
    that changes nothing gets another seed: the same one would draw the same clip. Raises RemixNotFound, and what
    `clean_prompt` and the functions of `api.choice` raise.
    """
    catalog = studio.catalog
    parent, show = await _parent(wish.remix, studio), await studio.shows.now()
    words = wish.prompt
    if parent:
        words = BETWEEN.join([parent.prompt, words]) if visible(words) else parent.prompt
    prompt = clean_prompt(words, catalog.limits.prompt_length)
    usual = (parent.style if parent else None, show.style)
    style = next((name for name in usual if name in catalog.styles), None) if wish.style is None else wish.style
    others = parent.characters if parent else show.characters or ()
    style = choice.style(style, catalog)
    spec, characters = _cast(wish, others, await studio.specs(), catalog)
    seed = wish.seed
    if seed is None:
        seed = parent.seed if parent and wish.changes else secrets.randbelow(SEEDS)
    return Plan(
        prompt=prompt,
        style=style,
        characters=characters,
        spec=spec,
        preset=choice.preset(wish.preset, spec, catalog),
        duration_s=choice.duration(wish.duration, spec),
        seed=seed,
        parent=parent,
    )


async def estimate_of(planned: Plan, paces: Paces, studio: State) -> int:
    """Return what drawing it will likely cost, in millionths of a dollar."""
    usd_per_s = price_of(planned.spec, studio.catalog.prices, await studio.workers()).usd_per_s
    return foreseen(paces, usd_per_s, (planned.spec.name, planned.preset, planned.duration_s))


async def _parent(remix: Remix | None, studio: State) -> Parent | None:
    if remix is None:
        return None
    if remix.number is not None:
        return await studio.lineage.numbered(remix.number)
    return await (studio.lineage.clip(remix.clip_id) if remix.clip_id is not None else studio.lineage.latest())


def _cast(
    wish: Wish, others: Sequence[str], specs: Mapping[str, EngineSpec], catalog: Catalog
) -> tuple[EngineSpec, tuple[str, ...]]:
    """Return the engine and who plays: those whom the wish names, else the others if they can."""
    if not wish.characters and others:
        try:
            return choice.engine(wish.engine, others, specs, catalog), tuple(others)
        except (CharacterUnknown, CharacterUnavailable, CharacterNeeded):
            pass  # nobody asked for them by name
    characters = tuple(dict.fromkeys(wish.characters))
    return choice.engine(wish.engine, characters, specs, catalog), characters
