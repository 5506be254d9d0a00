"""Every engine draws with small weights through the real loading code, and keeps the promises of all engines."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gpu.engines import ENGINES, Frame, Place, Preview, Sound, find_engine, find_spec
from gpu.engines.diffusion import DiffusionEngine
from gpu.engines.ltx import Ltx
from gpu.pipeline.plan import Plan
from gpu.render import render
from gpu.telling import Telling
from sakuga.engine import Mode, Progress, RenderRequest, RenderStage
from sakuga.errors import FramesInvalid, RenderCancelled, RenderFailed, WeightsMissing
from tests.fakes.footage import draw_footage
from tests.fakes.weights.shelf import REAL, stock
from tests.gpu.conftest import ask

WIDE, FRAMES = (96, 64), 9
SHORT = 4
"""Steps of a full schedule, here."""


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    colours = np.indices((64, 96)).sum(0)[..., None] * [1, 2, 3] % 256
    Image.fromarray(colours.astype(np.uint8)).save(folder / "hana.png")
    return draw_footage(folder, seconds=0.6)


class Listener:
    """Hears a render, and stops it when it is told to."""

    def __init__(self, stop_at: tuple[RenderStage, int] | None = None) -> None:
        self.heard: list[tuple[RenderStage, int, int, float]] = []
        self.previews: list[Frame] = []
        self._stop_at = stop_at

    def __call__(self, stage: RenderStage, step: int, total: int, fraction: float, preview: Preview = None) -> None:
        self.heard.append((stage, step, total, fraction))
        if preview is not None:
            self.previews.append(preview() if callable(preview) else preview)
        if self._stop_at == (stage, step):
            raise RenderCancelled

    def steps(self) -> list[int]:
        return [step for stage, step, _, _ in self.heard if stage == "denoise"]


def request(engine: str, mode: Mode | None = None, **more: object) -> RenderRequest:
    spec = find_spec(engine)
    mode = mode or spec.modes[0]
    begin = {"image-to-video": {"image": "hana.png"}, "video-to-video": {"video": "0.mp4"}}.get(mode, {})
    size = {"width": WIDE[0], "height": WIDE[1], "num_frames": FRAMES, "fps": spec.fps}
    return ask(**({"prompt": "a cat dances", "engine": engine, "style": ""} | size | begin | more))


def drawn(engine: DiffusionEngine, wanted: RenderRequest, listener: Listener | None = None) -> list[Frame | Sound]:
    return list(engine.render(wanted, listener or Listener()))


def pictures(film: list[Frame | Sound]) -> np.ndarray:
    return np.stack([item for item in film if not isinstance(item, Sound)])


@pytest.fixture(scope="module", params=REAL)
def engine(request: pytest.FixtureRequest, shelf: Path, media: Path) -> Iterator[DiffusionEngine]:
    stock(request.param, shelf)
    torch.set_num_threads(1)  # two wait for each other when others work too
    spec = find_spec(request.param)
    short = {
        name: recipe.model_copy(update={"num_inference_steps": min(recipe.num_inference_steps, SHORT)})
        if recipe.guidance_scale > 1
        else recipe
        for name, recipe in spec.presets.items()
    }
    place = Place(weights=shelf, media=media, cache=shelf / "cache", device="cpu")
    found = import_module(ENGINES[spec.name]).engine(spec.model_copy(update={"presets": short}), place)
    assert isinstance(found, DiffusionEngine)
    found.load()
    yield found
    del found


def test_it_draws_live_and_says_what_it_did(engine: DiffusionEngine) -> None:
    name, spec, listener = engine.spec.name, engine.spec, Listener()
    film = drawn(engine, request(name), listener)
    frames, sounds = pictures(film), [item for item in film if isinstance(item, Sound)]
    expected = spec.fitting_frames(FRAMES)
    assert frames.shape == (expected, *reversed(spec.fitting_size(*WIDE)), 3)
    assert frames.dtype == np.uint8
    assert frames.std() > 1
    assert len(sounds) == spec.sound
    total = engine.spec.presets["live"].num_inference_steps
    assert listener.steps() == list(range(1, total + 1))
    fractions = [fraction for _, _, _, fraction in listener.heard]
    assert fractions == sorted(fractions)
    assert {"text", "denoise", "decode"} <= {stage for stage, _, _, _ in listener.heard}
    assert engine.making
    assert engine.making.engine == name
    assert spec.source
    assert (engine.making.repository, engine.making.revision) == (spec.source.repository, spec.source.revision)
    assert (engine.making.num_inference_steps, engine.making.preset) == (total, "live")
    distilled = spec.presets["live"].source
    named = f"{distilled.repository}@{distilled.revision}/{distilled.file or 'transformer'}" if distilled else ""
    assert engine.making.distilled == named
    assert engine.making.adapters == (("preset:1",) if "lora" in named.lower() else ())
    assert set(engine.making.seconds) >= {"text", "denoise", "decode"}


def test_it_draws_what_diffusers_draws(engine: DiffusionEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpu.engines.ltx.DECODE_NOISE", 0.0)  # from other dice
    monkeypatch.setattr(engine, "cache_threshold", None)
    wanted = request(engine.spec.name, preset="quality" if len(engine.spec.extras) == 0 else "live", seed=11)
    ours = pictures(drawn(engine, wanted)).astype(int)
    plan = Plan.of(wanted, engine.spec, engine.place)
    more = {"decode_timestep": 0.05, "decode_noise_scale": 0.0} if isinstance(engine, Ltx) else {}
    given = plan.arguments | engine.arguments(plan) | more
    torch.manual_seed(11)
    film = engine.pipeline(plan)(
        **{name: value for name, value in given.items() if value is not None},
        generator=torch.Generator("cpu").manual_seed(11),
        output_type="np",
    ).frames[0]
    assert np.abs(ours - (film.clip(0, 1) * 255).round()).max() <= 1


def test_stopped_at_any_point_it_draws_the_same_afterwards(engine: DiffusionEngine) -> None:
    wanted = request(engine.spec.name, preset="draft")
    before = pictures(drawn(engine, wanted))
    for stop_at in (("denoise", 2), ("decode", engine.spec.fitting_frames(FRAMES))):
        listener = Listener(stop_at)
        with pytest.raises(RenderCancelled):
            drawn(engine, wanted, listener)
        if stop_at[0] == "denoise":
            assert listener.steps() == [1, 2]
        assert np.array_equal(pictures(drawn(engine, wanted)), before)


def test_previews_are_pictures_of_the_film(engine: DiffusionEngine) -> None:
    listener = Listener()
    drawn(engine, request(engine.spec.name), listener)
    assert len(listener.previews) == len(listener.steps())
    for preview in listener.previews:
        assert (preview.ndim, preview.shape[2]) == (3, 3)
        assert preview.dtype == np.uint8


def test_each_of_its_modes_and_presets_draws(engine: DiffusionEngine) -> None:
    for mode in engine.spec.modes:
        assert len(pictures(drawn(engine, request(engine.spec.name, mode, preset="draft"))))
    for preset in engine.spec.presets:
        listener = Listener()
        drawn(engine, request(engine.spec.name, preset=preset, num_frames=engine.spec.frame_step + 1), listener)
        assert engine.making
        assert engine.making.preset == preset
        steps = engine.spec.presets[preset].num_inference_steps
        assert listener.steps() == list(range(1, steps + 1))
        assert engine.making.num_inference_steps == steps


def test_it_becomes_a_clip(engine: DiffusionEngine, tmp_path: Path) -> None:
    told: list[Progress] = []
    wanted = request(engine.spec.name, preset="draft")
    result = render(engine, wanted, tmp_path, Telling(told.append))
    assert Path(result.video_path).stat().st_size > 500
    assert (result.width, result.height) == engine.spec.fitting_size(*WIDE)
    assert result.num_frames == engine.spec.fitting_frames(FRAMES)
    assert result.has_sound == engine.spec.sound
    assert result.making
    assert result.making.engine == engine.spec.name
    assert told[-1].fraction == 1


def test_numbers_that_are_none_make_no_picture(engine: DiffusionEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    def overflowed(*_: object) -> Iterator[torch.Tensor]:
        yield torch.full((3, 1, 8, 8), torch.nan)

    monkeypatch.setattr(engine, "decoded", overflowed)
    with pytest.raises(FramesInvalid):
        drawn(engine, request(engine.spec.name, preset="draft"))


def test_without_weights_it_says_how_to_get_them(tmp_path: Path) -> None:
    for name in REAL:
        with pytest.raises(WeightsMissing, match=f"gpu weights {name}"):
            find_engine(name, Place(weights=tmp_path, cache=tmp_path, device="cpu")).load()


def test_what_it_does_not_draw_is_refused(engine: DiffusionEngine) -> None:
    missing = {"text-to-video", "image-to-video", "video-to-video"} - set(engine.spec.modes)
    for mode in missing:
        with pytest.raises(RenderFailed, match=mode):
            drawn(engine, request(engine.spec.name, mode))
