import inspect

import diffusers
import pytest

from gpu.character import families
from gpu.character.families import DRAWN_BY, likely_model, misfit
from gpu.character.lora_file import LoraFile
from gpu.engines import ENGINES, find_spec
from tests.fakes import loras as made


def lora(folder, **sizes) -> LoraFile:
    return LoraFile.read(made.write(folder / "x.safetensors", made.comfyui(made.of_wan(**sizes))))


def test_every_engine_that_takes_loras_is_known_in_numbers():
    taking = {name for name in ENGINES if find_spec(name).takes_loras}
    assert taking - {"tiny"} == set(DRAWN_BY)  # tiny is what its own code says


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        (families.WAN_LARGE, diffusers.WanTransformer3DModel),
        (families.LTX_SMALL, diffusers.LTXVideoTransformer3DModel),
        (families.LTX2, diffusers.LTX2VideoTransformer3DModel),
        (families.MOCHI, diffusers.MochiTransformer3DModel),
        (families.HUNYUAN, diffusers.HunyuanVideo15Transformer3DModel),
    ],
)
def test_numbers_are_those_that_diffusers_takes_when_none_are_given(model, kind):
    usual = {name: given.default for name, given in inspect.signature(kind.__init__).parameters.items()}
    assert model.width == usual["num_attention_heads"] * usual["attention_head_dim"]
    assert model.blocks == usual["num_layers"]


@pytest.mark.parametrize(
    ("sizes", "title"),
    [
        ({"width": 1536, "blocks": 30}, "Wan 2.1 1.3B"),
        ({"width": 3072, "blocks": 30}, "Wan 2.2 5B"),
        ({"width": 5120, "blocks": 2}, "Wan 14B"),
        ({"width": 777, "blocks": 2}, "Wan of 777 numbers width"),
    ],
)
def test_a_lora_is_named_after_the_model_that_it_is_made_for(tmp_path, sizes, title):
    assert likely_model(lora(tmp_path, **sizes)) == title


def test_a_lora_of_the_right_size_may_be_one(tmp_path):
    file = lora(tmp_path, width=1536, blocks=30)
    assert misfit(file, "wan2.1-t2v-1.3b") == misfit(file, "wan2.1-vace-1.3b") == ""


def test_a_lora_of_another_size_is_none_and_both_are_named(tmp_path):
    file = lora(tmp_path, width=5120, blocks=40)
    assert misfit(file, "wan2.1-t2v-1.3b") == "it is made for Wan 14B, not for Wan 2.1 1.3B"
    assert misfit(file, "ltx-video-2b") == "it is made for Wan 14B, not for LTX-Video 2B"


def test_a_lora_for_more_blocks_is_none(tmp_path):
    assert (
        misfit(lora(tmp_path, width=1536, blocks=40), "wan2.1-t2v-1.3b")
        == "it changes 40 blocks, and Wan 2.1 1.3B has 30"
    )
