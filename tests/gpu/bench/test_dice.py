from dataclasses import replace

import pytest
import torch
from PIL import Image

from gpu.bench import dice, fullsize
from gpu.bench.fullsize import FULL, Part
from gpu.engines import Place, find_engine, find_spec
from gpu.render import render
from gpu.telling import Telling
from sakuga.engine import Source
from sakuga.errors import WeightsMissing
from tests.gpu.conftest import ask

FEW = {"num_inference_steps": 2}
WAN = {"num_attention_heads": 2, "attention_head_dim": 24, "ffn_dim": 96, "num_layers": 2, "text_dim": 32}
T5 = fullsize.GATED | {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4, "vocab_size": 300}
EYES = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "patch_size": 14}
SMALL = {
    "WanTransformer3DModel": WAN,
    "WanVACETransformer3DModel": WAN | {"vace_layers": [0]},
    "LTXVideoTransformer3DModel": {
        "in_channels": 16,
        "out_channels": 16,
        "num_attention_heads": 4,
        "attention_head_dim": 8,
        "cross_attention_dim": 32,
        "num_layers": 2,
        "caption_channels": 32,
    },
    "LTX2VideoTransformer3DModel": {
        "in_channels": 4,
        "out_channels": 4,
        "num_attention_heads": 2,
        "attention_head_dim": 8,
        "cross_attention_dim": 16,
        "audio_in_channels": 4,
        "audio_out_channels": 4,
        "audio_num_attention_heads": 2,
        "audio_attention_head_dim": 4,
        "audio_cross_attention_dim": 8,
        "num_layers": 2,
        "caption_channels": 32,
        "rope_double_precision": False,
        "rope_type": "split",
    },
    "MochiTransformer3DModel": {
        "num_attention_heads": 2,
        "attention_head_dim": 8,
        "num_layers": 2,
        "pooled_projection_dim": 16,
        "text_embed_dim": 32,
        "time_embed_dim": 4,
    },
    "HunyuanVideo15Transformer3DModel": {
        "in_channels": 9,
        "out_channels": 4,
        "num_attention_heads": 2,
        "attention_head_dim": 16,
        "num_layers": 2,
        "num_refiner_layers": 1,
        "text_embed_dim": 32,
        "text_embed_2_dim": 24,
        "image_embed_dim": 16,
        "rope_axes_dim": (4, 6, 6),
        "target_size": 80,
    },
    "AutoencoderKLWan": {"base_dim": 6, "dim_mult": [1, 1, 1, 1], "num_res_blocks": 0},
    "AutoencoderKLLTXVideo": {
        "latent_channels": 16,
        "block_out_channels": (8,) * 5,
        "decoder_block_out_channels": (8, 16, 32),
        "layers_per_block": (1,) * 5,
        "decoder_layers_per_block": (1,) * 4,
    },
    "AutoencoderKLLTX2Video": {
        "latent_channels": 4,
        "block_out_channels": (8,) * 4,
        "decoder_block_out_channels": (8, 16, 32),
        "layers_per_block": (1,) * 5,
        "decoder_layers_per_block": (1,) * 4,
    },
    "AutoencoderKLMochi": {
        "encoder_block_out_channels": (32,) * 4,
        "decoder_block_out_channels": (32,) * 4,
        "layers_per_block": (1,) * 5,
    },
    "AutoencoderKLHunyuanVideo15": {"latent_channels": 4, "block_out_channels": (8,) * 5, "layers_per_block": 1},
    "UMT5EncoderModel": T5,
    "T5EncoderModel": T5,
    "Gemma3ForConditionalGeneration": {
        "vocab_size": 300,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
    },
    "CLIPVisionModel": EYES | {"image_size": 28},
    "SiglipVisionModel": EYES | {"image_size": 28},
    "LTX2TextConnectors": {
        "caption_channels": 32,
        "text_proj_in_factor": 3,
        "video_connector_num_attention_heads": 4,
        "video_connector_attention_head_dim": 8,
        "video_connector_num_layers": 1,
        "audio_connector_num_attention_heads": 4,
        "audio_connector_attention_head_dim": 8,
        "audio_connector_num_layers": 1,
        "rope_double_precision": False,
        "rope_type": "split",
    },
    "LTX2Vocoder": {
        "in_channels": 16,
        "hidden_channels": 32,
        "upsample_kernel_sizes": [4, 4],
        "upsample_factors": [2, 2],
        "resnet_kernel_sizes": [3],
        "resnet_dilations": [[1, 3, 5]],
    },
    "AutoencoderKLLTX2Audio": {
        "base_channels": 4,
        "ch_mult": (1,),
        "num_res_blocks": 1,
        "resolution": 32,
        "latent_channels": 2,
        "mel_bins": 8,
    },
}


