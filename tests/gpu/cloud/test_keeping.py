"""A GPU that is kept warm for a studio that has gone since, and the app that lets go of it."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import modal
import pytest
from grpclib import Status

from gpu import app
from gpu.cloud import keeping
from sakuga.engine import MODAL_KEPT, Kept
from tests.fakes.modal_deploy import FakeWorkspace
from tests.fakes.terminal import Terminal, at_home, everything

WAN, LTX = "Wan21T2v13b", "LtxVideo2b"
HOUR = 3600


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeWorkspace]:
    async with at_home(FakeWorkspace(everything()), monkeypatch) as workspace:
        monkeypatch.setattr(app, "kept", modal.Dict.from_name(MODAL_KEPT, create_if_missing=True))
        yield workspace


@pytest.fixture
def terminal(fake: FakeWorkspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(tmp_path, capsys)


async def keep(fake: FakeWorkspace, name: str, *, for_s: float, gpu: str | None = None) -> Kept:
    """Keep a container as a worker does, and write down for how long."""
    kept = Kept(app=fake.app, class_name=name, gpu=gpu, until=time.time() + for_s)
    await keeping.write_down(await modal.Client.from_env.aio(), kept)
    found = modal.Cls.from_name(fake.app, name)
    await (found.with_options(gpu=gpu) if gpu else found)().render.autoscaler.update.aio(min_containers=1)
    return kept


def warm(fake: FakeWorkspace) -> int:
    return sum(settings.min_containers for settings in fake.scaling.values())


async def test_what_nobody_renewed_is_let_go_of_and_what_somebody_did_is_not(fake: FakeWorkspace) -> None:
    await keep(fake, WAN, for_s=-1)
    await keep(fake, LTX, for_s=HOUR)
    assert await asyncio.to_thread(app.let_go) == 1
    assert fake.scaling[f"fu-{WAN}.*"].min_containers == 0
    assert fake.scaling[f"fu-{LTX}.*"].min_containers == 1
    assert [entry["class_name"] for entry in fake.kept(MODAL_KEPT).values()] == [LTX]


async def test_a_gpu_of_ones_own_choice_is_let_go_of_where_it_is(fake: FakeWorkspace) -> None:
    await keep(fake, WAN, for_s=-1, gpu="H200")
    assert warm(fake) == 1
    assert await asyncio.to_thread(app.let_go) == 1
    assert warm(fake) == 0
    assert [base for base, _ in fake.variants.values()] == [f"fu-{WAN}.*"]


async def test_what_modal_does_not_let_go_of_is_tried_again(fake: FakeWorkspace) -> None:
    await keep(fake, WAN, for_s=-1)
    fake.troubles["FunctionUpdateSchedulingParams"] = (Status.INTERNAL, "not now")
    assert await asyncio.to_thread(app.let_go) == 0
    fake.troubles.clear()
    assert await asyncio.to_thread(app.let_go) == 1
    assert warm(fake) == 0


async def test_an_app_that_was_taken_down_and_an_entry_that_is_none_are_forgotten(fake: FakeWorkspace) -> None:
    await keep(fake, WAN, for_s=-1)
    await modal.Dict.from_name(MODAL_KEPT).put.aio("odd", 7)
    fake.deployed.clear()
    await asyncio.to_thread(app.let_go)
    assert fake.kept(MODAL_KEPT) == {}


async def test_what_is_warmed_by_hand_ends_by_itself_too(
    fake: FakeWorkspace, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = await terminal.run("warm", "wan2.1-t2v-1.3b")
    assert "It ends by itself after 8 hours." in said.out
    assert (await asyncio.to_thread(app.let_go), warm(fake)) == (0, 1)
    in_a_while = time.time() + keeping.BY_HAND_S + 1
    monkeypatch.setattr(time, "time", lambda: in_a_while)
    assert (await asyncio.to_thread(app.let_go), warm(fake)) == (1, 0)


async def test_nothing_is_kept_that_could_not_be_written_down(fake: FakeWorkspace, terminal: Terminal) -> None:
    fake.troubles["DictUpdate"] = (Status.INTERNAL, "dicts are out")
    assert (await terminal.run("warm", "wan2.1-t2v-1.3b")).code
    assert warm(fake) == 0
