"""HunyuanVideo 1.5 with one layer."""

from typing import Any

from diffusers import (
    AutoencoderKLHunyuanVideo15,
    FlowMatchEulerDiscreteScheduler,
    HunyuanVideo15ImageToVideoPipeline,
    HunyuanVideo15Pipeline,
    HunyuanVideo15Transformer3DModel,
)
from diffusers.guiders import ClassifierFreeGuidance
from transformers import ByT5Tokenizer, SiglipImageProcessor, SiglipVisionConfig, SiglipVisionModel

from tests.fakes.weights.text import WIDTH, qwen, qwen_tokenizer, t5

CHANNELS, EYES, GLYPHS = 4, 16, 24


def text_to_video() -> HunyuanVideo15Pipeline:
    return HunyuanVideo15Pipeline(**_parts(task="t2v"))


def image_to_video() -> HunyuanVideo15ImageToVideoPipeline:
    eyes = SiglipVisionConfig(
        hidden_size=EYES, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, image_size=28, patch_size=14
    )
    return HunyuanVideo15ImageToVideoPipeline(
        **_parts(task="i2v"),
        image_encoder=SiglipVisionModel(eyes).eval(),
        feature_extractor=SiglipImageProcessor(size={"height": 28, "width": 28}),
    )


def _parts(*, task: str) -> dict[str, Any]:
    words, glyphs = qwen_tokenizer(), ByT5Tokenizer()
    transformer = HunyuanVideo15Transformer3DModel(
        in_channels=2 * CHANNELS + 1,
        out_channels=CHANNELS,
        num_attention_heads=1,
        attention_head_dim=16,
        num_layers=1,  # it always sees two thousand tokens of text
        num_refiner_layers=1,
        text_embed_dim=WIDTH,
        text_embed_2_dim=GLYPHS,
        image_embed_dim=EYES,
        rope_axes_dim=(4, 6, 6),
        target_size=80,
        task_type=task,
    ).eval()
    vae = AutoencoderKLHunyuanVideo15(
        latent_channels=CHANNELS, block_out_channels=(8, 8, 8, 8, 8), layers_per_block=1
    ).eval()
    return {
        "text_encoder": qwen(words),
        "tokenizer": words,
        "transformer": transformer,
        "vae": vae,
        "scheduler": FlowMatchEulerDiscreteScheduler(shift=5.0),
        "text_encoder_2": t5(glyphs, GLYPHS),
        "tokenizer_2": glyphs,
        "guider": ClassifierFreeGuidance(guidance_scale=6.0),
    }
