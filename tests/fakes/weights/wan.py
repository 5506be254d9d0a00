"""Wan 2.1 and 2.2 5B with two layers."""

from typing import Any

from diffusers import (
    AutoencoderKLWan,
    UniPCMultistepScheduler,
    WanImageToVideoPipeline,
    WanPipeline,
    WanTransformer3DModel,
    WanVACEPipeline,
    WanVACETransformer3DModel,
)
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModel

from gpu.engines.tiny import TEXT_CHANNELS, text_encoder, tokenizer

HEADS, HEAD_WIDTH, LAYERS = 2, 24, 2
EYES = 16


def text_to_video() -> WanPipeline:
    return WanPipeline(vae=_vae(), transformer=_transformer(), **_rest(shift=3.0))


def image_to_video() -> WanImageToVideoPipeline:
    eyes = CLIPVisionConfig(
        hidden_size=EYES,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=32,
        intermediate_size=32,
        patch_size=8,
        projection_dim=EYES,
    )
    return WanImageToVideoPipeline(
        vae=_vae(),
        transformer=_transformer(in_channels=36, image_dim=EYES, added_kv_proj_dim=HEADS * HEAD_WIDTH),
        image_encoder=CLIPVisionModel(eyes).eval(),
        image_processor=CLIPImageProcessor(crop_size=32, size=32),
        **_rest(shift=3.0),
    )


def vace() -> WanVACEPipeline:
    transformer = WanVACETransformer3DModel(**_shape(), vace_layers=[0], vace_in_channels=96).eval()
    return WanVACEPipeline(vae=_vae(), transformer=transformer, **_rest(shift=3.0))


def five_b() -> WanPipeline:
    vae = AutoencoderKLWan(
        base_dim=8,
        decoder_base_dim=8,
        z_dim=48,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        latents_mean=[0.01 * number for number in range(48)],
        latents_std=[0.5 + 0.01 * number for number in range(48)],
        is_residual=True,
        in_channels=12,
        out_channels=12,
        patch_size=2,
        scale_factor_spatial=16,
    ).eval()
    transformer = _transformer(in_channels=48, out_channels=48)
    return WanPipeline(vae=vae, transformer=transformer, expand_timesteps=True, **_rest(shift=5.0))


def _vae() -> AutoencoderKLWan:
    return AutoencoderKLWan(base_dim=6, dim_mult=[1, 1, 1, 1], num_res_blocks=0).eval()


def _transformer(**more: Any) -> WanTransformer3DModel:
    return WanTransformer3DModel(**_shape() | more).eval()


def _shape() -> dict[str, Any]:
    return {
        "num_attention_heads": HEADS,
        "attention_head_dim": HEAD_WIDTH,
        "text_dim": TEXT_CHANNELS,
        "freq_dim": 64,
        "ffn_dim": 96,
        "num_layers": LAYERS,
        "rope_max_seq_len": 64,
    }


def _rest(*, shift: float) -> dict[str, Any]:
    words = tokenizer()
    scheduler = UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift, num_train_timesteps=1000
    )
    return {"tokenizer": words, "text_encoder": text_encoder(words), "scheduler": scheduler}
