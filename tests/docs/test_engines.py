"""The list of engines says what their specs say, and the engine of the how-to page draws."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from diffusers import SkyReelsV2Pipeline, SkyReelsV2Transformer3DModel, UniPCMultistepScheduler

from gpu.bench.fullsize import FULL
from gpu.engines import ENGINES, Place, find_engine, find_spec, tiny
from sakuga.engine import RenderRequest
from tests.docs.paper import HOUSE, anchors, blocks, reference, rows

PAGE = "engines.md"
HOW_TO = HOUSE / "docs" / "how-to" / "add-an-engine.md"
NAME = "skyreels-v2-14b"


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_is_listed_with_what_it_loads(name: str) -> None:
    spec, section = find_spec(name), section_of(name)
    assert spec.summary in section
    assert name.replace(".", "") in anchors(HOUSE / "docs" / "reference" / PAGE)
    assert all(f"| `{preset}` | {recipe.num_inference_steps} |" in section for preset, recipe in spec.presets.items())
    assert all(f"`{variant.name}` from {variant.vram_gb:g} GB" in section for variant in spec.variants)
    sources = [spec.source, *spec.extras, *(recipe.source for recipe in spec.presets.values())]
    for source in filter(None, sources if spec.licence else ()):
        assert source.repository in section
        assert (source.revision or "the first") in section


def test_no_engine_is_listed_that_does_not_exist() -> None:
    listed = {row.removeprefix("[`").partition("`")[0] for row in first_cells() if row.startswith("[`")}
    assert listed == set(ENGINES)
    assert "rehearsal" not in rows(PAGE)  # its name leads to its section


@pytest.mark.parametrize("name", FULL)
def test_an_engine_is_expected_to_take_what_the_page_on_performance_says(name: str) -> None:
    spec = find_spec(name)
    for preset in spec.presets:
        (line,) = (
            line for line in reference("performance.md").splitlines() if line.startswith(f"| `{name}` | {preset} ")
        )
        expected = line.strip("| ").split(" | ")[-1]
        (row,) = (row for row in section_of(name).splitlines() if row.startswith(f"| `{preset}` | "))
        assert row.strip("| ").split(" | ")[-1] == expected


def section_of(name: str) -> str:
    return reference(PAGE).split(f"\n## {name}\n")[1].partition("\n## ")[0]


def first_cells() -> list[str]:
    return [line.split(" | ")[0].removeprefix("| ") for line in reference(PAGE).splitlines() if line.startswith("| ")]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module of the how-to page, in the place that the page gives it."""
    code = next(block.text for block in blocks(HOW_TO) if block.language == "python")
    module = ModuleType("gpu.engines.skyreels")
    exec(compile(code, str(HOW_TO), "exec"), module.__dict__)
    assert f'`"{NAME}": "{module.__name__}"`' in HOW_TO.read_text("utf-8")
    monkeypatch.setitem(ENGINES, NAME, module.__name__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


def small_skyreels() -> SkyReelsV2Pipeline:
    words = tiny.tokenizer()
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        return SkyReelsV2Pipeline(
            tokenizer=words,
            text_encoder=tiny.text_encoder(words),
            vae=tiny.painter(),
            scheduler=UniPCMultistepScheduler(
                prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=8.0, num_train_timesteps=1000
            ),
            transformer=SkyReelsV2Transformer3DModel(
                num_attention_heads=2,
                attention_head_dim=12,
                text_dim=tiny.TEXT_CHANNELS,
                ffn_dim=32,
                num_layers=2,
                rope_max_seq_len=64,
            ).eval(),
        )


def test_the_engine_of_the_how_to_page_draws(shown: ModuleType, tmp_path: Path) -> None:
    spec = find_spec(NAME)
    place = Place(tmp_path / "weights", tmp_path / "media", tmp_path / "cache", "cpu")
    assert spec.source
    tiny.keep(small_skyreels, place.weights, spec.source.repository, "0" * 40)
    engine = find_engine(NAME, place)
    engine.load()
    request = RenderRequest(
        job_id="job_1",
        number=1,
        attempt=1,
        engine=NAME,
        prompt="a fox in the snow",
        style="anime",
        seed=7,
        width=100,
        height=60,
        num_frames=8,
        fps=24,
        preset="draft",
    )
    steps = []
    frames = list(engine.render(request, lambda stage, step, *_: steps.append((stage, step))))
    assert {np.shape(frame) for frame in frames} == {(64, 96, 3)}
    assert len(frames) == 9
    assert ("denoise", spec.presets["draft"].num_inference_steps) in steps
    assert engine.making
    assert engine.making.revision == "0" * 40
