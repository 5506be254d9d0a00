import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from huggingface_hub import snapshot_download

from gpu.engines import Place, find_engine
from gpu.engines.tiny import REPOSITORY, REVISION, SPECS, keep, tiny_wan, write_tiny_wan
from sakuga.errors import RenderFailed
from tests.fakes import loras
from tests.gpu.conftest import ask

SMALL = {"width": 96, "height": 64, "num_frames": 5, "preset": "draft"}


def draw(engine, **more):
    return np.stack(list(engine.render(ask(**(SMALL | {"engine": "tiny"} | more)), lambda *_: None)))


@pytest.fixture(scope="module")
def place(weights, tmp_path_factory):
    return Place(weights, tmp_path_factory.mktemp("media"), tmp_path_factory.mktemp("cache"), device="cpu")


@pytest.fixture(scope="module")
def engine(place):
    tiny = find_engine("tiny", place)
    tiny.load()
    return tiny


def test_its_picture_is_colourful_and_moves_smoothly(engine):
    width, height = SPECS["tiny"].sizes[0]
    film = draw(engine, width=width, height=height, num_frames=33, preset="live")
    assert (film.shape, film.dtype) == ((33, height, width, 3), np.uint8)
    assert (engine.making.repository, engine.making.revision) == (REPOSITORY, REVISION)
    film = film[8:].astype(float)
    assert film.std(axis=(1, 2)).mean() > 25
    assert 0.5 < np.abs(np.diff(film, axis=0)).mean() < 10
    assert np.abs(film[-1] - film[0]).mean() > 15
    assert np.abs(np.diff(film, axis=2)).mean() < 6


@pytest.mark.parametrize("other", [{"prompt": "a robot in a neon city"}, {"seed": 8}, {"preset": "quality"}])
def test_words_seed_and_preset_change_the_picture(engine, other):
    plain = draw(engine)
    assert np.array_equal(draw(engine), plain)
    assert np.abs(draw(engine, **other).astype(float) - plain).mean() > 1


def test_a_lora_changes_the_picture_and_leaves_no_trace(engine, place):
    loras.write(place.media / "mika.safetensors", loras.comfyui(loras.trained(engine.pipe.transformer)))
    plain = draw(engine)
    drawn = draw(engine, adapters=({"name": "mika", "file": "mika.safetensors"},))
    assert np.abs(drawn.astype(float) - plain).max() > 5
    assert np.array_equal(draw(engine), plain)


def test_the_weights_lie_where_the_hub_client_looks_for_them(weights):
    folder = write_tiny_wan(weights)
    assert snapshot_download(REPOSITORY, cache_dir=weights, local_files_only=True) == str(folder)
    assert (folder.name, (folder.parents[1] / "refs" / "main").read_text()) == (REVISION, REVISION)
    assert {file.suffix for file in folder.rglob("*") if file.is_file()} == {".json", ".safetensors"}


def test_the_weights_are_written_once(weights):
    folder = write_tiny_wan(weights)
    assert keep(lambda: pytest.fail("built again"), weights, REPOSITORY, REVISION) == folder


def test_the_weights_are_the_same_each_time_and_the_dice_are_put_back(engine):
    torch.manual_seed(99)
    before = torch.get_rng_state()
    again = tiny_wan()
    assert torch.equal(torch.get_rng_state(), before)
    for name in ("text_encoder", "vae"):
        known = getattr(engine.pipe, name).state_dict()
        assert all(torch.equal(known[key], value) for key, value in getattr(again, name).state_dict().items())


def test_of_two_who_write_at_once_both_find_it_whole(tmp_path):
    both = threading.Barrier(2)

    def build():
        made = tiny_wan()
        both.wait(timeout=30)
        return made

    with ThreadPoolExecutor(2) as crew:
        first, second = crew.map(lambda _: keep(build, tmp_path, REPOSITORY, REVISION), range(2))
    assert first == second
    assert (first / "model_index.json").is_file()
    assert {each.name for each in first.parents[1].iterdir()} == {"refs", "snapshots"}


def test_weights_that_cannot_be_written_are_no_mystery(tmp_path):
    (tmp_path / "weights").write_text("a file")
    with pytest.raises(RenderFailed, match="written"):
        write_tiny_wan(tmp_path / "weights")
