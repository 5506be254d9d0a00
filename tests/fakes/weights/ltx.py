"""LTX-Video with two layers, and the spatial upscaler."""

from typing import Any

import torch
from diffusers import (
    AutoencoderKLLTXVideo,
    FlowMatchEulerDiscreteScheduler,
    LTXConditionPipeline,
    LTXLatentUpsamplePipeline,
    LTXPipeline,
    LTXVideoTransformer3DModel,
)
from diffusers.pipelines.ltx.modeling_latent_upsampler import LTXLatentUpsamplerModel

from gpu.engines.tiny import TEXT_CHANNELS, tokenizer
from tests.fakes.weights.text import t5

CHANNELS = 16


def ltx() -> LTXPipeline:
    return LTXPipeline(**_parts())


def conditioned() -> LTXConditionPipeline:
    return LTXConditionPipeline(**_parts())


def upscaler() -> LTXLatentUpsamplePipeline:
    model = LTXLatentUpsamplerModel(in_channels=CHANNELS, mid_channels=32, num_blocks_per_stage=1)
    return LTXLatentUpsamplePipeline(vae=_vae(), latent_upsampler=model.eval())


def in_lightricks_layout(transformer: Any) -> dict[str, torch.Tensor]:
    """Name the tensors of a transformer as Lightricks' own single files do."""
    names = {"proj_in.": "patchify_proj.", "time_embed.": "adaln_single.", "norm_q.": "q_norm.", "norm_k.": "k_norm."}
    found = {}
    for key, tensor in transformer.state_dict().items():
        name = key
        for ours, theirs in names.items():
            name = name.replace(ours, theirs)
        found[f"model.diffusion_model.{name}"] = tensor
    return found


def _parts() -> dict[str, Any]:
    words = tokenizer()
    transformer = LTXVideoTransformer3DModel(
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        num_attention_heads=4,
        attention_head_dim=8,
        cross_attention_dim=32,
        num_layers=2,
        caption_channels=TEXT_CHANNELS,
    )
    return {
        "tokenizer": words,
        "text_encoder": t5(words),
        "vae": _vae(),
        "transformer": transformer.eval(),
        "scheduler": FlowMatchEulerDiscreteScheduler(),
    }


def _vae() -> AutoencoderKLLTXVideo:
    vae = AutoencoderKLLTXVideo(
        latent_channels=CHANNELS,
        block_out_channels=(8, 8, 8, 8, 8),
        decoder_block_out_channels=(8, 16, 32),
        layers_per_block=(1,) * 5,
        decoder_layers_per_block=(1,) * 4,
        down_block_types=("LTXVideo095DownBlock3D",) * 4,
        spatio_temporal_scaling=(True,) * 4,
        decoder_spatio_temporal_scaling=(True,) * 3,
        decoder_inject_noise=(False,) * 4,
        downsample_type=("spatial", "temporal", "spatiotemporal", "spatiotemporal"),
        upsample_residual=(True,) * 3,
        upsample_factor=(2,) * 3,
        timestep_conditioning=True,
        spatial_compression_ratio=32,
        temporal_compression_ratio=8,
    ).eval()
    vae.latents_mean.copy_(torch.linspace(-0.2, 0.2, CHANNELS))
    vae.latents_std.copy_(torch.linspace(0.5, 1.5, CHANNELS))
    return vae
