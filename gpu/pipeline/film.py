"""The film: what a decoder gives, part by part, as checked pictures in the machine's memory."""

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing
from typing import Any

from gpu.engines import Frame
from gpu.pipeline.preview import pictures
from sakuga.errors import FramesInvalid

AT_ONCE = 8
"""Pictures that leave the card together. In fp32 a whole film of LTX-Video 13B takes 2.5 GB, several times over."""

Decoded = Generator[Any, None, None]
"""3 x frames x height x width in -1..1, in order, on the card."""


def developed(
    chunks: Decoded, spent: Callable[[], AbstractContextManager[None]], engine: str, told: Callable[[int], None]
) -> Iterator[Frame]:
    """Yield the pictures of a film. `told` hears how many there were, after each part of it; it may raise.

    `spent` is entered while the card works. The decoder has been left when this ends, however it ends: what it keeps of
    earlier frames must not be cleared away while another film is decoded. Raises FramesInvalid.
    """
    import torch

    count = 0
    with closing(chunks):
        while True:
            with spent(), torch.no_grad():
                chunk = next(chunks, None)
            if chunk is None:
                return
            for part in chunk.split(AT_ONCE, dim=1):
                with spent(), torch.no_grad():
                    if not bool(torch.isfinite(part).all()):
                        raise FramesInvalid(engine=engine)
                    film = pictures(part)
                yield from film
                count += len(film)
                told(count)
