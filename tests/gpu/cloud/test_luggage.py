"""LoRAs and pictures travel to Modal, and hero clips are drawn there at night and come home."""

import asyncio
import builtins
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import modal
import pytest
from modal_proto import api_pb2 as proto

from gpu import app
from gpu.cloud import heroes
from sakuga.engine import RenderRequest, RenderResult
from sakuga.errors import FramesInvalid
from tests.fakes.modal_calls import Container
from tests.fakes.modal_deploy import FakeWorkspace
from tests.fakes.modal_gpu import draw, failed
from tests.fakes.terminal import Terminal, at_home, everything, mount

WAN = "wan2.1-t2v-1.3b"
WAN_TAG = "Wan21T2v13b.*"


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeWorkspace]:
    async with at_home(FakeWorkspace(everything()), monkeypatch) as workspace:
        yield workspace


@pytest.fixture
def terminal(fake: FakeWorkspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(tmp_path, capsys)


async def test_media_go_up_with_their_folders_and_heroes_and_notes_do_not(
    fake: FakeWorkspace, terminal: Terminal, tmp_path: Path
) -> None:
    for name in ("loras/hana.safetensors", "ren.png", "hero/old.mp4", "notes.txt"):
        file = tmp_path / "media" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(name.encode())
    said = await terminal.run("media")
    assert said.out.endswith("media on Modal: 2.\n")
    files = fake.volumes["sakuga-media"]
    assert files == {"loras/hana.safetensors": b"loras/hana.safetensors", "ren.png": b"ren.png"}
    # And a file that was made anew in the same size goes up again
    (tmp_path / "media" / "ren.png").write_bytes(b"REN.PNG")
    await terminal.run("media")
    assert files["ren.png"] == b"REN.PNG"


async def test_hero_clips_come_home_once_and_modal_remembers_that_they_were_drawn(
    fake: FakeWorkspace, terminal: Terminal, tmp_path: Path
) -> None:
    fake.shelve("hero-1", prompt="a tram")
    fake.shelve("hero-2", prompt="a bay")
    assert (await terminal.run("collect")).out == f"Hero clips that came to {tmp_path / 'media' / 'hero'}: 2.\n"
    shelf = tmp_path / "media" / "hero"
    assert sorted(path.name for path in shelf.iterdir()) == [
        f"hero-{number}.{ending}" for number in (1, 2) for ending in ("jpg", "json", "mp4")
    ]
    assert (shelf / "hero-1.mp4").read_bytes() == b"film of hero-1"
    assert sorted(fake.volumes["sakuga-media"]) == ["hero/hero-1.json", "hero/hero-2.json"]
    assert (await terminal.run("collect")).out.endswith(": 0.\n")


PLAN = heroes.Plan(
    engine=WAN,
    preset="live",
    style="neon",
    style_prompt="neon city",
    negative_prompt="daylight",
    seconds=3,
    prompts=("a tram in the rain", "fireworks over the bay"),
)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = mount(monkeypatch, tmp_path).media / heroes.FOLDER
    found.mkdir()
    return found


@pytest.fixture
def nightly(fake: FakeWorkspace, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Awaitable[int]]:
    """Run a night as Modal does, by a plan that was sent."""
    monkeypatch.setattr(app, "media", modal.Volume.from_name("sakuga-media", create_if_missing=True))
    monkeypatch.setattr(app, "Wan21T2v13b", modal.Cls.from_name("sakuga", "Wan21T2v13b"))

    async def run(plan: heroes.Plan = PLAN) -> int:
        (shelf / heroes.PLAN).write_text(plan.model_dump_json(), "utf-8")
        return await asyncio.to_thread(app.nightly)

    return run


def sidecars(shelf: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text("utf-8")) for path in shelf.glob("hero-*.json")]


def endings(shelf: Path) -> list[str]:
    return sorted(path.suffix for path in shelf.glob("hero-*"))


async def test_a_night_draws_what_has_no_clip_yet_and_stops_for_a_viewer(
    fake: FakeWorkspace, shelf: Path, nightly: Callable[..., Awaitable[int]]
) -> None:
    # When a viewer waits, nothing is drawn
    fake.stats[WAN_TAG] = proto.FunctionStats(backlog=1)
    assert await nightly() == 0
    # When nobody does, both are
    fake.stats.clear()
    assert await nightly() == 2
    assert endings(shelf) == [*[".jpg"] * 2, *[".json"] * 2, *[".mp4"] * 2]
    assert {sidecar["request"]["prompt"] for sidecar in sidecars(shelf)} == set(PLAN.prompts)
    assert "commit sakuga-media" in fake.fetched
    # And in the next night there is nothing left to draw, until something changes
    assert await nightly() == 0
    assert await nightly(PLAN.model_copy(update={"prompts": (*PLAN.prompts, "a bay at dawn")})) == 1


async def test_the_sidecar_says_what_really_drew_a_hero(shelf: Path, nightly: Callable[..., Awaitable[int]]) -> None:
    await nightly(PLAN.model_copy(update={"prompts": ("a tram in the rain",)}))
    (sidecar,) = sidecars(shelf)
    request = RenderRequest.model_validate(sidecar["request"])
    assert (request.words, request.negative_prompt) == ("a tram in the rain, neon city", "daylight")
    result = RenderResult.model_validate(sidecar["result"])
    assert result.renderer == "modal"
    assert result.num_frames == request.num_frames
    assert (shelf / result.video_path).read_bytes()[4:8] == b"ftyp"
    assert (shelf / result.poster_path).exists()
    assert sidecar["finished_at"] > 0


async def test_heroes_are_drawn_on_the_gpu_of_ones_own_choice_where_viewers_would_wait(
    fake: FakeWorkspace, nightly: Callable[..., Awaitable[int]]
) -> None:
    assert await nightly(PLAN.model_copy(update={"gpu": "H200"})) == 2
    gpus = {fake.variants[call.variant][1].resources.gpu_config.gpu_type for call in fake.calls.values()}
    assert gpus == {"H200"}


async def test_a_hero_that_can_not_be_drawn_does_not_keep_the_others_from_it_and_a_night_has_an_end(
    fake: FakeWorkspace, shelf: Path, nightly: Callable[..., Awaitable[int]], caplog: pytest.LogCaptureFixture
) -> None:
    # Given a prompt that fails, and more prompts than a night draws
    def fussy(container: Container, job: dict[str, Any]) -> dict[str, Any]:
        return failed(FramesInvalid(engine=WAN)) if job["prompt"] == "prompt 0" else draw(container, job)

    fake.deployed["Wan21T2v13b.render"] = fussy
    plan = PLAN.model_copy(update={"prompts": tuple(f"prompt {number}" for number in range(14))})
    # Then the others come, twelve attempts a night
    assert [await nightly(plan) for _ in range(3)] == [11, 2, 0]
    assert len(sidecars(shelf)) == 13
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(told) == 3
    assert all("code=frames_invalid" in line and "prompt 0" not in line for line in told)


async def test_a_file_of_this_pc_that_can_not_be_read_is_named(
    fake: FakeWorkspace, terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "ren.png").write_bytes(b"a picture")
    opened = builtins.open

    def refuse(path: Any, *how: Any, **more: Any) -> Any:
        if str(path).endswith("ren.png"):
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *how, **more)

    monkeypatch.setattr(builtins, "open", refuse)
    said = await terminal.run("media")
    assert said.code == 2
    assert said.err == f"{tmp_path / 'media' / 'ren.png'} can't be used (Permission denied).\n"
