import pytest

from api import choice
from sakuga.catalog import Catalog
from sakuga.errors import (
    CharacterNeeded,
    CharacterUnavailable,
    CharacterUnknown,
    EngineUnknown,
    PresetUnknown,
    RequestRefused,
)
from tests.fakes.engines import CAST, LTX, PICTURED, WAN

CATALOG = Catalog.model_validate({"characters": CAST})
SPECS = {spec.name: spec for spec in (PICTURED, WAN, LTX)}


@pytest.mark.parametrize(
    ("named", "characters", "chosen"),
    [
        (None, [], "wan"),
        (None, ["ren"], "wan-i2v"),
        (None, ["yuki"], "wan"),
        (None, ["hana"], "ltx"),
        (None, ["hana", "ren"], "wan-i2v"),
        ("ltx", ["yuki"], "ltx"),
    ],
)
def test_a_request_that_names_no_engine_gets_the_first_that_can_draw_its_characters(
    named: str | None, characters: list[str], chosen: str
) -> None:
    assert choice.engine(named, characters, SPECS, CATALOG).name == chosen


@pytest.mark.parametrize(
    ("named", "characters", "refusal", "sentence"),
    [
        ("gpt", [], EngineUnknown, "Choose one of: wan-i2v, wan, ltx."),
        (None, ["nobody"], CharacterUnknown, "no character 'nobody' for wan-i2v. Choose one of: hana, ren, yuki."),
        ("wan", ["ren", "hana"], CharacterUnknown, "no character 'hana' for wan. Choose one of: ren, yuki."),
        ("wan-i2v", [], CharacterNeeded, "wan-i2v begins with a picture, .* Choose one of: ren."),
        ("wan-i2v", ["yuki"], CharacterNeeded, "wan-i2v begins with a picture"),
    ],
)
def test_what_can_not_be_drawn_is_refused_with_what_can(
    named: str | None, characters: list[str], refusal: type[RequestRefused], sentence: str
) -> None:
    with pytest.raises(refusal, match=sentence):
        choice.engine(named, characters, SPECS, CATALOG)


@pytest.mark.parametrize("named", [None, "wan"])
def test_a_character_of_engines_that_are_not_offered_is_told_with_the_engine_that_it_needs(named: str | None) -> None:
    with pytest.raises(CharacterUnavailable, match="'hana' needs ltx or wan-i2v, which this studio does not offer"):
        choice.engine(named, ["hana"], {"wan": WAN}, CATALOG)


def test_a_studio_without_characters_says_that_it_has_none() -> None:
    with pytest.raises(CharacterUnknown, match="Choose one of: none"):
        choice.engine(None, ["hana"], SPECS, Catalog())


def test_a_preset_is_what_the_studio_offers_and_the_engine_has() -> None:
    assert choice.preset(None, WAN, CATALOG) == "live"
    assert choice.preset("draft", WAN, CATALOG) == "draft"
    assert choice.preset("quality", WAN, Catalog(preset="quality")) == "quality"
    for name in ("quality", "best"):
        with pytest.raises(PresetUnknown, match="Choose one of: live, draft"):
            choice.preset(name, WAN, CATALOG)
