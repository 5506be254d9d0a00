"""The Hub's answers, and its refusals as sentences that say what to do."""

import threading
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from huggingface_hub import constants

from gpu.weights.hub import Hub, RemoteFile, Stopped
from sakuga.errors import WeightsUnreachable
from tests.fakes.hub import FakeHub, fake_hub

NAME = "studio/tiny"
BIG = "transformer/diffusion_pytorch_model.safetensors"
BYTES = bytes(range(256)) * 2000
FILES = {"config.json": b"{}", BIG: BYTES}


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    monkeypatch.setattr("gpu.weights.hub.PAUSES_S", (0.0, 0.0))
    with fake_hub(monkeypatch, tmp_path) as running:
        running.add(NAME, FILES)
        yield running


def big(remote: FakeHub) -> RemoteFile:
    return Hub(remote.url).listing(NAME, "main")[BIG]


def bring(remote: FakeHub, part: Path) -> list[int]:
    heard: list[int] = []
    Hub(remote.url).bring(big(remote), part, heard.append, threading.Event())
    return heard


def read(hub: Hub, repository: str, revision: str) -> str:
    return hub.text(hub.listing(repository, revision)["config.json"])


def refusal(remote: FakeHub, repository: str = NAME, revision: str = "main") -> str:
    with pytest.raises(WeightsUnreachable) as refused:
        read(Hub(remote.url), repository, revision)
    assert refused.value.data["repository"] == repository
    return str(refused.value)


def test_a_listing_tells_sizes_and_digests_at_a_commit(remote: FakeHub) -> None:
    commit = remote.repositories[NAME].commit
    listing = Hub(remote.url).listing(NAME, "main")
    assert {path: file.size for path, file in listing.items()} == {path: len(text) for path, text in FILES.items()}
    assert {file.commit for file in listing.values()} == {commit}
    assert [len(listing[path].etag) for path in FILES] == [40, 64]
    assert listing == Hub(remote.url).listing(NAME, commit)


def test_bytes_arrive_and_are_counted(remote: FakeHub, tmp_path: Path) -> None:
    assert sum(bring(remote, tmp_path / "part")) == len(BYTES)
    assert (tmp_path / "part").read_bytes() == BYTES


def test_a_connection_that_breaks_is_made_again_where_it_broke(remote: FakeHub, tmp_path: Path) -> None:
    remote.cut(BIG, after=100_000, times=4)
    assert sum(bring(remote, tmp_path / "part")) == len(BYTES)
    assert [each.start for each in remote.loads(BIG) if "store" in each.path] == [n * 100_000 for n in range(5)]
    assert (tmp_path / "part").read_bytes() == BYTES


def test_new_bytes_begin_the_waits_anew_and_silence_ends_them(remote: FakeHub, tmp_path: Path) -> None:
    remote.cut(BIG, after=0, times=2)
    bring(remote, tmp_path / "patient")
    remote.cut(BIG, after=0, times=3)
    with pytest.raises(WeightsUnreachable, match="the Hub can't be reached"):
        bring(remote, tmp_path / "given up")


def test_what_is_there_is_not_sent_again(remote: FakeHub, tmp_path: Path) -> None:
    part = tmp_path / "part"
    part.write_bytes(BYTES[:300_000])
    assert sum(bring(remote, part)) == len(BYTES) - 300_000
    assert part.read_bytes() == BYTES
    remote.asked.clear()
    assert bring(remote, part) == []
    assert not remote.loads(BIG)


def test_a_server_that_knows_no_parts_sends_all_of_it_again(remote: FakeHub, tmp_path: Path) -> None:
    remote.ranges = False
    part = tmp_path / "part"
    part.write_bytes(bytes(300_000))
    assert sum(bring(remote, part)) == len(BYTES) - 300_000
    assert part.read_bytes() == BYTES


def test_a_busy_hub_is_asked_again(remote: FakeHub, tmp_path: Path) -> None:
    file = big(remote)
    remote.status = HTTPStatus.SERVICE_UNAVAILABLE
    with pytest.raises(WeightsUnreachable, match="the Hub answered 503"):
        Hub(remote.url).bring(file, tmp_path / "part", lambda _: None, threading.Event())
    assert len(remote.loads(BIG)) == 3


def test_asked_to_stop_it_stops_at_the_next_piece_and_keeps_what_came(remote: FakeHub, tmp_path: Path) -> None:
    stopping = threading.Event()
    with pytest.raises(Stopped):
        Hub(remote.url).bring(big(remote), tmp_path / "part", lambda _: stopping.set(), stopping)
    assert 0 < (tmp_path / "part").stat().st_size < len(BYTES)


def test_a_gated_repository_says_how_to_get_in(
    remote: FakeHub, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    remote.add(NAME, FILES, token="hf_secret")
    way_in = f"accepted: do so at https://huggingface.co/{NAME}, then set HF_TOKEN"
    assert way_in in refusal(remote)
    monkeypatch.setenv("HF_TOKEN", "hf_secret_of_another")
    assert way_in in refusal(remote)
    assert "secret" not in refusal(remote)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    bring(remote, tmp_path / "part")
    assert {each.token for each in remote.asked if each.path.startswith("/store")} == {None}
    assert "secret" not in "".join(capfd.readouterr())


def test_every_refusal_is_a_sentence_that_says_what_to_do(remote: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "there is none, or it is private" in refusal(remote, repository="nobody/nothing")
    assert "has taken that commit away" in refusal(remote, revision="0" * 40)
    remote.tokens = {"hf_good"}
    monkeypatch.setenv("HF_TOKEN", "hf_run_out")
    assert "HF_TOKEN is refused; make a new token" in refusal(remote)
    remote.status = HTTPStatus.TOO_MANY_REQUESTS
    assert "wait some minutes" in refusal(remote)
    remote.status = HTTPStatus.FORBIDDEN
    assert "HF_TOKEN may not read it" in refusal(remote)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE is set" in refusal(remote)


def test_a_hub_that_is_not_there_is_told_in_a_moment() -> None:
    with pytest.raises(WeightsUnreachable, match="the Hub can't be reached; look at your network"):
        Hub("http://127.0.0.1:9").listing(NAME, "main")


@pytest.mark.parametrize("path", ["../outside.json", "/outside.json", "transformer/../../outside.json"])
def test_a_path_that_leads_out_of_the_folder_is_refused(remote: FakeHub, path: str) -> None:
    remote.add(NAME, FILES | {path: b"{}"})
    with pytest.raises(WeightsUnreachable, match="its list of files is wrong at"):
        Hub(remote.url).listing(NAME, "main")
