"""Weights come from a Hub on loopback: whole, once, in the Hub's own layout, and on from where they broke."""

import errno
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import scan_cache_dir, snapshot_download

from gpu import weights
from gpu.weights import download
from gpu.weights.download import Arriving, Download
from gpu.weights.hub import Hub
from sakuga.engine import GIGABYTE, Source
from sakuga.errors import SpaceExhausted, WeightsUnreachable
from tests.fakes.hub import FakeHub, fake_hub

ROOT = Path(__file__).parents[3]
NAME = "studio/tiny"
BIG = "transformer/diffusion_pytorch_model.safetensors"
PIPELINE = {
    "model_index.json": b'{"_class_name": "X", "transformer": ["diffusers", "Y"], "tokenizer": ["transformers", "Z"]}',
    "transformer/config.json": b"{}",
    BIG: bytes(range(256)) * 2000,
    "tokenizer/tokenizer.json": b'{"words": []}',
    "README.md": b"# Tiny",
    "tiny.safetensors": b"all in one" * 100,
}
SIZE = len(PIPELINE[BIG])


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    monkeypatch.setattr("gpu.weights.hub.PAUSES_S", (0.0, 0.0))
    with fake_hub(monkeypatch, tmp_path) as running:
        running.add(NAME, PIPELINE)
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "weights"


def source(**more: object) -> Source:
    return Source(**({"repository": NAME} | more))


def order(hub: FakeHub, folder: Path, *wanted: Source) -> Download:
    return weights.fetch_sources("tiny", wanted or (source(),), folder, endpoint=hub.url)


def etag(hub: FakeHub) -> str:
    return Hub(hub.url).listing(NAME, "main")[BIG].etag


def refusal(hub: FakeHub, folder: Path, *wanted: Source) -> str:
    with pytest.raises(WeightsUnreachable) as refused:
        list(order(hub, folder, *wanted))
    return str(refused.value)


def test_weights_arrive_whole_and_how_far_they_are_is_told(hub: FakeHub, folder: Path) -> None:
    told = list(order(hub, folder))
    needed = sum(len(text) for path, text in PIPELINE.items() if path not in {"README.md", "tiny.safetensors"})
    assert told[0] == Arriving("", 0, needed)
    assert [each.done_bytes for each in told] == sorted(each.done_bytes for each in told)
    assert told[-1].done_bytes == told[-1].total_bytes == needed
    found = weights.find(source(), folder, engine="tiny")
    assert {path: (found / path).read_bytes() for path in PIPELINE if (found / path).exists()} == {
        path: text for path, text in PIPELINE.items() if path not in {"README.md", "tiny.safetensors"}
    }


def test_the_hub_s_own_client_finds_them_in_its_cache(hub: FakeHub, folder: Path) -> None:
    list(order(hub, folder))
    found = snapshot_download(NAME, cache_dir=folder, local_files_only=True)
    assert Path(found) == weights.find(source(), folder, engine="tiny")
    known = scan_cache_dir(folder)
    assert not known.warnings
    assert [(repo.repo_id, repo.nb_files) for repo in known.repos] == [(NAME, 4)]


def test_what_the_hub_s_own_client_brought_is_found_and_not_asked_for(hub: FakeHub, folder: Path) -> None:
    snapshot_download(NAME, cache_dir=folder, endpoint=hub.url)
    hub.asked.clear()
    assert [each.total_bytes for each in order(hub, folder)] == [0]
    assert hub.asked == []


def test_an_interrupted_download_goes_on_where_it_was(hub: FakeHub, folder: Path) -> None:
    trouble = hub.hold(BIG, after=200_000)
    arriving = iter(order(hub, folder))
    next(arriving)
    while next(arriving).done_bytes < 200_000:
        pass
    trouble.times = 0
    threading.Timer(0.05, trouble.resume.set).start()
    arriving.close()
    again = order(hub, folder)
    assert again.missing_bytes < SIZE - 190_000
    assert list(again)[-1].done_bytes == again.total_bytes
    assert hub.loads(BIG)[-1].start > 190_000


