"""Mochi 1 with two layers."""

from diffusers import AutoencoderKLMochi, FlowMatchEulerDiscreteScheduler, MochiPipeline, MochiTransformer3DModel

from gpu.engines.tiny import TEXT_CHANNELS, tokenizer
from tests.fakes.weights.text import t5

CHANNELS = 12


def mochi() -> MochiPipeline:
    words = tokenizer()
    transformer = MochiTransformer3DModel(
        patch_size=2,
        num_attention_heads=2,
        attention_head_dim=8,
        num_layers=2,
        pooled_projection_dim=16,
        in_channels=CHANNELS,
        qk_norm="rms_norm",
        text_embed_dim=TEXT_CHANNELS,
        time_embed_dim=4,
        activation_fn="swiglu",
        max_sequence_length=256,
    ).eval()
    transformer.pos_frequencies.normal_()
    vae = AutoencoderKLMochi(
        latent_channels=CHANNELS,
        out_channels=3,
        encoder_block_out_channels=(32,) * 4,
        decoder_block_out_channels=(32,) * 4,
        layers_per_block=(0,) * 5,
        add_attention_block=(False,) * 5,
    ).eval()
    return MochiPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(invert_sigmas=True),
        vae=vae,
        text_encoder=t5(words),
        tokenizer=words,
        transformer=transformer,
    )
