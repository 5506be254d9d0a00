"""The models at their real size: which classes each engine's pipeline is built of, and how they are configured."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Config = dict[str, Any]

# Configurations as in config.json of the repositories that the engines name; what is left out is the class's default.
WAN_SMALL: Config = {"num_attention_heads": 12, "ffn_dim": 8960, "num_layers": 30}
WAN_LARGE: Config = {"num_attention_heads": 40, "ffn_dim": 13824, "num_layers": 40}
WAN_PICTURE: Config = WAN_LARGE | {"in_channels": 36, "image_dim": 1280, "added_kv_proj_dim": 5120}
WAN_MEDIUM: Config = {
    "num_attention_heads": 24,
    "ffn_dim": 14336,
    "num_layers": 30,
    "in_channels": 48,
    "out_channels": 48,
}
WAN_22_VAE: Config = {
    "base_dim": 160,
    "decoder_base_dim": 256,
    "z_dim": 48,
    "in_channels": 12,
    "out_channels": 12,
    "is_residual": True,
    "patch_size": 2,
    "scale_factor_spatial": 16,
    "scale_factor_temporal": 4,
    "latents_mean": [0.0] * 48,
    "latents_std": [1.0] * 48,
}
LTX_SMALL: Config = {}
LTX_LARGE: Config = {
    "num_attention_heads": 32,
    "attention_head_dim": 128,
    "cross_attention_dim": 4096,
    "num_layers": 48,
}
LTX_VAE: Config = {
    "block_out_channels": (128, 256, 512, 1024, 2048),
    "down_block_types": ("LTXVideo095DownBlock3D",) * 4,
    "decoder_block_out_channels": (256, 512, 1024),
    "layers_per_block": (4, 6, 6, 2, 2),
    "decoder_layers_per_block": (5, 5, 5, 5),
    "spatio_temporal_scaling": (True,) * 4,
    "decoder_spatio_temporal_scaling": (True,) * 3,
    "decoder_inject_noise": (False,) * 4,
    "downsample_type": ("spatial", "temporal", "spatiotemporal", "spatiotemporal"),
    "upsample_residual": (True,) * 3,
    "upsample_factor": (2, 2, 2),
    "timestep_conditioning": True,
    "decoder_causal": False,
    "spatial_compression_ratio": 32,
    "temporal_compression_ratio": 8,
}
LTX2_VAE: Config = {"spatial_compression_ratio": 32, "temporal_compression_ratio": 8}
UNIPC: Config = {"prediction_type": "flow_prediction", "use_flow_sigmas": True, "flow_shift": 3.0}
GATED: Config = {"feed_forward_proj": "gated-gelu"}
T5_XXL: Config = GATED | {"d_model": 4096, "d_kv": 64, "d_ff": 10240, "num_layers": 24, "num_heads": 64}
GEMMA3_12B: Config = {
    "vocab_size": 262208,
    "hidden_size": 3840,
    "intermediate_size": 15360,
    "num_hidden_layers": 48,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "head_dim": 256,
}
SIGLIP: Config = {
    "hidden_size": 1152,
    "intermediate_size": 4304,
    "num_hidden_layers": 27,
    "num_attention_heads": 16,
    "patch_size": 14,
    "image_size": 384,
}
QWEN_7B: Config = {
    "vocab_size": 152064,
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "num_hidden_layers": 28,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
}
CLIP_H: Config = {
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "num_hidden_layers": 32,
    "num_attention_heads": 16,
    "patch_size": 14,
    "image_size": 224,
}


@dataclass(frozen=True, slots=True)
class Part:
    """A class by its name, and its configuration."""

    kind: str
    config: Config = field(default_factory=dict)


UMT5 = Part("UMT5EncoderModel", T5_XXL | {"vocab_size": 256384})
T5 = Part("T5EncoderModel", T5_XXL | {"vocab_size": 32128})


@dataclass(frozen=True, slots=True)
class Full:
    """One engine at full size."""

    pipeline: str
    transformer: Part
    vae: Part
    text: Part
    tokens: int  # that the text encoder reads
    compression: tuple[int, int]  # frames per latent frame, pixels per latent pixel
    scheduler: Part = Part("FlowMatchEulerDiscreteScheduler")
    guided_forwards: int = 2  # of the transformer in a step, where the guidance scale is above 1
    films_encoded: int = 0  # films of the clip's length that go through the VAE's encoder before the first step
    others: Mapping[str, Part] = field(default_factory=dict)  # further models of the pipeline
    more: Config = field(default_factory=dict)  # what the pipeline takes besides


def _wan(pipeline: str, transformer: Part, **more: Any) -> Full:
    common: dict[str, Any] = {
        "vae": Part("AutoencoderKLWan"),
        "compression": (4, 8),
        "scheduler": Part("UniPCMultistepScheduler", UNIPC),
    }
    return Full(pipeline=pipeline, transformer=transformer, text=UMT5, tokens=512, **(common | more))


def _ltx(config: Config) -> Full:
    return Full(
        pipeline="LTXConditionPipeline",
        transformer=Part("LTXVideoTransformer3DModel", config),
        vae=Part("AutoencoderKLLTXVideo", LTX_VAE),
        text=T5,
        tokens=256,
        compression=(8, 32),
    )


def _hunyuan(pipeline: str, task: str, **more: Any) -> Full:
    return Full(
        pipeline=pipeline,
        transformer=Part("HunyuanVideo15Transformer3DModel", {"task_type": task}),
        vae=Part("AutoencoderKLHunyuanVideo15"),
        text=Part("Qwen2_5_VLTextModel", QWEN_7B),
        tokens=1108,
        compression=(4, 16),
        **more,
    )


FROM_PICTURE = _wan(
    "WanImageToVideoPipeline",
    Part("WanTransformer3DModel", WAN_PICTURE),
    films_encoded=1,
    others={"image_encoder": Part("CLIPVisionModel", CLIP_H)},
)

FULL: dict[str, Full] = {
    "wan2.1-t2v-1.3b": _wan("WanPipeline", Part("WanTransformer3DModel", WAN_SMALL)),
    "wan2.1-t2v-14b": _wan("WanPipeline", Part("WanTransformer3DModel", WAN_LARGE)),
    "wan2.1-i2v-14b-480p": FROM_PICTURE,
    "wan2.1-i2v-14b-720p": FROM_PICTURE,
    "wan2.1-vace-1.3b": _wan(
        "WanVACEPipeline",
        Part("WanVACETransformer3DModel", WAN_SMALL | {"vace_layers": list(range(0, 30, 2)), "vace_in_channels": 96}),
        films_encoded=2,  # what stays and what is to change, even where both are grey
    ),
    "wan2.2-ti2v-5b": _wan(
        "WanPipeline",
        Part("WanTransformer3DModel", WAN_MEDIUM),
        vae=Part("AutoencoderKLWan", WAN_22_VAE),
        compression=(4, 16),
        more={"expand_timesteps": True},
    ),
    "ltx-video-2b": _ltx(LTX_SMALL),
    "ltx-video-13b": _ltx(LTX_LARGE),
    "ltx-2": Full(
        pipeline="LTX2Pipeline",
        transformer=Part("LTX2VideoTransformer3DModel"),
        vae=Part("AutoencoderKLLTX2Video", LTX2_VAE),
        text=Part("Gemma3ForConditionalGeneration", GEMMA3_12B),
        tokens=1024,
        compression=(8, 32),
        others={
            "connectors": Part("LTX2TextConnectors"),
            "vocoder": Part("LTX2Vocoder"),
            "audio_vae": Part("AutoencoderKLLTX2Audio"),
        },
        guided_forwards=4,  # with words, without, without some blocks, without the sound
    ),
    "mochi-1": Full(
        pipeline="MochiPipeline",
        transformer=Part("MochiTransformer3DModel"),
        vae=Part("AutoencoderKLMochi"),
        text=T5,
        tokens=256,
        compression=(6, 8),
        scheduler=Part("FlowMatchEulerDiscreteScheduler", {"invert_sigmas": True}),
    ),
    "hunyuanvideo-1.5": _hunyuan("HunyuanVideo15Pipeline", "t2v"),
    "hunyuanvideo-1.5-i2v": _hunyuan(
        "HunyuanVideo15ImageToVideoPipeline", "i2v", others={"image_encoder": Part("SiglipVisionModel", SIGLIP)}
    ),
}
