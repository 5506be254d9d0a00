"""Skipping blocks: a render that was broken off at an unlucky moment stops none after it."""

import pytest
from diffusers import FirstBlockCacheConfig, WanTransformer3DModel

from gpu.pipeline.skipping import skipping

SIZES = {"num_attention_heads": 2, "attention_head_dim": 12, "in_channels": 4, "out_channels": 4, "text_dim": 8}


@pytest.fixture
def transformer() -> WanTransformer3DModel:
    return WanTransformer3DModel(**SIZES, freq_dim=8, ffn_dim=8, num_layers=2)


def test_blocks_are_skipped_while_it_lasts_and_only_where_there_is_a_threshold(
    transformer: WanTransformer3DModel,
) -> None:
    with skipping(transformer, 0.05):
        assert transformer.is_cache_enabled
    assert not transformer.is_cache_enabled
    with skipping(transformer, None):
        assert not transformer.is_cache_enabled


def test_what_a_render_that_was_broken_off_left_on_is_begun_anew(transformer: WanTransformer3DModel) -> None:
    transformer.enable_cache(FirstBlockCacheConfig(threshold=0.5))
    with skipping(transformer, 0.05):
        assert transformer._cache_config.threshold == 0.05
    assert not transformer.is_cache_enabled
