import httpx
import pytest

from api.state import State
from sakuga import store
from sakuga.catalog import Catalog
from tests.fakes.engines import CAST, LTX, PICTURED, WAN
from tests.fakes.renderer import SPEC
from worker import upkeep

CATALOG = Catalog.model_validate({"characters": CAST})


@pytest.fixture
async def cast(studio: State, redis: store.Client, http: httpx.AsyncClient) -> None:
    """A studio with four engines and three characters."""
    studio.file._catalog = CATALOG
    await upkeep.introduce(redis, upkeep.Introduction("worker_1", "puppet", [WAN, LTX, PICTURED, SPEC], 1))


async def test_the_catalog_names_what_generate_takes(http: httpx.AsyncClient) -> None:
    document = (await http.get("/catalog")).json()
    assert (document["style"], document["prompt_limit"]) == ("anime", 300)
    assert [engine["name"] for engine in document["engines"]] == ["rehearsal"]
    for style in document["styles"]:
        assert (await http.post("/generate", json={"prompt": "cat", "style": style["name"]})).status_code == 202
    for preset in document["engines"][0]["presets"]:
        assert (await http.post("/generate", json={"prompt": "cat", "preset": preset})).status_code == 202


async def test_engines_are_told_with_what_they_can_the_default_first(http: httpx.AsyncClient, cast: None) -> None:
    engines = {engine["name"]: engine for engine in (await http.get("/catalog")).json()["engines"]}
    assert list(engines) == ["wan", "ltx", "wan-i2v", "rehearsal"]
    assert (engines["ltx"]["modes"], engines["ltx"]["sound"]) == (["text-to-video", "image-to-video"], True)
    assert (engines["wan"]["licence"], engines["ltx"]["licence"]) == ("Apache-2.0", None)
    assert (engines["wan"]["sizes"], engines["wan"]["presets"]) == (["64x48"], ["live", "draft"])


async def test_the_engine_that_the_studio_file_names_is_the_first(
    studio: State, redis: store.Client, http: httpx.AsyncClient
) -> None:
    studio.file._catalog = Catalog(engine="ltx")
    await upkeep.introduce(redis, upkeep.Introduction("worker_1", "puppet", [WAN, PICTURED, LTX], 1))
    assert [engine["name"] for engine in (await http.get("/catalog")).json()["engines"]] == ["ltx", "wan", "wan-i2v"]


async def test_characters_are_told_with_the_engines_that_draw_them_and_without_their_words(
    http: httpx.AsyncClient, cast: None
) -> None:
    answer = await http.get("/catalog")
    engines = {character["name"]: character["engines"] for character in answer.json()["characters"]}
    assert engines == {
        "hana": ["ltx"],
        "ren": ["wan", "ltx", "wan-i2v", "rehearsal"],
        "yuki": ["wan", "ltx", "rehearsal"],
    }
    made_for = {character["name"]: character["made_for"] for character in answer.json()["characters"]}
    assert made_for == {name: list(CATALOG.characters[name].engines) for name in engines}
    assert "hana_v2" not in answer.text
    for name, drawn_by in engines.items():
        for engine in drawn_by:
            body = {"prompt": "cat", "characters": [name], "engine": engine}
            assert (await http.post("/generate", json=body)).status_code == 202
