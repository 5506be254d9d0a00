"""On a card, nothing that lies there meets what lies in the machine's memory, whichever way the weights are held."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gpu.engines import ENGINES, Place, Sound, find_spec
from sakuga.engine import VariantName
from tests.fakes.card import PAPER, PaperTensor, paper_card
from tests.fakes.footage import draw_footage
from tests.fakes.weights.shelf import stock
from tests.gpu.engines.test_families import request

pytestmark = pytest.mark.filterwarnings("ignore:In XLA autocast")  # Mochi asks for fp32

# One of each kind of pipeline.
KINDS = (
    "wan2.1-t2v-1.3b",
    "wan2.1-i2v-14b-480p",
    "wan2.1-vace-1.3b",
    "wan2.2-ti2v-5b",
    "ltx-video-2b",
    "ltx-video-13b",
    "ltx-2",
    "mochi-1",
    "hunyuanvideo-1.5-i2v",
)
LARGE_PARTS = ("wan2.1-i2v-14b-480p", "wan2.1-vace-1.3b", "ltx-2", "hunyuanvideo-1.5-i2v")
"""Engines that have, together, every kind of model that is offloaded."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("card")
    media = draw_footage(tmp_path_factory.mktemp("media"), seconds=0.6)
    Image.linear_gradient("L").convert("RGB").save(media / "hana.png")
    return Place(folder, media, folder / "cache")


def test_paper_refuses_to_meet_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    with paper_card(monkeypatch):
        there, here = torch.ones(2, device=PAPER), torch.ones(2)
        with pytest.raises(RuntimeError, match="same device"):
            there + here
        assert (there + 1).cpu().tolist() == [2, 2]
        assert isinstance(torch.nn.Linear(2, 3).to(PAPER)(there), PaperTensor)


@pytest.mark.parametrize(
    ("name", "variant"), [(name, "bf16") for name in KINDS] + [(name, "offload") for name in LARGE_PARTS]
)
def test_every_kind_of_pipeline_draws_on_a_card(
    name: str, variant: VariantName, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = find_spec(name)
    draft = spec.presets["quality" if spec.extras else "draft"]
    short = draft.model_copy(update={"num_inference_steps": 2})  # those that are pinned make more
    held = tuple(each for each in spec.variants if each.name == variant)
    spec = spec.model_copy(update={"presets": {"quality": short}, "variants": held})
    stock(name, place.weights)
    engine = import_module(ENGINES[name]).engine(spec, place)
    monkeypatch.setattr("gpu.pipeline.preview.SHARE", 1.0)
    seen: list[tuple[int, ...]] = []

    def look(*told: object) -> None:
        if callable(told[-1]):
            seen.append(told[-1]().shape)

    with paper_card(monkeypatch):
        engine.load()
        engine.rehearse()
        assert (engine.pipe.vae.device, engine.pipe.vae.dtype) == (PAPER, torch.float32)
        assert engine.pipe.transformer.dtype == torch.bfloat16
        for mode in spec.modes if variant == "bf16" else spec.modes[:1]:
            film = list(engine.render(request(name, mode, preset="quality"), look))
            frames = np.stack([item for item in film if not isinstance(item, Sound)])
            assert frames.std() > 1
    assert seen


def test_weights_lie_where_their_variant_says(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "wan2.1-t2v-1.3b"
    stock(name, place.weights)
    spec = find_spec(name)
    with paper_card(monkeypatch):
        engine = import_module(ENGINES[name]).engine(spec, place)
        engine.load()
        worn = engine.pipe.transformer
        assert worn.device == PAPER
        assert worn is not engine._wardrobe._transformers[None]
        assert engine._wardrobe._transformers[None].device == torch.device("cpu")


def test_nothing_is_left_of_it(tmp_path: Path) -> None:
    assert torch.nn.Linear(2, 2).to("cpu").weight.device.type == "cpu"
    assert torch.is_grad_enabled()