def small(part: Part) -> Part:
    """The same class, with what makes it large made small and the rest as it is."""
    config = part.config | SMALL.get(part.kind, {})
    if config.get("image_dim"):
        config |= {"image_dim": 16, "added_kv_proj_dim": 48}
    if config.get("is_residual"):
        config |= {"decoder_base_dim": 6}
    return Part(part.kind, config)


# One of each kind of pipeline.
@pytest.fixture(params={full.pipeline: name for name, full in reversed(FULL.items())}.values())
def shrunk(request, monkeypatch):
    full = FULL[request.param]
    parts = {name: small(getattr(full, name)) for name in ("transformer", "vae", "text")}
    others = {name: small(part) for name, part in full.others.items()}
    monkeypatch.setitem(FULL, request.param, replace(full, **parts, others=others))
    monkeypatch.setattr(dice, "SIGLIP", EYES | {"image_size": 28})
    return request.param


@pytest.mark.filterwarnings("ignore:In CPU autocast")  # Mochi asks for fp32
def test_every_kind_of_engine_draws_with_weights_that_are_dice(shrunk, tmp_path):
    spec = find_spec(shrunk)
    place = Place(weights=tmp_path, media=tmp_path / "media", cache=tmp_path / "cache", device="cpu")
    image = None
    if "text-to-video" not in spec.modes:
        image = "picture.png"
        place.media.mkdir()
        Image.linear_gradient("L").convert("RGB").save(place.media / image)
    engine = find_engine(shrunk, place)
    engine.spec = spec.model_copy(update={"presets": {"draft": spec.presets["draft"].model_copy(update=FEW)}})
    engine = dice.thrown(engine)
    engine.load()
    request = ask(
        engine=shrunk, style="", width=96, height=64, num_frames=spec.frame_step + 1, preset="draft", image=image
    )
    result = render(engine, request, tmp_path, Telling(lambda _: None))
    assert (result.width, result.height, result.num_frames) == (96, 64, spec.frame_step + 1)
    assert result.making.seconds["denoise"] > 0


def test_what_is_built_leaves_torch_as_it_was():
    full = FULL["wan2.1-t2v-1.3b"]
    tiny = replace(full, **{name: small(getattr(full, name)) for name in ("transformer", "vae", "text")})
    pipe = dice.pipeline(tiny, "cpu", torch.bfloat16)
    assert torch.get_default_dtype() == torch.float32
    assert pipe.transformer.blocks[0].attn1.to_q.weight.dtype == torch.bfloat16
    assert pipe.transformer.condition_embedder.time_embedder.linear_1.weight.dtype == torch.float32


@pytest.mark.parametrize(
    ("file", "rank"),
    [
        ("Lightx2v/lightx2v_T2V_14B_cfg_step_distill_v2_lora_rank64_bf16.safetensors", 64),
        ("ltx-2-19b-distilled-lora-384.safetensors", 384),
        ("style_lora.safetensors", 64),
        ("ltxv-2b-0.9.8-distilled.safetensors", None),
        (None, None),
    ],
)
def test_a_presets_lora_is_thrown_as_large_as_it_is(file, rank):
    assert dice._rank(Source(repository="a/b", file=file)) == rank


def test_a_preset_with_a_lora_draws_with_one(monkeypatch, tmp_path):
    name = "wan2.1-t2v-14b"
    full = FULL[name]
    tiny = replace(full, **{part: small(getattr(full, part)) for part in ("transformer", "vae", "text")})
    monkeypatch.setitem(FULL, name, tiny)
    place = Place(weights=tmp_path, media=tmp_path, cache=tmp_path / "cache", device="cpu")
    engine = dice.thrown(find_engine(name, place))
    engine.load()
    request = ask(engine=name, style="", width=96, height=64, num_frames=5, preset="live")
    making = render(engine, request, tmp_path, Telling(lambda _: None)).making
    assert making.adapters == ("preset:1",)
    assert engine.pipe.transformer.peft_config["slot0"].r == 64


def test_what_needs_an_upscaler_of_its_own_says_so(tmp_path):
    engine = dice.thrown(find_engine("ltx-video-13b", Place(weights=tmp_path)))
    with pytest.raises(WeightsMissing, match="ltx-video-13b"):
        engine.found(engine.spec.extras[0])
