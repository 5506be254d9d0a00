"""What a film begins with reaches the model whole: the picture, the video, and how they are to be understood."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import pytest
import torch
from PIL import Image

from gpu.engines import ENGINES, Place, find_spec
from gpu.pipeline.plan import Plan
from tests.fakes.footage import draw_footage
from tests.fakes.weights.shelf import stock
from tests.gpu.engines.test_families import drawn, pictures, request

PORTRAIT = (60, 120)
FRAMES = 33


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    torch.set_num_threads(1)
    shelf = tmp_path_factory.mktemp("weights")
    media = draw_footage(tmp_path_factory.mktemp("media"), seconds=2)
    Image.effect_noise(PORTRAIT, 80).convert("RGB").save(media / "hana.png")

    @cache
    def loaded(name: str) -> Any:
        spec = find_spec(name)
        presets = {
            preset: recipe.model_copy(update={"num_inference_steps": 2}) if recipe.guidance_scale > 1 else recipe
            for preset, recipe in spec.presets.items()
        }
        place = Place(stock(name, shelf), media, shelf / "cache", "cpu")
        engine = import_module(ENGINES[name]).engine(spec.model_copy(update={"presets": presets}), place)
        engine.load()
        return engine

    return loaded


class Spy:
    """Hears what a model is called with."""

    def __init__(self, model: Any) -> None:
        self.calls: list[dict[str, Any]] = []
        model.register_forward_pre_hook(lambda _, values, named: self.calls.append(named), with_kwargs=True)


def films(vae: Any, monkeypatch: pytest.MonkeyPatch) -> list[torch.Tensor]:
    """Keep what is encoded."""
    encoded: list[torch.Tensor] = []
    plain = vae.encode
    monkeypatch.setattr(vae, "encode", lambda film, **more: encoded.append(film) or plain(film, **more))
    return encoded


def test_ltx_goes_on_from_the_first_half_of_a_video(
    load: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = load("ltx-video-2b")
    encoded = films(engine.pipe.vae, monkeypatch)
    assert len(drawn(engine, request("ltx-video-2b", "video-to-video", num_frames=FRAMES))) == FRAMES
    (film,) = encoded
    assert film.shape[2] == 17
    assert not torch.equal(film[:, :, 0], film[:, :, -1]), "it does not move"


def test_ltx_goes_on_from_it_in_both_passes(load: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    engine = load("ltx-video-13b")
    encoded = films(engine.pipe.vae, monkeypatch)
    drawn(engine, request("ltx-video-13b", "video-to-video", num_frames=FRAMES, preset="quality", width=128))
    assert [tuple(film.shape[2:]) for film in encoded] == [(17, 32, 64), (17, 64, 128)]


def test_ltx_decodes_in_tiles_only_what_is_large(load: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    engine = load("ltx-video-2b")
    vae, tiled = engine.pipe.vae, []
    plain = vae.decode
    monkeypatch.setattr(vae, "decode", lambda *values, **more: tiled.append(vae.use_tiling) or plain(*values, **more))
    for threshold in (96 * 64 * 16, 96 * 64 * 16 + 1):
        monkeypatch.setattr("gpu.engines.ltx.TILED_FROM", threshold)
        monkeypatch.setattr(engine._budget, "generous", False)
        monkeypatch.setattr("gpu.pipeline.preview.SHARE", -1.0)  # no previews
        drawn(engine, request("ltx-video-2b"))
    assert tiled == [True, False]
    assert not vae.use_tiling


def test_ltx_decodes_from_a_little_noise_that_the_seed_throws(load: Callable[[str], Any]) -> None:
    engine = load("ltx-video-2b")
    latents = torch.randn(1, 16, 2, 2, 3, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        first, second, again = (engine.decode(latents, seed) for seed in (1, 2, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    assert float((first - second).abs().mean()) < 0.1


def test_ltx_2_is_guided_as_it_was_made_and_not_as_its_successors(load: Callable[[str], Any]) -> None:
    engine = load("ltx-2")
    spy = Spy(engine.pipe.transformer)
    drawn(engine, request("ltx-2", "image-to-video", preset="quality"))
    assert {call["use_cross_timestep"] for call in spy.calls} == {False}
    assert [call["spatio_temporal_guidance_blocks"] for call in spy.calls].count([29]) == 2
    spy.calls.clear()
    drawn(engine, request("ltx-2", "image-to-video"))
    assert len(spy.calls) == 8, "guided, though it was distilled not to be"


def test_hunyuan_draws_a_picture_at_the_size_that_was_asked_for(load: Callable[[str], Any]) -> None:
    engine = load("hunyuanvideo-1.5-i2v")
    for width, height in ((144, 64), (64, 112), (96, 112), (96, 96)):
        wanted = request("hunyuanvideo-1.5-i2v", preset="draft", width=width, height=height, num_frames=5)
        assert pictures(drawn(engine, wanted)).shape == (5, height, width, 3)


def test_hunyuan_does_not_ask_for_what_offloading_forgets(load: Callable[[str], Any]) -> None:
    engine = load("hunyuanvideo-1.5-i2v")
    heads = [part for part in engine.pipe.image_encoder.modules() if isinstance(part, torch.nn.MultiheadAttention)]
    assert heads
    called: list[int] = []
    for head in heads:
        head.register_forward_hook(lambda *_: called.append(1))
    drawn(engine, request("hunyuanvideo-1.5-i2v", preset="draft", num_frames=5))
    assert not called


@pytest.mark.parametrize("name", ["mochi-1", "hunyuanvideo-1.5-i2v"])
def test_decoders_that_would_fill_any_card_work_in_tiles_and_encoders_do_not(
    load: Callable[[str], Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = load(name)
    vae, tiled = engine.pipe.vae, []
    for way in ("encode", "decode"):
        plain = getattr(vae, way)
        monkeypatch.setattr(
            vae, way, lambda *v, way=way, plain=plain, **m: tiled.append((way, vae.use_tiling)) or plain(*v, **m)
        )
    drawn(engine, request(name, preset="draft", num_frames=engine.spec.frame_step + 1))
    assert set(tiled) - {("encode", False)} == {("decode", True)}
    assert not vae.use_tiling


@pytest.mark.parametrize(("name", "frames"), [("mochi-1", 7), ("hunyuanvideo-1.5", 5)])
def test_where_a_model_is_too_large_for_the_card_tiles_are_smaller_and_the_film_as_large(
    load: Callable[[str], Any], name: str, frames: int
) -> None:
    whole = load(name)
    held = tuple(each for each in whole.spec.variants if each.name == "offload")
    small = type(whole)(whole.spec.model_copy(update={"variants": held}), whole.place)
    small.load()
    assert small.pipe.vae.tile_sample_min_height < whole.pipe.vae.tile_sample_min_height
    wanted = request(name, preset="draft", width=224, height=208, num_frames=frames)
    assert pictures(drawn(small, wanted)).shape == (frames, 208, 224, 3)


def test_vace_sees_the_whole_reference_and_follows_a_video_in_grey(load: Callable[[str], Any]) -> None:
    name = "wan2.1-vace-1.3b"
    engine = load(name)
    wanted = request(name, "video-to-video", image="hana.png", preset="draft")
    given = engine.arguments(Plan.of(wanted, engine.spec, engine.place))
    assert [picture.size for picture in given["reference_images"]] == [PORTRAIT]
    assert len(given["video"]) == wanted.num_frames
    for picture in given["video"]:
        red, green, blue = picture.split()
        assert red.tobytes() == green.tobytes() == blue.tobytes()
    assert pictures(drawn(engine, wanted)).shape == (wanted.num_frames, 64, 96, 3)


def test_vace_does_without_either(load: Callable[[str], Any]) -> None:
    name = "wan2.1-vace-1.3b"
    engine = load(name)
    given = engine.arguments(Plan.of(request(name, preset="draft"), engine.spec, engine.place))
    assert given == {"video": None, "reference_images": None}
    assert len(drawn(engine, request(name, "image-to-video", preset="draft"))) == 9


def test_a_video_of_another_pace_is_not_slowed_down(load: Callable[[str], Any]) -> None:
    engine = load("wan2.1-t2v-1.3b")
    whole = Plan.of(request("wan2.1-t2v-1.3b", "video-to-video"), engine.spec, engine.place)
    slow = engine.spec.model_copy(update={"fps": engine.spec.fps / 2})
    half = Plan.of(request("wan2.1-t2v-1.3b", "video-to-video"), slow, engine.place)
    assert half.video[:4] == whole.video[:8:2]
