"""Skipping: blocks of a transformer whose outcome can be foreseen are left out of a step."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def skipping(transformer: Any, threshold: float | None) -> Iterator[None]:
    """Leave a step's other blocks out where the first one's output has changed less than `threshold`; never if None.

    What is remembered of one render is forgotten before the next, also after one that was stopped.
    """
    if threshold is None:
        yield
        return
    from diffusers import FirstBlockCacheConfig

    if transformer.is_cache_enabled:  # by a render that was broken off in the line before `try`; else diffusers raises
        transformer.disable_cache()
    transformer.enable_cache(FirstBlockCacheConfig(threshold=threshold))
    try:
        yield
    finally:
        transformer.disable_cache()
