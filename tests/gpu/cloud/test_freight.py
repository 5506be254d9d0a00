"""Weights come to Modal and to this PC, and one sees how far they are."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import modal
import pytest
from modal_proto import api_pb2 as proto

from gpu import app, weights
from gpu.cloud import commands, freight
from gpu.cloud.catalog import Catalog
from gpu.engines import ENGINES, find_spec
from sakuga.engine import MODAL_PROGRESS, Adapter, Licence, Source
from sakuga.errors import LicenceNotAccepted, RenderFailed
from tests.fakes.hub import FakeHub, fake_hub
from tests.fakes.modal_calls import Container
from tests.fakes.modal_deploy import FakeWorkspace
from tests.fakes.modal_gpu import failed
from tests.fakes.terminal import ROOT, Terminal, at_home, everything, mount, python

WAN = "wan2.1-t2v-1.3b"
GIGABYTE = 1024**3


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeWorkspace]:
    async with at_home(FakeWorkspace(everything()), monkeypatch) as workspace:
        yield workspace


@pytest.fixture
def terminal(fake: FakeWorkspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(tmp_path, capsys)


def arriving(container: Container, engine: str, partition: str, **_: Any) -> dict[str, Any]:
    """Fetch as the app does, of one gigabyte."""
    for tenth in (0, 5, 10):
        arrival = {"done_bytes": tenth * GIGABYTE // 10, "total_bytes": GIGABYTE, "seconds_left": 60.0 - 6 * tenth}
        container.put(MODAL_PROGRESS, partition, {"run": container.run, "arrival": arrival})
    container.put(MODAL_PROGRESS, partition, {"run": container.run, "ended": True})
    return {}


async def test_weights_come_to_modal_and_one_sees_how_far_they_are(fake: FakeWorkspace, terminal: Terminal) -> None:
    fake.deployed["fetch"] = arriving
    said = await terminal.run("weights", WAN, "--accept-licence")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        freight.terms(find_spec(WAN)),
        f"{WAN}: 0 MB of 1.0 GB, 1 min left",
        f"{WAN}: 512 MB of 1.0 GB, 1 min left",
        f"{WAN}: 1.0 GB of 1.0 GB",
        f"{WAN}: all of it is there.",
        commands.LATE,
    ]
    (call,) = fake.calls.values()
    assert (call.arguments[0], call.named) == (WAN, {"accepted": True})


SHOW = """
[styles.rain]
title = "Rain"
loras = [
  {file = "rain.safetensors", repository = "maker/rain", engines = ["wan2.1-t2v-1.3b", "puppet"]},
  {file = "rain-ltx.safetensors", repository = "maker/rain", engines = ["ltx-video-2b"]},
  {file = "here.safetensors"},
]

