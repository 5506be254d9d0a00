from typing import Any

import pytest

from sakuga.catalog import Catalog
from sakuga.engine import EngineSpec, Recipe, RenderRequest
from sakuga.job import Job
from sakuga.lane import Lane
from sakuga.order import look, order
from tests.fakes.jobs import MIKA

SCARF = {"file": "hana.safetensors", "weight": 0.8}
CATALOG = Catalog.model_validate(
    {
        "style": "neon",
        "styles": {
            "neon": {
                "title": "Neon",
                "prompt": "neon city at night",
                "negative_prompt": "photo, text",
                "loras": [
                    {"repository": "somebody/neon", "file": "v1/neon.safetensors", "revision": "a1b2", "weight": 0.5}
                ],
            },
            "plain": {"title": "Plain"},
        },
        "characters": {
            "hana": {
                "title": "Hana",
                "prompt": "hana_v2, red scarf",
                "negative_prompt": "hat",
                "loras": [SCARF, {"file": "detail.safetensors"}],
            },
            "ren": {
                "title": "Ren",
                "prompt": "ren_v1",
                "negative_prompt": "hat",
                "image": "cast/ren.png",
                "loras": [SCARF | {"weight": 0.3}, {"file": "ren-ltx.safetensors", "engines": ["ltx"]}],
            },
            "yuki": {"title": "Yuki", "image": "cast/yuki.png"},
        },
    }
)


def spec(**changes: Any) -> EngineSpec:
    given = {
        "name": "wan",
        "summary": "For tests.",
        "sizes": ((832, 480), (480, 832)),
        "fps": 16,
        "shortest_s": 1,
        "longest_s": 5,
        "default_s": 5,
        "frame_step": 4,
        "typical_s": 9,
        "takes_loras": True,
        "presets": {
            "draft": Recipe(num_inference_steps=3, guidance_scale=1, typical_s=4, size=(576, 320)),
            "live": Recipe(num_inference_steps=4, guidance_scale=1, typical_s=9),
        },
    }
    return EngineSpec.model_validate(given | changes)


def ordered(spec: EngineSpec, **changes: Any) -> RenderRequest:
    given = {
        "id": "job_1",
        "number": 42,
        "status": "starting",
        "prompt": "a courier",
        "style": "neon",
        "engine": spec.name,
        "duration_s": 5,
        "seed": 7,
        "requested_by": MIKA,
        "lane": Lane.VIEWER,
        "requested_at": 0,
        "start_number": 0,
        "attempt": 2,
    }
    return order(Job.model_validate(given | changes), CATALOG, spec)


def test_an_order_says_who_asked_for_what_and_how_it_is_drawn() -> None:
    request = ordered(spec())
    assert (request.attempt_key, request.number, request.seed, request.requested_by) == ("job_1.2", 42, 7, "Mika")
    assert (request.engine, request.preset, request.width, request.height) == ("wan", "live", 832, 480)
    assert (request.num_frames, request.fps) == (81, 16)


def test_the_words_are_the_viewers_then_the_styles_then_the_characters() -> None:
    request = ordered(spec(), characters=["hana", "ren"])
    assert request.words == "a courier, neon city at night, hana_v2, red scarf, ren_v1"
    assert request.negative_prompt == "photo, text, hat"


def test_loras_of_style_and_characters_come_together_and_each_file_once() -> None:
    adapters = ordered(spec(), characters=["hana", "ren"]).adapters
    assert [(adapter.name, adapter.file, adapter.weight) for adapter in adapters] == [
        ("neon", None, 0.5),
        ("hana", "hana.safetensors", 0.8),
        ("hana+2", "detail.safetensors", 1.0),
    ]
    assert adapters[0].source is not None
    assert adapters[0].source.model_dump() == {
        "repository": "somebody/neon",
        "revision": "a1b2",
        "file": "v1/neon.safetensors",
    }


def test_a_lora_goes_only_to_the_engines_that_it_was_trained_for() -> None:
    assert [adapter.name for adapter in ordered(spec(name="ltx"), characters=["ren"]).adapters] == [
        "neon",
        "ren",
        "ren+2",
    ]
    assert ordered(spec(takes_loras=False), characters=["hana"]).adapters == ()


@pytest.mark.parametrize(
    ("modes", "characters", "image"),
    [
        (("text-to-video", "image-to-video"), ["hana", "ren", "yuki"], "cast/ren.png"),
        (("image-to-video",), ["yuki", "ren"], "cast/yuki.png"),
        (("text-to-video",), ["ren"], None),
        (("text-to-video", "image-to-video"), ["hana"], None),
    ],
)
def test_an_engine_that_can_begins_with_the_picture_of_the_first_who_has_one(
    modes: tuple[str, ...], characters: list[str], image: str | None
) -> None:
    assert ordered(spec(modes=modes), characters=characters).image == image


def test_a_preset_brings_its_own_size() -> None:
    request = ordered(spec(), preset="draft")
    assert (request.preset, request.width, request.height) == ("draft", 576, 320)


def test_a_preset_that_the_engine_has_no_more_becomes_its_usual_one() -> None:
    assert ordered(spec(), preset="quality").preset == "live"
    assert ordered(spec(presets={}), preset="draft").preset == "draft"


def test_names_that_the_studio_file_has_no_more_add_nothing() -> None:
    request = ordered(spec(), style="gone", characters=["gone", "yuki"])
    assert (request.style_prompt, request.negative_prompt, request.adapters) == ("", "", ())
    assert look(CATALOG, spec(), "plain").prompt == ""
