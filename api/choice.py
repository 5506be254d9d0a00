"""The choice: what a request names, found in the catalog, and what is taken where it names nothing."""

from collections.abc import Iterable, Mapping, Sequence

from sakuga.catalog import Catalog
from sakuga.engine import EngineSpec, Preset
from sakuga.errors import (
    CharacterNeeded,
    CharacterUnavailable,
    CharacterUnknown,
    DurationOutOfRange,
    EngineUnknown,
    PresetUnknown,
    StyleUnknown,
)


def style(name: str | None, catalog: Catalog) -> str:
    """Return the style. Raises StyleUnknown."""
    if name is None:
        return catalog.style
    if name not in catalog.styles:
        raise StyleUnknown(name=name, known=_listed(catalog.styles))
    return name


def engine(
    name: str | None, characters: Sequence[str], specs: Mapping[str, EngineSpec], catalog: Catalog
) -> EngineSpec:
    """Return the engine that was named, or the first that can draw these characters.

    Raises EngineUnknown; CharacterUnavailable where a character is made for engines that are not offered;
    CharacterUnknown where it is made for others than this one, or nobody has that name; and CharacterNeeded where an
    engine needs a picture to begin with and nobody in the clip has one.
    """
    if name is not None and name not in specs:
        raise EngineUnknown(name=name, known=_listed(specs))
    able = [spec for spec in specs.values() if name in {None, spec.name}]
    first = able[0]
    for character in characters:
        if character not in catalog.characters:
            raise _unknown(character, first, catalog)
        if not any(catalog.characters[character].plays_in(offered) for offered in specs):
            engines = " or ".join(catalog.characters[character].engines)
            raise CharacterUnavailable(name=character, engines=engines)
    for spec in able:
        if catalog.drawn_by(spec, characters):
            return spec
    for character in characters:
        if not catalog.characters[character].plays_in(first.name):
            raise _unknown(character, first, catalog)
    pictured = _listed(name for name in catalog.characters if catalog.drawn_by(first, [name]))
    raise CharacterNeeded(engine=first.name, known=pictured)


def preset(name: str | None, spec: EngineSpec, catalog: Catalog) -> Preset:
    """Return the preset; the show's if the engine has it. Raises PresetUnknown."""
    offered = catalog.presets_of(spec)
    if name is None:
        return offered[0]
    for known in offered:
        if known == name:
            return known
    raise PresetUnknown(name=name, engine=spec.name, known=_listed(offered))


def duration(seconds: float | None, spec: EngineSpec) -> float:
    """Return the length of the clip in seconds. Raises DurationOutOfRange."""
    if seconds is None:
        return spec.default_s
    if not spec.shortest_s <= seconds <= spec.longest_s:
        raise DurationOutOfRange(
            engine=spec.name, shortest_s=spec.shortest_s, longest_s=spec.longest_s, duration_s=seconds
        )
    return seconds


def _unknown(name: str, spec: EngineSpec, catalog: Catalog) -> CharacterUnknown:
    known = [known for known, character in catalog.characters.items() if character.plays_in(spec.name)]
    return CharacterUnknown(name=name, engine=spec.name, known=_listed(known))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