[characters.hana]
title = "Hana"
loras = [{file = "hana.safetensors", repository = "maker/hana"}]
"""
RAIN, HANA = (Source(repository=f"maker/{name}", file=f"{name}.safetensors") for name in ("rain", "hana"))


async def test_loras_on_the_hub_that_fit_an_engine_come_with_its_weights(
    fake: FakeWorkspace, terminal: Terminal
) -> None:
    terminal.studio_file.write_text(SHOW, "utf-8")
    fake.deployed["fetch"] = arriving
    said = await terminal.run("weights", WAN, WAN)
    assert (said.code, said.err) == (0, "")
    named = {call.arguments[0]: call.named.get("source") for call in fake.calls.values()}
    assert named == {WAN: None, "rain": RAIN.model_dump(), "hana": HANA.model_dump()}
    assert "rain: rain.safetensors, a LoRA. Its terms: https://huggingface.co/maker/rain\n" in said.out
    assert f"hana: 1.0 GB of 1.0 GB\nhana: all of it is there.\n{commands.LATE}\n" in said.out


async def test_terms_that_nobody_agreed_to_stop_the_download(fake: FakeWorkspace, terminal: Terminal) -> None:
    error = LicenceNotAccepted(engine="ltx-2", licence="LTX-2", url="https://ltx.example/terms")
    fake.deployed["fetch"] = lambda *_, **__: failed(error)
    said = await terminal.run("weights", "ltx-2")
    assert said.code == 2
    assert "--accept-licence" in said.err


async def test_what_there_is_to_fetch_can_be_asked_without_fetching(fake: FakeWorkspace, terminal: Terminal) -> None:
    told = {"name": WAN, "total_bytes": 3 * GIGABYTE, "missing_bytes": 2 * GIGABYTE}
    fake.deployed["fetch"] = lambda *_, check: told if check else {}
    said = await terminal.run("weights", WAN, "--check")
    assert f"{WAN}: 2.0 GB are to come" in said.out


async def test_stopping_the_command_stops_the_download_on_modal(fake: FakeWorkspace) -> None:
    # Given a download that has begun
    fake.deployed["fetch"] = lambda container, *_, **__: container.order()
    async with fake.client() as client:
        fetch = modal.Function.from_name("sakuga", "fetch", client=client)
        work = freight.bring_there(fetch, client, find_spec(WAN), lambda _: None)
        task = asyncio.create_task(work)
        call = await fake.called()
        await fake.until(lambda: "QueueNextItems" in fake.asked)
        # When the command is interrupted
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    # Then nothing is downloaded, and paid for, any more
    assert call.cancels == [False]


async def test_a_download_that_dies_silently_does_not_keep_the_command_waiting(
    fake: FakeWorkspace, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freight, "QUIET_S", 0.1)
    fake.deployed["fetch"] = lambda container, *_, **__: container.order()
    asked = asyncio.create_task(terminal.run("weights", WAN))
    fake.end(await fake.called(), proto.GenericResult.GENERIC_STATUS_TIMEOUT, "too long")
    said = await asked
    assert said.code == 2
    assert said.err.startswith("Modal did not do that: ")


@pytest.mark.parametrize(
    "deployed",
    [
        lambda *_, check=False, accepted=False: {},  # of a version that knows no LoRAs
        lambda *_, **__: failed(RenderFailed(reason="there is no engine here")),
    ],
    ids=["arguments", "engine"],
)
async def test_an_app_of_another_version_is_to_be_deployed_again(
    fake: FakeWorkspace, terminal: Terminal, deployed: Any
) -> None:
    terminal.studio_file.write_text(SHOW, "utf-8")
    fake.deployed["fetch"] = deployed
    for more in ([], ["--check"]):
        said = await terminal.run("weights", WAN, *more)
        assert said.code == 2
        assert said.err.endswith("of another version. Deploy it again: python -m sakuga gpu deploy\n")


async def test_ctrl_c_stops_the_download_on_modal_and_says_that_nothing_is_lost(fake: FakeWorkspace) -> None:
    # Given the command as a person runs it, and a download that has begun
    fake.deployed["fetch"] = lambda container, *_, **__: container.order()
    words = ["-m", "sakuga", "gpu", "weights", WAN]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=ROOT, env=fake.environ, stdout=PIPE, stderr=PIPE, start_new_session=True
    )
    call = await fake.called()
    await fake.until(lambda: "QueueNextItems" in fake.asked)
    # When that person presses Ctrl-C
    os.killpg(process.pid, signal.SIGINT)
    _, err = await asyncio.wait_for(process.communicate(), 30)
    # Then it ends at once, on both sides
    assert process.returncode == 130
    assert err.decode().strip() == "Stopped. What has arrived is kept: the same command goes on from there."
    assert call.cancels == [False]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    """A Hub that has what the puppet needs."""
    monkeypatch.setitem(ENGINES, "puppet", "tests.fakes.puppet_engine")
    with fake_hub(monkeypatch, tmp_path) as running:
        for name in ("fetch", "fetch_sources"):
            monkeypatch.setattr(weights, name, partial(getattr(weights, name), endpoint=running.url))
        running.add("puppets/one", {"config.json": b"{}", "model.safetensors": b"strings" * 1000})
        running.add("maker/rain", {"rain.safetensors": b"drops" * 500_000, "rain-ltx.safetensors": b"", "run.py": b""})
        running.add("maker/hana", {"hana.safetensors": b"a red scarf"})
        spec = find_spec("puppet")
        source = spec.source.model_copy(update={"revision": None}) if spec.source else None
        changed = spec.model_copy(update={"source": source, "takes_loras": True, "licence": Licence(name="None")})
        monkeypatch.setitem(sys.modules["tests.fakes.puppet_engine"].SPECS, "puppet", changed)
        yield running


async def test_weights_come_into_the_folder_here_without_modal(
    hub: FakeHub, fake: FakeWorkspace, terminal: Terminal, tmp_path: Path
) -> None:
    checked = await terminal.run("weights", "puppet", "--here", "--check")
    assert "puppet: 1 MB are to come, " in checked.out
    said = await terminal.run("weights", "puppet", "--here")
    assert (said.code, said.err) == (0, "")
    assert said.out.endswith("puppet: all of it is there.\n")
    assert list((tmp_path / "weights").rglob("model.safetensors"))
    assert "all of it is there" in (await terminal.run("weights", "puppet", "--here", "--check")).out
    # And again there is nothing to bring, and nothing is counted
    loads = len(hub.loads("model.safetensors"))
    assert (await terminal.run("weights", "puppet", "--here")).out.splitlines()[1:] == ["puppet: all of it is there."]
    assert len(hub.loads("model.safetensors")) == loads
    assert fake.asked == []


async def test_loras_come_into_the_folder_here_where_engines_find_them(hub: FakeHub, terminal: Terminal) -> None:
    terminal.studio_file.write_text(SHOW, "utf-8")
    checked = await terminal.run("weights", "puppet", "--here", "--check")
    assert "rain: 3 MB are to come, " in checked.out
    assert "hana: 1 MB are to come, " in checked.out
    assert not list_files(terminal.weights)
    said = await terminal.run("weights", "puppet", "--here")
    assert (said.code, said.err) == (0, "")
    assert "rain: 3 MB of 3 MB\nrain: all of it is there.\n" in said.out
    for source in (RAIN, HANA):
        assert weights.find(source, terminal.weights, engine="puppet").is_file()
    assert list_files(terminal.weights) == {"config.json", "model.safetensors", "rain.safetensors", "hana.safetensors"}


async def test_a_lora_that_is_gone_from_the_hub_is_named(hub: FakeHub, terminal: Terminal) -> None:
    terminal.studio_file.write_text(SHOW, "utf-8")
    del hub.repositories["maker/rain"]
    said = await terminal.run("weights", "puppet", "--here")
    assert said.code == 2
    assert said.err.startswith("maker/rain could not be fetched (there is none, or it is private")
    assert said.err.count("\n") == 1


async def test_where_the_parts_for_engines_are_not_installed_that_is_said() -> None:
    without = (
        "import sys; sys.modules['huggingface_hub'] = None;"
        "from gpu.cloud import __main__ as cloud; sys.exit(cloud.main())"
    )
    told = await python({}, "-c", without, "weights", WAN, "--here")
    assert told.code == 2
    assert "(huggingface_hub). Install it once: make demo RENDERER=local ENGINE=tiny" in told.err
    assert "Traceback" not in told.err


async def test_fetching_on_modal_commits_the_volume_and_leaves_a_mark(
    hub: FakeHub, fake: FakeWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given the function as it runs on Modal
    folder = mount(monkeypatch, tmp_path).weights
    volume = modal.Volume.from_name("sakuga-weights", create_if_missing=True)
    items = modal.Queue.from_name(MODAL_PROGRESS, create_if_missing=True)
    monkeypatch.setattr(app, "weights", volume)
    monkeypatch.setattr(app, "progress", items)
    # When it looks, and then fetches
    survey = await asyncio.to_thread(app.fetch, "puppet", "", check=True)
    assert survey["missing_bytes"] == survey["total_bytes"] > 7000
    assert await asyncio.to_thread(app.fetch, "puppet", "weights-1") == {}
    # Then the weights are there, marked and committed, and it was told how they came
    assert (folder / "fetched" / freight.mark(find_spec("puppet"))).exists()
    assert fake.fetched[-1] == "commit sakuga-weights"
    told = [item async for item in items.iterate.aio(partition="weights-1", item_poll_timeout=0)]
    assert told[-1]["ended"]
    assert told[-2]["arrival"]["done_bytes"] == survey["total_bytes"]
    # And what can't be fetched is an answer too
    hub.repositories.clear()
    mount(monkeypatch, tmp_path / "elsewhere")
    answer = await asyncio.to_thread(app.fetch, "puppet", "weights-2")
    assert answer["error"]["code"] == "weights_unreachable"
    # And whatever else goes wrong
    monkeypatch.setattr(weights, "fetch", lambda *_, **__: 1 / 0)
    answer = await asyncio.to_thread(app.fetch, "puppet", "weights-3")
    assert answer["error"] == {"code": "unexpected", "data": {"reference": "puppet ZeroDivisionError"}}


async def test_a_lora_comes_to_modal_by_itself_and_leaves_a_mark_of_its_own(
    hub: FakeHub, fake: FakeWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = mount(monkeypatch, tmp_path).weights
    monkeypatch.setattr(app, "weights", modal.Volume.from_name("sakuga-weights", create_if_missing=True))
    monkeypatch.setattr(app, "progress", modal.Queue.from_name(MODAL_PROGRESS, create_if_missing=True))
    assert await asyncio.to_thread(app.fetch, "rain", "weights-1", source=RAIN.model_dump()) == {}
    assert list_files(folder) == {"rain.safetensors", freight.mark(Adapter(name="another name", source=RAIN))}
    # Then only what is still away is asked for
    (tmp_path / "studio.toml").write_text(SHOW, "utf-8")
    catalog, puppet = Catalog.read(tmp_path / "studio.toml"), find_spec("puppet")
    there = list_files(folder)
    assert freight.lacking([puppet], catalog, there) == (
        "Not on Modal yet: the weights of puppet, the LoRA of hana. Bring them: python -m sakuga gpu weights puppet"
    )
    there |= {freight.mark(puppet), freight.mark(Adapter(name="hana", source=HANA))}
    assert freight.lacking([puppet], catalog, there) == ""


def list_files(folder: Path) -> set[str]:
    """Return the names of files in snapshots, and of marks."""
    return {path.name for part in ("*/snapshots/*", "fetched") for path in folder.glob(f"{part}/*")}
