"""Pictures come from the decoder part by part, checked and told, and it is left as soon as nobody wants more."""

from collections.abc import Generator
from contextlib import nullcontext

import numpy as np
import pytest
import torch

from gpu.pipeline.film import AT_ONCE, developed
from sakuga.errors import FramesInvalid, RenderCancelled


class Decoder:
    """Gives grey frames in parts of these lengths, and says whether it has been left."""

    def __init__(self, *lengths: int, broken: bool = False) -> None:
        self._lengths = lengths
        self._broken = broken
        self.left = False

    def frames(self) -> Generator[torch.Tensor, None, None]:
        try:
            level = 0
            for length in self._lengths:
                film = torch.zeros(3, length, 2, 4)
                for index in range(length):
                    film[:, index] = -1 + level * 2 / 255
                    level += 1
                if self._broken:
                    film[0, -1, 0, 0] = torch.nan
                yield film
        finally:
            self.left = True


def test_all_pictures_come_in_order_and_are_told_in_parts() -> None:
    decoder, told = Decoder(1, 4, 2 * AT_ONCE + 1), []
    film = list(developed(decoder.frames(), nullcontext, "wan", told.append))
    assert [int(picture[0, 0, 0]) for picture in film] == list(range(22))
    assert {(picture.shape, picture.dtype) for picture in film} == {((2, 4, 3), np.dtype(np.uint8))}
    assert told == [1, 5, 13, 21, 22]
    assert decoder.left


def test_a_decoder_is_left_at_once_when_a_listener_stops_it() -> None:
    decoder = Decoder(1, 4, 4)

    def stop(count: int) -> None:
        if count == 5:
            raise RenderCancelled

    with pytest.raises(RenderCancelled) as stopped:
        list(developed(decoder.frames(), nullcontext, "wan", stop))
    # While the error is still held, with every frame of the stack that it went through.
    assert stopped.tb is not None
    assert decoder.left


def test_a_decoder_is_left_at_once_when_nobody_takes_more() -> None:
    decoder = Decoder(1, 4)
    film = developed(decoder.frames(), nullcontext, "wan", lambda _: None)
    next(film)
    film.close()  # type: ignore[attr-defined]
    assert decoder.left


def test_numbers_that_are_none_are_found_wherever_they_are() -> None:
    decoder = Decoder(AT_ONCE + 1, broken=True)
    with pytest.raises(FramesInvalid, match="wan"):
        list(developed(decoder.frames(), nullcontext, "wan", lambda _: None))
    assert decoder.left
