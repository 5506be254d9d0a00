import json
import struct

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gpu.character.lora_file import LoraFile
from sakuga.errors import CharacterRefused
from tests.fakes import loras as made

WAN = made.of_wan(width=1536, blocks=3, rank=8)
FORMS = {
    "diffusers": "diffusers",
    "diffusers_plain": "diffusers",
    "peft": "diffusers",
    "comfyui": "ComfyUI",
    "civitai": "ComfyUI",
    "diffsynth": "plain",
    "kohya": "kohya",
}


def layer(name: str, width: int = 64) -> made.Trained:
    return {name: (torch.ones(4, width), torch.ones(width, 4))}


@pytest.mark.parametrize("form", made.FORMS)
def test_a_header_tells_rank_width_and_blocks_in_every_form(tmp_path, form):
    file = LoraFile.read(made.write(tmp_path / "x.safetensors", made.FORMS[form](WAN)))
    assert (file.rank, file.width, file.blocks, file.family) == (8, 1536, 3, "wan")
    assert len(file.layers) == 24
    assert file.form == FORMS[form]


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("diffusion_model.transformer_blocks.0.attn1.to_q", "ltx"),
        ("lora_unet_transformer_blocks_0_attn1_to_q", "ltx"),
        ("transformer.transformer_blocks.0.audio_attn1.to_q", "ltx2"),
        ("transformer.transformer_blocks.0.attn1.add_q_proj", "mochi"),
        ("diffusion_model.blocks.0.attn.qkv_x", "mochi"),
        ("transformer.transformer_blocks.0.attn.to_q", "hunyuan"),
        ("diffusion_model.double_blocks.0.img_attn.qkv", "flux"),
        ("transformer.single_transformer_blocks.0.attn.to_q", "flux"),
        ("lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q", "stable diffusion"),
        ("diffusion_model.vace_blocks.0.self_attn.q", "wan"),
        ("something.else", None),
    ],
)
def test_the_names_of_layers_tell_the_family(tmp_path, name, family):
    tensors = {f"{name}.lora_A.weight": torch.ones(4, 64), f"{name}.lora_B.weight": torch.ones(64, 4)}
    assert LoraFile.read(made.write(tmp_path / "x.safetensors", tensors)).family == family


def test_the_width_is_that_of_the_picture_not_of_the_sound_beside_it(tmp_path):
    trained = {}
    for part, width in (("audio_attn1.to_q", 2048), ("audio_attn1.to_k", 2048), ("attn1.to_q", 4096)):
        trained |= layer(f"transformer_blocks.0.{part}", width)
    assert LoraFile.read(made.write(tmp_path / "x.safetensors", made.diffusers(trained))).width == 4096


def test_trigger_words_are_what_the_maker_wrote(tmp_path):
    header = {"modelspec.trigger_phrase": " m1ka, red scarf ", "ss_tag_frequency": {"1_mika": {"cat": 3}}}
    file = LoraFile.read(made.write(tmp_path / "x.safetensors", made.comfyui(WAN), **header))
    assert file.trigger_phrase == "m1ka, red scarf"


def test_what_a_maker_wrote_is_shown_on_one_line_of_a_decent_length(tmp_path):
    header = {"trigger_words": "m1ka\x1b[2J\n" + "x" * 300}
    file = LoraFile.read(made.write(tmp_path / "x.safetensors", made.comfyui(WAN), **header))
    assert file.trigger_phrase == ("m1ka [2J " + "x" * 300)[:200]


def test_whole_weights_are_counted(tmp_path):
    more = {
        "diffusion_model.blocks.0.norm3.diff": torch.ones(4),
        "diffusion_model.blocks.0.norm3.diff_b": torch.ones(4),
    }
    assert LoraFile.read(made.write(tmp_path / "x.safetensors", made.comfyui(WAN) | more)).differences == 1


def test_frequent_words_are_counted_over_all_folders(tmp_path):
    header = {"ss_tag_frequency": {"1_mika": {"m1ka": 30, "rain": 20}, "2_more": {"rain": 15, "hat": 1}}}
    file = LoraFile.read(made.write(tmp_path / "x.safetensors", made.comfyui(WAN), **header))
    assert (file.trigger_phrase, file.frequent_words) == ("", "rain, m1ka, hat")


@pytest.mark.parametrize("count", ["nonsense", "[1]", '{"a": 1}', '{"a": {"b": "c"}}', "[" * 5000])
def test_a_count_of_words_that_is_none_is_passed_over(tmp_path, count):
    file = LoraFile.read(made.write(tmp_path / "x.safetensors", made.comfyui(WAN), ss_tag_frequency=count))
    assert file.frequent_words == ""


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [4, 4], "data_offsets": [0, 60]},
        {"dtype": "F32", "shape": [-4, -4], "data_offsets": [0, 64]},
        {"dtype": "F32", "shape": [4, 4], "data_offsets": [64, 0]},
        {"dtype": 3, "shape": [4, 4], "data_offsets": [0, 64]},
        {"dtype": "F32", "shape": 4, "data_offsets": [0, 64]},
        {"shape": [4, 4]},
        [],
        "tensor",
    ],
)
def test_a_header_that_lies_is_refused(tmp_path, entry):
    header = json.dumps({"diffusion_model.blocks.0.self_attn.q.lora_A.weight": entry}).encode()
    path = tmp_path / "x.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(64))
    with pytest.raises(CharacterRefused, match="damaged"):
        LoraFile.read(path)


@given(start=st.binary(max_size=40), header=st.one_of(st.binary(max_size=60), st.just(b"{}"), st.just(b'{"a": 1}')))
def test_no_file_is_more_than_refused(tmp_path_factory, start, header):
    path = tmp_path_factory.getbasetemp() / "x.safetensors"
    for data in (start, struct.pack("<Q", len(header)) + header + start):
        path.write_bytes(data)
        with pytest.raises(CharacterRefused):
            LoraFile.read(path)


def test_a_file_that_is_not_there_is_refused_by_its_name(tmp_path):
    with pytest.raises(CharacterRefused, match=r"^gone\.safetensors: there is no file .*gone\.safetensors"):
        LoraFile.read(tmp_path / "gone.safetensors")
    with pytest.raises(CharacterRefused, match="can't be read"):
        LoraFile.read(tmp_path)


def test_a_whole_model_is_refused_by_its_size(tmp_path):
    path = made.write(tmp_path / "x.safetensors", made.comfyui(WAN))
    with path.open("r+b") as file:
        file.truncate(20 * 1024**3)  # sparse: takes no room
    with pytest.raises(CharacterRefused, match=r"it has 20\.0 GB, which is a whole model"):
        LoraFile.read(path)