def test_a_killed_download_goes_on_where_it_was(hub: FakeHub, folder: Path) -> None:
    hub.hold(BIG, after=200_000)
    code = f"""
from pathlib import Path
from gpu import weights
from sakuga.engine import Source
for told in weights.fetch_sources("tiny", [Source(repository={NAME!r})], Path({str(folder)!r}), endpoint={hub.url!r}):
    print(told.done_bytes, flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        assert any(int(line) >= 200_000 for line in child.stdout)
        child.send_signal(signal.SIGKILL)
    parts = list(folder.rglob("*.incomplete"))
    here = parts[0].stat().st_size
    assert 0 < here < SIZE
    list(order(hub, folder))
    assert hub.loads(BIG)[-1].start == here
    assert weights.find(source(), folder, engine="tiny")
    assert not list(folder.rglob("*.incomplete"))


def test_a_file_that_does_not_come_is_given_up_and_what_arrived_is_kept(hub: FakeHub, folder: Path) -> None:
    trouble = hub.cut(BIG, after=1000, times=99)
    told = iter(order(hub, folder))
    next(told), next(told)
    assert trouble.reached.wait(10)
    trouble.after = 0
    with pytest.raises(WeightsUnreachable, match="What has arrived is kept; run the command again"):
        list(told)
    assert weights.lying(source(), folder) is None
    hub.troubles.clear()
    assert order(hub, folder).missing_bytes < SIZE
    list(order(hub, folder))
    assert weights.lying(source(), folder)


def test_a_damaged_file_is_refused_and_comes_anew(hub: FakeHub, folder: Path) -> None:
    ordered = order(hub, folder)
    was = etag(hub)
    files = hub.repositories[NAME].files
    files[BIG] = bytes(SIZE)
    with pytest.raises(WeightsUnreachable, match="arrived damaged"):
        list(ordered)
    assert not list(folder.rglob(f"{was}*"))
    files[BIG] = PIPELINE[BIG]
    list(order(hub, folder))
    assert weights.lying(source(), folder)


def test_without_a_revision_the_first_commit_is_kept_and_with_one_that_is_taken(hub: FakeHub, folder: Path) -> None:
    first = hub.repositories[NAME].commit
    list(order(hub, folder))
    second = hub.add(NAME, PIPELINE | {"transformer/config.json": b'{"newer": true}'})
    list(order(hub, folder))
    assert weights.commit_of(weights.find(source(), folder, engine="tiny")) == first
    pinned = source(revision=second)
    list(order(hub, folder, pinned))
    assert weights.commit_of(weights.find(pinned, folder, engine="tiny")) == second
    assert weights.commit_of(weights.find(source(), folder, engine="tiny")) == first
    assert len(hub.loads(BIG)) == 2  # asked for once: the second commit has the same bytes


def test_the_same_bytes_come_once_whatever_they_are_called(hub: FakeHub, folder: Path) -> None:
    twice = {"transformer/config.json": b"{}", "transformer/notes.json": b"{}", BIG: PIPELINE[BIG]}
    hub.add("other/tiny", twice)
    list(order(hub, folder))
    hub.asked.clear()
    other = source(repository="other/tiny", file="transformer")
    ordered = order(hub, folder, other)
    assert ordered.missing_bytes == 2
    list(ordered)
    found = weights.find(other, folder, engine="tiny")
    assert (found / "notes.json").read_bytes() == b"{}"
    assert not hub.loads(BIG)
    shutil.rmtree(weights.home(NAME, folder))
    assert (found.parent / BIG).read_bytes() == PIPELINE[BIG]


def test_one_file_comes_alone(hub: FakeHub, folder: Path) -> None:
    one = source(file="tiny.safetensors")
    list(order(hub, folder, one))
    assert weights.find(one, folder, engine="tiny").read_bytes() == PIPELINE["tiny.safetensors"]
    assert weights.lying(source(), folder) is None


def test_pickles_are_not_taken(hub: FakeHub, folder: Path) -> None:
    files = {name: text for name, text in PIPELINE.items() if name != BIG}
    hub.add(NAME, files | {"transformer/diffusion_pytorch_model.bin": b"pickle"})
    assert "does not hold weights as diffusers loads them, in safetensors" in refusal(hub, folder)
    pickle = "transformer/diffusion_pytorch_model.bin"
    assert f"does not hold {pickle}" in refusal(hub, folder, source(file=pickle))
    assert not list(folder.rglob("*.bin"))


def test_a_model_index_that_can_not_be_read_is_told(hub: FakeHub, folder: Path) -> None:
    hub.add(NAME, PIPELINE | {"model_index.json": b"<html>"})
    assert "does not hold weights as diffusers loads them" in refusal(hub, folder)


def test_too_little_space_is_told_before_the_first_byte(
    hub: FakeHub, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = download.MARGIN_BYTES + SIZE // 2
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10 * GIGABYTE, 0, free))
    with pytest.raises(SpaceExhausted) as told:
        order(hub, folder)
    assert told.value.data["engine"] == "tiny"
    assert told.value.data["free_gb"] == free / GIGABYTE
    assert not hub.loads(BIG)
    part = weights.home(NAME, folder) / "blobs" / (f"{etag(hub)}.incomplete")
    part.parent.mkdir(parents=True)
    part.write_bytes(PIPELINE[BIG][: SIZE // 2 + 1000])
    list(order(hub, folder))  # what is here already needs no space
    assert hub.loads(BIG)[-1].start == SIZE // 2 + 1000


def test_a_disk_that_does_not_say_what_is_free_is_believed(
    hub: FakeHub, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(0, 0, 0))
    list(order(hub, folder))
    assert weights.lying(source(), folder)


def test_a_disk_that_fills_up_is_told_as_such(hub: FakeHub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(download, "_point", full)
    with pytest.raises(SpaceExhausted):
        list(order(hub, folder))


def test_a_folder_that_can_not_be_written_is_named(hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert f"the folder {tmp_path / 'file' / 'weights'} can't be written" in refusal(hub, tmp_path / "file" / "weights")


def test_nobody_fetches_the_same_twice_at_a_time(hub: FakeHub, folder: Path) -> None:
    trouble = hub.hold(BIG, after=1000)
    first = iter(order(hub, folder))
    next(first), next(first)
    assert trouble.reached.wait(10)
    assert "it is being fetched already" in refusal(hub, folder)
    trouble.resume.set()
    list(first)
    assert weights.lying(source(), folder)


def test_where_links_can_not_be_made_files_lie_under_their_names(
    hub: FakeHub, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "symlink_to", no)
    list(order(hub, folder))
    assert not (weights.find(source(), folder, engine="tiny") / BIG).is_symlink()
    hub.asked.clear()
    list(order(hub, folder))
    assert hub.asked == []
