"""Text encoders of two layers, each with a real tokenizer of its kind that knows single characters."""

import string
from typing import Any

from tokenizers import Tokenizer, models, pre_tokenizers
from tokenizers.pre_tokenizers import ByteLevel
from transformers import (
    Gemma3Config,
    Gemma3ForConditionalGeneration,
    Gemma3TextConfig,
    PreTrainedTokenizerFast,
    Qwen2_5_VLTextConfig,
    Qwen2_5_VLTextModel,
    Qwen2Tokenizer,
    SiglipVisionConfig,
    T5Config,
    T5EncoderModel,
)

from gpu.engines.tiny import TEXT_CHANNELS as WIDTH

CHAT = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def t5(words: Any, width: int = WIDTH) -> T5EncoderModel:
    config = T5Config(
        vocab_size=len(words),
        d_model=width,
        d_kv=8,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        feed_forward_proj="gated-gelu",
    )
    return T5EncoderModel(config).eval()


def gemma_tokenizer() -> PreTrainedTokenizerFast:
    known = ["<pad>", "<eos>", "<bos>", "<unk>", *string.printable]
    split = Tokenizer(models.WordLevel({each: number for number, each in enumerate(known)}, unk_token="<unk>"))
    split.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    return PreTrainedTokenizerFast(
        tokenizer_object=split,
        pad_token="<pad>",
        eos_token="<eos>",
        bos_token="<bos>",
        unk_token="<unk>",
        padding_side="left",
        model_max_length=1024,
    )


def gemma(words: Any) -> Gemma3ForConditionalGeneration:
    size = len(words) + 3
    text = Gemma3TextConfig(
        vocab_size=size,
        hidden_size=WIDTH,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        max_position_embeddings=2048,
        sliding_window=64,
        pad_token_id=0,
        eos_token_id=1,
        bos_token_id=2,
    )
    eyes = SiglipVisionConfig(
        hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, image_size=28, patch_size=14
    )
    config = Gemma3Config(
        text_config=text,
        vision_config=eyes,
        mm_tokens_per_image=4,
        boi_token_index=size - 3,
        eoi_token_index=size - 2,
        image_token_index=size - 1,
    )
    return Gemma3ForConditionalGeneration(config).eval()


def qwen_tokenizer() -> Qwen2Tokenizer:
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    known = {each: number for number, each in enumerate([*special, *sorted(ByteLevel.alphabet())])}
    return Qwen2Tokenizer(vocab=known, merges=[], additional_special_tokens=special[1:], chat_template=CHAT)


def qwen(words: Any) -> Qwen2_5_VLTextModel:
    config = Qwen2_5_VLTextConfig(
        vocab_size=len(words),
        hidden_size=WIDTH,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        rope_parameters={"rope_type": "default", "rope_theta": 1e6, "mrope_section": [1, 1, 2]},
        bos_token_id=None,
        eos_token_id=2,
        pad_token_id=0,
    )
    return Qwen2_5_VLTextModel(config).eval()
