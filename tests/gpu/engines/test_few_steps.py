"""Few-step presets walk exactly the timesteps that their weights were distilled for, one forward a step."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch

from gpu.engines import ENGINES, Place, find_spec
from gpu.engines.diffusion import DiffusionEngine
from gpu.pipeline.plan import Plan
from tests.fakes.weights.shelf import stock
from tests.gpu.engines.test_families import drawn, request

FASTWAN = [1000, 757, 522]
LIGHTX2V = [1000, 937.5, 833.333, 625]
LTX = [1000, 993.7, 987.5, 981.2, 975, 909.4, 725]
LTX2 = [1000, 993.75, 987.5, 981.25, 975, 909.375, 725, 421.875]
TRAINED = {
    ("wan2.1-t2v-1.3b", "live"): FASTWAN,
    ("wan2.2-ti2v-5b", "live"): FASTWAN,
    ("wan2.1-t2v-14b", "live"): LIGHTX2V,
    ("wan2.1-i2v-14b-480p", "draft"): LIGHTX2V,
    ("ltx-video-2b", "live"): LTX,
    ("ltx-video-13b", "draft"): LTX,
    ("ltx-video-13b", "quality"): [*LTX, 909.4, 725, 421.9],
    ("ltx-2", "live"): LTX2,
}


def loaded(name: str, folder: Path) -> DiffusionEngine:
    torch.set_num_threads(1)
    place = Place(stock(name, folder), folder / "media", folder / "cache", "cpu")
    place.media.mkdir(exist_ok=True)
    from PIL import Image  # noqa: PLC0415

    Image.linear_gradient("L").convert("RGB").save(place.media / "hana.png")
    engine: DiffusionEngine = import_module(ENGINES[name]).engine(find_spec(name), place)
    engine.load()
    return engine


@pytest.mark.parametrize(("case", "trained"), TRAINED.items(), ids=["-".join(case) for case in TRAINED])
def test_the_transformer_sees_what_it_was_trained_on(
    case: tuple[str, str], trained: list[float], tmp_path: Path
) -> None:
    name, preset = case
    engine = loaded(name, tmp_path)
    seen: list[float] = []

    def see(_: Any, values: tuple[Any, ...], named: dict[str, Any]) -> None:
        seen.append(float(named["timestep"].max()))

    wanted = request(name, preset=preset)
    engine._wardrobe.wear(engine.spec.presets[preset].source, ())
    hook = engine.pipe.transformer.register_forward_pre_hook(see, with_kwargs=True)
    drawn(engine, wanted)
    hook.remove()
    assert seen == pytest.approx(trained, abs=0.01)
    assert engine.making
    assert engine.making.num_inference_steps == engine.spec.presets[preset].num_inference_steps == len(trained)


def test_whatever_shift_the_repository_has(tmp_path: Path) -> None:
    from diffusers import FlowMatchEulerDiscreteScheduler  # noqa: PLC0415

    engine = loaded("ltx-video-13b", tmp_path)
    engine._own_scheduler = FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift_terminal=0.1)
    plan = Plan.of(request("ltx-video-13b"), engine.spec, engine.place)
    scheduler = engine.scheduler(plan)
    scheduler.set_timesteps(timesteps=engine.arguments(plan)["timesteps"])
    assert (scheduler.sigmas[:-1] * 1000).tolist() == pytest.approx(LTX, abs=0.01)


@pytest.mark.parametrize(("name", "fresh"), [("wan2.1-t2v-1.3b", True), ("wan2.1-t2v-14b", False), ("ltx-2", False)])
def test_only_what_was_distilled_so_gets_fresh_noise_after_each_step(name: str, fresh: bool, tmp_path: Path) -> None:
    engine = loaded(name, tmp_path)
    scheduler = engine.scheduler(Plan.of(request(name), engine.spec, engine.place))
    assert scheduler.config.stochastic_sampling is fresh


@pytest.mark.parametrize(("name", "shift"), [("wan2.1-t2v-14b", 3.0), ("wan2.2-ti2v-5b", 5.0)])
def test_the_full_schedule_has_the_shift_of_the_model(name: str, shift: float, tmp_path: Path) -> None:
    engine = loaded(name, tmp_path)
    wanted = request(name, preset="quality", width=832, height=480)
    assert engine.scheduler(Plan.of(wanted, engine.spec, engine.place)).config.flow_shift == shift
