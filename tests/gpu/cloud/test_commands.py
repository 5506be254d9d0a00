"""What a command says when its work is done."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gpu.cloud import commands, freight
from gpu.engines import find_spec
from tests.fakes.modal_deploy import FakeWorkspace
from tests.fakes.terminal import Terminal, at_home, everything

WAN = "wan2.1-t2v-1.3b"


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeWorkspace]:
    async with at_home(FakeWorkspace(everything(fetch=lambda *_, **__: {})), monkeypatch) as workspace:
        yield workspace


@pytest.mark.parametrize("there", [False, True])
async def test_who_fetches_weights_for_the_first_time_is_told_when_to_deploy_again(
    fake: FakeWorkspace, tmp_path: Path, capsys: pytest.CaptureFixture[str], there: bool
) -> None:
    if there:
        fake.volumes["sakuga-weights"][f"fetched/{freight.mark(find_spec(WAN))}"] = b""
    said = await Terminal(tmp_path, capsys).run("weights", WAN)
    assert said.code == 0
    assert (commands.LATE in said.out) is not there
