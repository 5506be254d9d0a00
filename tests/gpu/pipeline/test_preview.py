"""Previews are pictures of the clean latent, and cost little."""

from pathlib import Path

import numpy as np
import torch

from gpu.pipeline.preview import SHARE, LatentMap, PreviewBudget, stills

PIXELS = 832 * 480


class Clock:
    """A clock that is moved by hand, in seconds."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def mixed(pixels: torch.Tensor) -> torch.Tensor:
    """Encode as a VAE would that mixes colours into eight channels, at an eighth of the size."""
    small = torch.nn.functional.adaptive_avg_pool2d(pixels, (16, 16))
    mixing = torch.randn(8, 3, generator=torch.Generator().manual_seed(3))
    return torch.einsum("dc,nchw->ndhw", mixing, small) + 0.3


def test_the_fitted_map_gives_back_the_colours() -> None:
    fitted = LatentMap.fitted(mixed)
    pixels = stills()[:1]
    picture = fitted.picture(mixed(pixels)[0])
    wanted = torch.nn.functional.adaptive_avg_pool2d(pixels, (16, 16))[0].permute(1, 2, 0).numpy()
    assert picture.dtype == np.uint8
    assert picture.shape == (16, 16, 3)
    assert np.abs(picture / 127.5 - 1 - wanted).mean() < 0.03


def test_a_map_is_fitted_once_and_kept_in_the_cache(tmp_path: Path) -> None:
    calls: list[int] = []

    def encode(pixels: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        return mixed(pixels)

    first, second = (LatentMap.fitted(encode, tmp_path / "previews" / "map.safetensors") for _ in range(2))
    latent = mixed(stills()[:1])[0]
    assert len(calls) == 1
    assert np.array_equal(first.picture(latent), second.picture(latent))


def test_a_map_that_was_cut_off_in_the_cache_is_fitted_anew(tmp_path: Path) -> None:
    file = tmp_path / "map.safetensors"
    LatentMap.fitted(mixed, file)
    whole = file.read_bytes()
    file.write_bytes(whole[:-9])
    LatentMap.fitted(mixed, file)
    assert file.read_bytes() == whole
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "previews").write_text("a file where the folder should be")
    assert LatentMap.fitted(mixed, tmp_path / "previews" / "map.safetensors")


def test_previews_wait_until_they_can_be_afforded() -> None:
    clock = Clock()
    budget = PreviewBudget(clock)
    budget.begin()
    taken = 0
    for _ in range(100):
        clock.now += 0.5
        if budget.affordable(PIXELS):
            taken += 1
            with budget.spending(PIXELS):
                clock.now += 0.1
    assert 10 <= taken <= 20
    assert budget.spent_s <= (SHARE + 0.01) * (clock.now - 100)


def test_one_that_is_known_to_be_too_dear_is_not_made_at_all() -> None:
    clock = Clock()
    budget = PreviewBudget(clock)
    with budget.spending(PIXELS):  # rehearsed
        clock.now += 0.1
    budget.begin()
    clock.now += 3
    assert not budget.affordable(PIXELS)
    assert budget.affordable(PIXELS // 4)
    clock.now += 1
    assert budget.affordable(PIXELS)


def test_one_that_was_slow_once_is_not_the_last() -> None:
    clock = Clock()
    budget = PreviewBudget(clock)
    for seconds in (20, 0.01, 20):
        with budget.spending(PIXELS):
            clock.now += seconds
    assert not budget.affordable(PIXELS), "what was spent was spent"
    budget.begin()
    clock.now += 1
    assert budget.affordable(PIXELS)
