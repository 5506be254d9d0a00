"""What a GPU is sent for the studio file is what the studio itself would order of it."""

from pathlib import Path

import pytest

from gpu.cloud.catalog import BUILT_IN, Catalog
from gpu.engines import find_spec
from sakuga import catalog as studio
from sakuga.engine import Source
from sakuga.errors import StudioFileInvalid
from sakuga.order import look

WAN = "wan2.1-t2v-1.3b"
ENGINES = (WAN, "wan2.1-t2v-14b", "ltx-video-2b", "hunyuanvideo-1.5")

FULL = """
title = "A show"
style = "rain"
preset = "draft"

[lanes]
vip_s = 60

[styles.rain]
title = "Rain"
prompt = "warm rain, "
negative_prompt = "photo"
loras = [
  {file = "rain-ltx.safetensors", repository = "maker/rain", engines = ["ltx-video-2b"]},
  {file = "rain.safetensors", repository = "maker/rain", revision = "v2", weight = 0.5},
  {file = "rain.safetensors", repository = "maker/rain", revision = "v2", weight = 0.7},
  {file = "styles/grain.safetensors", weight = 0.3, engines = ["wan2.1-t2v-1.3b"]},
]

[styles.plain]
title = "Plain"

[characters.hana]
title = "Hana"
prompt = "hana_v2"
engines = ["wan2.1-t2v-1.3b"]
loras = [{file = "hana.safetensors", repository = "maker/hana"}]

[characters.ren]
title = "Ren"
loras = [{file = "rain.safetensors", repository = "maker/rain", revision = "v2"}]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "studio.toml").write_text(FULL, "utf-8")
    return tmp_path / "studio.toml"


def files(loras: list) -> list[str]:
    return [f"{lora.name}: {lora.source.repository}/{lora.source.file}" for lora in loras]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("style", ["rain", "plain"])
def test_a_style_is_told_to_an_engine_as_the_studio_tells_it(path: Path, engine: str, style: str) -> None:
    spec = find_spec(engine)
    theirs = look(studio.Catalog.load(path), spec, style)
    ours = Catalog.read(path).styles[style]
    assert ours.adapters(style, spec) == theirs.adapters
    assert ours.prompt.strip(" ,") == theirs.prompt
    assert ours.negative_prompt.strip(" ,") == theirs.negative_prompt


def test_every_lora_of_the_hub_that_a_request_may_name_is_known(path: Path) -> None:
    whole, ours = studio.Catalog.load(path), Catalog.read(path)
    for engine in ENGINES:
        spec = find_spec(engine)
        cast = [name for name in whole.characters if whole.drawn_by(spec, [name])]
        ordered = [adapter for style in whole.styles for adapter in look(whole, spec, style, cast).adapters]
        assert {lora.source for lora in ours.hub_loras(spec)} == {each.source for each in ordered if each.source}


def test_loras_fit_by_their_engines_and_by_those_of_their_character_and_come_once(path: Path) -> None:
    found = {engine: files(Catalog.read(path).hub_loras(find_spec(engine))) for engine in ENGINES}
    assert found == {
        WAN: ["rain+2: maker/rain/rain.safetensors", "hana: maker/hana/hana.safetensors"],
        "wan2.1-t2v-14b": ["rain+2: maker/rain/rain.safetensors"],
        "ltx-video-2b": ["rain: maker/rain/rain-ltx.safetensors", "rain+2: maker/rain/rain.safetensors"],
        "hunyuanvideo-1.5": [],  # it takes no LoRAs
    }
    source = Catalog.read(path).hub_loras(find_spec("wan2.1-t2v-14b"))[0].source
    assert source == Source(repository="maker/rain", revision="v2", file="rain.safetensors")


def test_the_built_in_styles_are_those_of_the_studio(tmp_path: Path) -> None:
    theirs = {name: style.prompt for name, style in studio.DEFAULT_STYLES.items()}
    assert {name: look.prompt for name, look in BUILT_IN.items()} == theirs
    ours, whole = Catalog.read(tmp_path / "none.toml"), studio.Catalog()
    assert set(ours.styles) == set(theirs)
    assert (ours.style, ours.engine, ours.preset) == (whole.style, whole.engine, whole.preset)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hero.prompts = 3", r"hero\.prompts: "),
        ("preset = 'best'", r"preset: "),
        ("[[styles.neon.loras]]\nfile = 'neon.ckpt'", r"styles\.neon\.loras\.0\.file: LoRAs must be \.safetensors"),
        ("prompts = [", r"studio\.toml: "),
    ],
)
def test_a_mistake_in_the_studio_file_is_named(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "studio.toml").write_text(text, "utf-8")
    with pytest.raises(StudioFileInvalid, match=words):
        Catalog.read(tmp_path / "studio.toml")
