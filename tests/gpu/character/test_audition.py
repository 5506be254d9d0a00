import pytest
import torch

from gpu.character.audition import judge
from gpu.character.lora_file import LoraFile
from gpu.engines import find_spec
from gpu.engines.tiny import write_tiny_wan
from sakuga.errors import CharacterRefused, EngineUnknown
from tests.fakes import loras as made
from tests.fakes.weights import FAMILIES, write

TRIED = "{} can draw with it: it was loaded onto the model, and every layer had its place."
FAMILY = {
    "wan2.1-t2v-1.3b": "wan-t2v",
    "wan2.1-i2v-14b-480p": "wan-i2v",
    "wan2.1-vace-1.3b": "wan-vace",
    "wan2.2-ti2v-5b": "wan-5b",
    "ltx-video-2b": "ltx",
    "ltx-2": "ltx-2",
    "mochi-1": "mochi",
}


def lora(folder, tensors) -> LoraFile:
    return LoraFile.read(made.write(folder / "mika.safetensors", tensors))


def built(family: str):
    with torch.no_grad():
        return FAMILIES[family]()


@pytest.mark.parametrize(("engine", "family"), FAMILY.items())
def test_with_weights_a_lora_is_tried_on_the_layers_of_the_model(tmp_path, engine, family):
    source = find_spec(engine).source
    write(family, tmp_path, source.repository, source.revision)
    trained = made.trained(built(family).transformer)
    assert judge(lora(tmp_path, made.diffusers(trained)), engine, tmp_path) == TRIED.format(engine)
    strange = made.diffusers(trained | {"blocks.0.nothing": (torch.ones(4, 8), torch.ones(8, 4))})
    with pytest.raises(CharacterRefused, match=r"1 of its \d+ layers are not in this model"):
        judge(lora(tmp_path, strange), engine, tmp_path)


def test_layers_beside_the_transformer_are_tried_as_well(tmp_path):
    source = find_spec("ltx-2").source
    write("ltx-2", tmp_path, source.repository, source.revision)
    pipe = built("ltx-2")
    beside = made.diffusers(made.trained(pipe.connectors))
    connectors = {name.replace("transformer.", "connectors.", 1): tensor for name, tensor in beside.items()}
    file = lora(tmp_path, made.diffusers(made.trained(pipe.transformer)) | connectors)
    assert judge(file, "ltx-2", tmp_path) == TRIED.format("ltx-2")


def test_the_tiny_engine_can_be_tried_too(tmp_path):
    file = lora(tmp_path, made.comfyui(made.of_wan(width=48, blocks=2)))
    assert "will show once its weights are here" in judge(file, "tiny", tmp_path)
    write_tiny_wan(tmp_path)
    assert judge(file, "tiny", tmp_path) == TRIED.format("tiny")


def test_without_weights_its_numbers_are_compared(tmp_path):
    file = lora(tmp_path, made.comfyui(made.of_wan(width=1536, blocks=30)))
    assert "It was not tried, as the weights are not here." in judge(file, "wan2.1-t2v-1.3b", tmp_path)
    with pytest.raises(CharacterRefused, match=r"made for Wan 2\.1 1\.3B, not for Wan 14B"):
        judge(file, "wan2.1-t2v-14b", tmp_path)


def test_where_numbers_can_not_tell_two_models_apart_it_is_said(tmp_path):
    file = lora(
        tmp_path, made.diffusers({"transformer_blocks.0.attn1.to_q": (torch.ones(4, 4096), torch.ones(4096, 4))})
    )
    for engine in ("ltx-2", "ltx-video-13b"):
        assert "make sure for which of them it was trained" in judge(file, engine, tmp_path)


@pytest.mark.parametrize("engine", ["rehearsal", "hunyuanvideo-1.5"])
def test_an_engine_without_loras_refuses_every_one(tmp_path, engine):
    with pytest.raises(CharacterRefused, match=f"{engine} takes no LoRAs"):
        judge(lora(tmp_path, made.comfyui(made.of_wan(width=1536, blocks=30))), engine, tmp_path)


def test_an_engine_that_does_not_exist_is_named_with_those_that_do(tmp_path):
    with pytest.raises(EngineUnknown, match=r"no engine 'wan'.*wan2\.1-t2v-1\.3b"):
        judge(lora(tmp_path, made.comfyui(made.of_wan(width=1536, blocks=30))), "wan", tmp_path)
