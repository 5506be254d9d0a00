"""Tiles: a film too large for the card is decoded in parts of its width and height that are blended into each other."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def in_tiles(vae: Any, *, wanted: bool = True) -> Iterator[None]:
    """Have a VAE of diffusers decode in tiles meanwhile, if wanted or if it does so anyway.

    Only meanwhile: pictures to begin with are small enough to be encoded whole, as the makers of the models do.
    """
    usual = vae.use_tiling
    vae.use_tiling = usual or wanted
    try:
        yield
    finally:
        vae.use_tiling = usual
