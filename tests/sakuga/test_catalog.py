from pathlib import Path

import pytest

from sakuga.catalog import Catalog
from sakuga.engine import EngineSpec, Recipe
from sakuga.errors import StudioFileInvalid

ROOT = Path(__file__).parents[2]
HANA = "[characters.hana]\ntitle = 'Hana'\n"
SPEC = EngineSpec(
    name="wan",
    summary="For tests.",
    sizes=((64, 48),),
    fps=8,
    shortest_s=1,
    longest_s=8,
    default_s=5,
    frame_step=4,
    typical_s=3,
)
RECIPE = Recipe(num_inference_steps=4, guidance_scale=1, typical_s=3)


def test_without_a_studio_file_there_is_a_style_and_a_policy(tmp_path: Path) -> None:
    catalog = Catalog.load(tmp_path / "studio.toml")
    assert catalog.style in catalog.styles
    assert catalog.lanes.sub_s == 300


def test_the_studio_file_that_is_shipped_is_valid() -> None:
    catalog = Catalog.load(ROOT / "studio.toml")
    assert set(catalog.styles) == {"anime", "neon", "watercolor", "sumi", "retro", "storybook"}
    assert set(catalog.characters) == {"hana"}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("title = ", "Invalid value"),
        ("titel = 'x'", "titel"),
        ("style = 'cubist'", r"style = 'cubist' names a style that is not in \[styles\]"),
        ("hero.style = 'cubist'", r"hero\.style = 'cubist' names a style"),
        ("preset = 'best'", "preset: Input should be 'draft', 'live' or 'quality'"),
        ("presets = ['live', 'best']", r"presets\.1"),
        ("[characters.Hana]\ntitle = 'Hana'", "characters.Hana: 'Hana' can't be typed in chat"),
        ("[characters.anime]\ntitle = 'Anime'", r"characters\.anime has the name of a style"),
        (HANA + "imagge = 'a.png'", r"characters\.hana\.imagge: there is no such key"),
        (HANA + "image = 'hana.gif'", r"characters\.hana\.image: 'hana\.gif' must end in \.png or \.jpg"),
        (HANA + "image = '../hana.png'", "must be a path below a folder"),
        (HANA + "image = '/srv/hana.png'", "must be a path below a folder"),
        (HANA + "image = 'C:hana.png'", "must be a path below a folder"),
        (
            HANA + "loras = [{file = 'hana.pt'}]",
            r"characters\.hana\.loras\.0\.file: 'hana\.pt' must end in \.safetensors",
        ),
        (HANA + "loras = [{file = 'a\\\\b.safetensors'}]", "must be a path below a folder"),
        (HANA + "loras = [{file = 'a/../../b.safetensors'}]", "must be a path below a folder"),
        (HANA + "loras = [{file = ''}]", "must be a path below a folder"),
        (HANA + "loras = [{file = 'a.safetensors', weight = 40}]", r"loras\.0\.weight"),
        (HANA + "loras = [{file = 'a.safetensors', revision = 'main'}]", "name their repository too"),
        (
            HANA + "loras = [{repository = 'a', file = 'a.safetensors'}]",
            r"loras\.0\.repository: 'a' must be owner/name",
        ),
        (HANA + "loras = [{repository = 'a/b'}]", r"loras\.0\.file: Field required"),
        ("[lanes]\nsub_s = 'long'", "lanes.sub_s"),
        ("[limits]\nprompt_length = 0", "limits.prompt_length"),
    ],
)
def test_a_mistake_is_named_with_its_file(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "studio.toml"
    path.write_text(text)
    with pytest.raises(StudioFileInvalid, match=named) as refusal:
        Catalog.load(path)
    assert str(path) in str(refusal.value)


def test_a_cast_with_loras_and_pictures_is_read(tmp_path: Path) -> None:
    path = tmp_path / "studio.toml"
    path.write_text(
        HANA
        + """
        prompt = "hana_v2"
        image = "cast/hana 1.PNG"
        engines = ["wan"]
        loras = [{file = "cast/hana.safetensors", weight = 0.8}]

        [[styles.sumi.loras]]
        repository = "somebody/sumi"
        file = "sumi.safetensors"
        revision = "0f1e2d"
        engines = ["ltx"]

        [styles.anime]
        title = "Anime"

        [styles.sumi]
        title = "Sumi"
        """
    )
    catalog = Catalog.load(path)
    assert catalog.characters["hana"].loras[0].weight == 0.8
    assert catalog.styles["sumi"].loras[0].engines == ("ltx",)


def test_names_may_have_the_letters_of_any_language() -> None:
    catalog = Catalog.model_validate({"characters": {"ハナ": {"title": "ハナ"}, "jürgen-2": {"title": "Jürgen"}}})
    assert set(catalog.characters) == {"ハナ", "jürgen-2"}


@pytest.mark.parametrize(
    ("has", "show", "asked", "offered"),
    [
        (["draft", "live", "quality"], "live", ["draft", "live"], ["live", "draft"]),
        (["draft", "live", "quality"], "quality", ["draft"], ["quality", "draft"]),
        (["quality"], "live", ["draft", "live"], ["quality"]),
        ([], "live", ["draft", "live"], ["live", "draft"]),
        (["draft", "live"], "live", [], ["live"]),
    ],
)
def test_viewers_may_ask_for_what_the_studio_offers_and_the_engine_has(
    has: list[str], show: str, asked: list[str], offered: list[str]
) -> None:
    catalog = Catalog.model_validate({"preset": show, "presets": asked})
    spec = SPEC.model_copy(update={"presets": dict.fromkeys(has, RECIPE)})
    assert catalog.presets_of(spec) == offered


@pytest.mark.parametrize(
    ("modes", "names", "drawn"),
    [
        (["text-to-video"], [], True),
        (["text-to-video"], ["hana", "ren"], True),
        (["text-to-video"], ["ltx-only"], False),
        (["image-to-video"], [], False),
        (["image-to-video"], ["ren"], False),
        (["image-to-video"], ["ren", "hana"], True),
        (["video-to-video"], ["hana"], False),
    ],
)
def test_an_engine_draws_those_who_are_made_for_it_if_it_has_a_picture_where_it_needs_one(
    modes: list[str], names: list[str], drawn: bool
) -> None:
    cast = {
        "hana": {"title": "Hana", "image": "hana.png", "engines": ["wan"]},
        "ren": {"title": "Ren"},
        "ltx-only": {"title": "Lin", "image": "lin.png", "engines": ["ltx"]},
    }
    catalog = Catalog.model_validate({"characters": cast})
    assert catalog.drawn_by(SPEC.model_copy(update={"modes": tuple(modes)}), names) is drawn
