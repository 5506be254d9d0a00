"""The work of models in TFLOP, counted operation by operation on torch's meta device: it has shapes but no numbers."""

from collections.abc import Callable
from functools import cache
from typing import Any, Literal

from gpu.bench.dice import build
from gpu.bench.fullsize import FULL, Full, Part

TERA = 1e12
WorkPart = Literal["text", "encode", "forward", "decode"]
"""Reading a prompt, encoding a film, one call of the transformer, decoding a film."""

Size = tuple[int, int, int]
"""Width and height in pixels, and frames."""


@cache
def count(part: WorkPart, name: str, size: Size) -> float:
    """Return the TFLOP of a part of an engine's work. A multiplication with its addition counts as two operations."""
    how: dict[WorkPart, Callable[[str, int, int, int], float]] = {
        "text": _text,
        "encode": _encode,
        "forward": _forward,
        "decode": _decode,
    }
    return how[part](name, *size)


def _forward(name: str, width: int, height: int, num_frames: int) -> float:
    import torch

    full = FULL[name]
    with torch.device("meta"):
        model = build(full.transformer)
    size = _latent(full, width, height, num_frames)
    kind = full.transformer.kind
    if kind.startswith("Wan"):
        return _counted(lambda: model(**_wan_inputs(model, size)))
    if kind.startswith("LTXVideo"):
        return _counted(lambda: model(**_ltx_inputs(size)))
    if kind.startswith("LTX2"):
        return _counted(lambda: model(**_ltx2_inputs(model, size, num_frames)))
    return _counted(lambda: _joint_blocks(model, size))


def _text(name: str, *_: int) -> float:
    import torch

    full = FULL[name]
    part = full.text
    if part.kind == "Gemma3ForConditionalGeneration":
        import transformers

        with torch.device("meta"):
            config = transformers.Gemma3TextConfig(**part.config, attn_implementation="eager")
            model = transformers.Gemma3TextModel(config)
    else:
        with torch.device("meta"):
            model = build(Part(part.kind, part.config | {"attn_implementation": "eager"}))
    return _counted(lambda: model(torch.zeros(1, full.tokens, dtype=torch.long, device="meta")))


def _decode(name: str, width: int, height: int, num_frames: int) -> float:
    import torch

    full = FULL[name]
    with torch.device("meta"):
        vae = build(full.vae)
    channels = vae.config.get("z_dim") or vae.config.latent_channels
    latents = _empty(1, channels, *_latent(full, width, height, num_frames))
    given = [latents, _empty(1)] if vae.config.get("timestep_conditioning") else [latents]
    return _counted(lambda: vae.decode(*given, return_dict=False))


def _encode(name: str, width: int, height: int, num_frames: int) -> float:
    import torch

    with torch.device("meta"):
        vae = build(FULL[name].vae)
    return _counted(lambda: vae.encode(_empty(1, 3, num_frames, height, width)))


def _latent(full: Full, width: int, height: int, num_frames: int) -> tuple[int, int, int]:
    time, space = full.compression
    return (num_frames - 1) // time + 1, height // space, width // space


def _counted(work: Any) -> float:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        work()
    return float(counter.get_total_flops()) / TERA


def _empty(*shape: int) -> Any:
    import torch

    return torch.empty(*shape, device="meta")


def _wan_inputs(model: Any, size: tuple[int, int, int]) -> dict[str, Any]:
    config = model.config
    inputs = {
        "hidden_states": _empty(1, config.in_channels, *size),
        "timestep": _empty(1),
        "encoder_hidden_states": _empty(1, 512, config.text_dim),
    }
    if config.image_dim:
        inputs["encoder_hidden_states_image"] = _empty(1, 257, config.image_dim)
    if "vace_in_channels" in config:
        inputs["control_hidden_states"] = _empty(1, config.vace_in_channels, *size)
        inputs["control_hidden_states_scale"] = _empty(len(config.vace_layers))
    return inputs


def _ltx_inputs(size: tuple[int, int, int]) -> dict[str, Any]:
    frames, height, width = size
    return {
        "hidden_states": _empty(1, frames * height * width, 128),
        "encoder_hidden_states": _empty(1, 256, 4096),
        "timestep": _empty(1),
        "encoder_attention_mask": _empty(1, 256),
        "num_frames": frames,
        "height": height,
        "width": width,
    }


def _ltx2_inputs(model: Any, size: tuple[int, int, int], num_frames: int) -> dict[str, Any]:
    frames, height, width = size
    config = model.config
    fps = 24.0
    tokens = frames * height * width
    sounds = round(num_frames / fps * config.audio_sampling_rate / config.audio_hop_length / config.audio_scale_factor)
    return {
        "hidden_states": _empty(1, tokens, config.in_channels),
        "audio_hidden_states": _empty(1, sounds, config.audio_in_channels),
        "encoder_hidden_states": _empty(1, 1024, config.caption_channels),
        "audio_encoder_hidden_states": _empty(1, 1024, config.caption_channels),
        "timestep": _empty(1, tokens),
        "audio_timestep": _empty(1, sounds),
        "encoder_attention_mask": _empty(1, 1024),
        "audio_encoder_attention_mask": _empty(1, 1024),
        "num_frames": frames,
        "height": height,
        "width": width,
        "fps": fps,
        "audio_num_frames": sounds,
    }


def _joint_blocks(model: Any, size: tuple[int, int, int]) -> None:
    """Go through the blocks of Mochi or HunyuanVideo by hand.

    Their whole forward looks at how many words there are, which shapes alone don't tell. What is before and after the
    blocks is less than a hundredth.
    """
    config = model.config
    frames, height, width = size
    patch = config.patch_size
    hidden = _empty(1, frames * (height // patch) * (width // patch), _width(config))
    if "pooled_projection_dim" in config:  # Mochi
        words, when = _empty(1, 256, config.pooled_projection_dim), _empty(1, _width(config))
        for block in model.transformer_blocks:
            block.attn1.processor = _attend_jointly
            hidden, words = block(hidden, words, when, None)
        return
    words, when, seen = _empty(1, 1985, _width(config)), _empty(1, _width(config)), _empty(1, 1985)
    for block in model.transformer_blocks:
        hidden, words = block(hidden, words, when, seen)


def _width(config: Any) -> int:
    return int(config.num_attention_heads * config.attention_head_dim)


def _attend_jointly(attn: Any, hidden_states: Any, encoder_hidden_states: Any, **_: Any) -> tuple[Any, Any]:
    """Do what Mochi's own attention does when all words count."""
    import torch

    layers = ((attn.to_q, attn.add_q_proj), (attn.to_k, attn.add_k_proj), (attn.to_v, attn.add_v_proj))
    query, key, value = (
        torch.cat([picture(hidden_states), words(encoder_hidden_states)], dim=1)
        .unflatten(2, (attn.heads, -1))
        .transpose(1, 2)
        for picture, words in layers
    )
    seen = torch.nn.functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2, 3)
    picture, words = seen.split_with_sizes((hidden_states.shape[1], encoder_hidden_states.shape[1]), dim=1)
    return attn.to_out[0](picture), attn.to_add_out(words) if hasattr(attn, "to_add_out") else words
