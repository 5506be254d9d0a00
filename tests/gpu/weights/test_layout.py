import pytest

from gpu.weights import layout

WAN = {
    "_class_name": "WanPipeline",
    "_diffusers_version": "0.33.0",
    "expand_timesteps": False,
    "image_encoder": [None, None],
    "scheduler": ["diffusers", "UniPCMultistepScheduler"],
    "text_encoder": ["transformers", "UMT5EncoderModel"],
    "tokenizer": ["transformers", "T5TokenizerFast"],
    "transformer": ["diffusers", "WanTransformer3DModel"],
}
SHARDS = [f"transformer/diffusion_pytorch_model-0000{n}-of-00002.safetensors" for n in (1, 2)]
SHARD_LIST = "transformer/diffusion_pytorch_model.safetensors.index.json"
PLAIN = [
    "model_index.json",
    "scheduler/scheduler_config.json",
    "text_encoder/config.json",
    "text_encoder/model.safetensors",
    "tokenizer/spiece.model",
    "tokenizer/tokenizer.json",
    "transformer/config.json",
    SHARD_LIST,
    *SHARDS,
]


def test_a_pipeline_is_its_components_and_nothing_beside_them() -> None:
    beside = [
        "README.md",
        ".gitattributes",
        "assets/teaser.mp4",
        "wan2.1_t2v_1.3B.safetensors",
        "image_encoder/model.safetensors",
        "transformer/diffusion_pytorch_model.bin",
        "transformer/model.ckpt",
        "transformer/flax_model.msgpack",
        "transformer/modeling.py",
        "text_encoder/pytorch_model.bin.index.json.bak",
        "original/transformer/config.json",
        "transformer/text_encoder/model-00001-of-00004.safetensors",
    ]
    assert layout.needed([*PLAIN, *beside], WAN) == sorted(PLAIN)


def test_the_terms_travel_with_the_weights() -> None:
    terms = ["LICENSE.txt", "LTX-Video-Open-Weights-License-0.X.txt", "NOTICE", "Licence.md"]
    assert layout.needed([*PLAIN, *terms, "transformer/LICENSE", "LICENSE.pdf"], WAN) == sorted([*PLAIN, *terms])


def test_a_half_size_variant_is_left_where_the_full_one_is_there() -> None:
    halves = ["text_encoder/model.fp16.safetensors", "transformer/diffusion_pytorch_model.fp16.safetensors"]
    assert layout.needed([*PLAIN, *halves], WAN) == sorted(PLAIN)
    assert layout.variant(PLAIN) is None


def test_bf16_is_taken_instead_of_the_full_size() -> None:
    bf16 = [f"transformer/diffusion_pytorch_model.bf16-0000{n}-of-00003.safetensors" for n in (1, 2, 3)]
    listed = "transformer/diffusion_pytorch_model.safetensors.index.bf16.json"
    taken = layout.needed([*PLAIN, *bf16, listed], WAN)
    assert {*bf16, listed} < set(taken)
    assert not {*SHARDS, SHARD_LIST} & set(taken)
    assert layout.variant(taken) == "bf16"
    assert layout.whole(taken, WAN)
    assert not layout.whole([name for name in taken if name != bf16[1]], WAN)


def test_of_two_copies_the_one_is_taken_that_the_component_s_library_loads() -> None:
    stale = [f"text_encoder/diffusion_pytorch_model-0000{n}-of-00012.safetensors" for n in range(1, 9)]
    listed = "text_encoder/diffusion_pytorch_model.safetensors.index.json"
    assert layout.needed([*PLAIN, *stale, listed], WAN) == sorted(PLAIN)


def test_of_one_piece_and_shards_each_library_gets_what_it_looks_for_first() -> None:
    pieces = ["text_encoder/model-00001-of-00001.safetensors", "text_encoder/model.safetensors.index.json"]
    assert layout.needed([*PLAIN, *pieces, "transformer/diffusion_pytorch_model.safetensors"], WAN) == sorted(PLAIN)


def test_one_file_or_one_folder_can_be_asked_for() -> None:
    names = [*PLAIN, "loras/a.safetensors", "loras/b.safetensors"]
    assert layout.needed(names, WAN, "loras/b.safetensors") == ["loras/b.safetensors"]
    assert layout.needed(names, None, "transformer") == ["transformer/config.json", *SHARDS, SHARD_LIST]
    assert layout.needed(names, WAN, "loras/c.safetensors") == []


def test_a_single_model_lies_at_the_top() -> None:
    names = ["config.json", "diffusion_pytorch_model.safetensors", "README.md", "demo/config.json"]
    assert layout.needed(names, None) == ["config.json", "diffusion_pytorch_model.safetensors"]
    assert layout.whole(names, None)


def test_a_heap_of_checkpoints_is_no_layout() -> None:
    names = ["a.safetensors", "b.safetensors", "Lightx2v/c.safetensors"]
    assert layout.needed(names, None) == []
    assert not layout.whole(names, None)


@pytest.mark.parametrize("name", PLAIN)
def test_a_pipeline_is_whole_only_with_every_part(name: str) -> None:
    others = [other for other in PLAIN if other != name]
    spare = {"model_index.json", "text_encoder/config.json", "transformer/config.json", *PLAIN[4:6]}
    assert layout.whole(PLAIN, WAN)
    assert layout.whole(others, WAN) == (name in spare)  # of these, the largest comes last


def test_a_tokenizer_may_have_a_configuration_without_weights() -> None:
    assert layout.whole([*PLAIN, "tokenizer/config.json"], WAN)
    assert not layout.whole([name for name in PLAIN if not name.startswith("tokenizer/")], WAN)


def test_a_folder_is_whole_with_all_its_shards() -> None:
    assert layout.whole(PLAIN, None, "transformer")
    assert not layout.whole(PLAIN[:-1], None, "transformer")
    assert not layout.whole(PLAIN, None, "connectors")
