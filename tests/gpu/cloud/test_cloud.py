"""The commands that people type, against a workspace on loopback where the whole app is deployed."""

import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from grpclib import Status
from modal_proto import api_pb2 as proto

from gpu import app
from gpu.cloud import border, freight
from gpu.engines import find_spec
from tests.fakes.modal_deploy import FakeWorkspace
from tests.fakes.terminal import Terminal, at_home, everything, python

WAN = "wan2.1-t2v-1.3b"
WAN_TAG = "Wan21T2v13b.*"


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeWorkspace]:
    async with at_home(FakeWorkspace(everything()), monkeypatch) as workspace:
        yield workspace


@pytest.fixture
def terminal(fake: FakeWorkspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(tmp_path, capsys)


# Status


async def test_status_tells_what_runs_waits_is_kept_warm_and_has_its_weights(
    fake: FakeWorkspace, terminal: Terminal
) -> None:
    fake.stats[WAN_TAG] = proto.FunctionStats(backlog=3, num_total_tasks=2)
    fake.scaling[f"fu-{WAN_TAG}"].min_containers = 1
    fake.volumes["sakuga-weights"][f"fetched/{freight.mark(find_spec(WAN))}"] = b""
    said = await terminal.run("status")
    assert (said.code, said.err) == (0, "")
    assert said.rows[WAN] == ["yes", "2", "3", "1", "yes"]
    assert said.rows["ltx-video-2b"] == ["yes", "0", "0", "no", "no"]
    assert len(said.rows) == len(app.RENTED) + 1


async def test_status_of_an_empty_workspace_says_how_to_begin(fake: FakeWorkspace, terminal: Terminal) -> None:
    fake.deployed.clear()
    said = await terminal.run("status")
    assert said.code == 0
    assert said.rows[WAN][0] == "no"
    assert "python -m sakuga gpu deploy" in said.out


async def test_weights_of_another_version_do_not_count_as_there(fake: FakeWorkspace, terminal: Terminal) -> None:
    fake.volumes["sakuga-weights"][f"fetched/{WAN}-01234567"] = b""
    assert (await terminal.run("status")).rows[WAN][-1] == "no"


# Warm and cool


async def test_warm_keeps_one_container_of_the_default_engine_and_says_what_that_costs(
    fake: FakeWorkspace, terminal: Terminal
) -> None:
    said = await terminal.run("--offer", "rehearsal", "--offer", "ltx-video-2b", "--offer", WAN, "warm")
    assert said.code == 0
    assert fake.scaling["fu-LtxVideo2b.*"].min_containers == 1
    assert not fake.scaling[f"fu-{WAN_TAG}"].min_containers
    assert "ltx-video-2b is kept warm" in said.out
    assert "2.36 USD an hour" in said.out  # an L40S, four cores and 28 GiB
    assert "gpu cool" in said.out


async def test_a_gpu_of_ones_own_choice_is_warmed_where_the_worker_asks_for_it(
    fake: FakeWorkspace, terminal: Terminal
) -> None:
    await terminal.run("--gpu", "H200", "warm", WAN)
    pools = {
        options.resources.gpu_config.gpu_type: fake.scaling[name].min_containers
        for name, (_, options) in fake.variants.items()
    }
    assert pools == {"H200": 1}
    # And cooling ends both it and what was warmed before that choice
    await terminal.run("warm", WAN)
    await terminal.run("--gpu", "H200", "cool")
    assert {settings.min_containers for settings in fake.scaling.values()} == {0}


async def test_cool_lets_go_of_every_engine_that_was_kept_warm(fake: FakeWorkspace, terminal: Terminal) -> None:
    await terminal.run("warm", WAN)
    await terminal.run("warm", "mochi-1")
    said = await terminal.run("cool")
    assert said.code == 0
    assert {settings.min_containers for settings in fake.scaling.values()} == {0}
    assert "goes 60 s after its last clip" in said.out


async def test_cool_takes_one_engine_by_name(fake: FakeWorkspace, terminal: Terminal) -> None:
    await terminal.run("warm", WAN)
    await terminal.run("warm", "mochi-1")
    await terminal.run("cool", "mochi-1")
    assert (fake.scaling[f"fu-{WAN_TAG}"].min_containers, fake.scaling["fu-Mochi1.*"].min_containers) == (1, 0)


# Logs and the bill


async def test_logs_are_the_last_lines_with_their_times(fake: FakeWorkspace, terminal: Terminal) -> None:
    fake.lines = [f"render.ended job={number}" for number in range(9)]
    said = await terminal.run("logs", "-n", "2")
    assert said.code == 0
    assert [line.split("  ")[1] for line in said.out.splitlines()] == ["render.ended job=7", "render.ended job=8"]


async def test_an_empty_log_says_so(fake: FakeWorkspace, terminal: Terminal) -> None:
    assert (await terminal.run("logs")).out == "Nothing has been logged yet.\n"


async def test_the_bill_is_of_this_app_day_by_day(fake: FakeWorkspace, terminal: Terminal) -> None:
    fake.bill = {9: "5", 2: "1.50", 1: "0.25"}
    said = await terminal.run("cost", "--days", "3")
    assert said.code == 0
    amounts = [line.split()[-2] for line in said.out.splitlines() if line.startswith("  ")]
    assert amounts == ["1.50", "0.25", "1.75"]
    assert "This month, everything in the workspace: 106.75 USD, billed 76.75 USD." in said.out
    assert "H100 0.001097" in said.out


@pytest.mark.parametrize("status", [Status.PERMISSION_DENIED, Status.UNIMPLEMENTED, Status.FAILED_PRECONDITION])
async def test_a_plan_without_reports_is_told_of_kindly(
    fake: FakeWorkspace, terminal: Terminal, status: Status
) -> None:
    fake.troubles = {"WorkspaceBillingReport": (status, "upgrade"), "WorkspaceBillingSummary": (status, "upgrade")}
    said = await terminal.run("cost")
    assert said.code == 0
    assert "no report per app on this plan" in said.out
    assert "USD per second" in said.out


# Trouble


async def test_modal_that_does_not_answer_is_told_within_seconds(
    fake: FakeWorkspace, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(border, "PATIENCE_S", 0.5)
    fake.silent = True
    began = time.monotonic()
    said = await terminal.run("status")
    assert time.monotonic() - began < 5
    assert said.code == 2
    assert said.err.startswith("Modal did not do that: it can't be reached")
    # And somebody at a terminal knows what is waited for
    monkeypatch.setattr(border, "SILENT_S", 0.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert (await terminal.run("status")).err.startswith("Asking Modal, for up to 0.5 s …\nModal did not do that")


async def test_a_server_that_is_gone_is_told_within_seconds_and_the_command_ends() -> None:
    async with FakeWorkspace() as fake:
        await fake.stop()
    impatient = (
        "import sys; from gpu.cloud import __main__ as cloud, border;"
        "border.PATIENCE_S = 1; sys.exit(cloud.main(['status']))"
    )
    began = time.monotonic()
    told = await python(fake.environ, "-c", impatient)
    assert (told.code, told.out) == (2, "")
    assert "can't be reached" in told.err
    assert "Traceback" not in told.err
    assert time.monotonic() - began < 40  # and not after the 56 s that the client itself would try


@pytest.mark.parametrize(
    ("trouble", "code", "words"),
    [
        ((Status.UNAUTHENTICATED, "Token ak-secret is bad"), 2, "MODAL_TOKEN_ID"),
        ((Status.RESOURCE_EXHAUSTED, "Spending limit reached. Raise it."), 1, "Spending limit reached"),
        ((Status.PERMISSION_DENIED, "not yours"), 2, "the token may not do it"),
        ((Status.INTERNAL, "oh no"), 2, "oh no (InternalError). Try again"),
        ((Status.UNAVAILABLE, "down"), 2, "can't be reached"),
    ],
    ids=["token", "quota", "rights", "broken", "away"],
)
async def test_what_modal_refuses_is_a_sentence_and_an_exit_code(
    fake: FakeWorkspace, terminal: Terminal, trouble: tuple[Status, str], code: int, words: str
) -> None:
    fake.troubles["*"] = trouble
    said = await terminal.run("warm")
    assert said.code == code
    assert words in said.err
    assert "ak-secret" not in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("words", [["warm"], ["cool"], ["cool", WAN], ["logs"], ["weights", WAN]])
async def test_what_needs_the_app_says_that_it_is_not_deployed(
    fake: FakeWorkspace, terminal: Terminal, words: list[str]
) -> None:
    fake.deployed.clear()
    said = await terminal.run(*words)
    assert said.code == 2
    assert "python -m sakuga gpu deploy" in said.err


@pytest.mark.parametrize(
    "words", [["warm", "vhs"], ["cool", "vhs"], ["weights", "rehearsal"], ["weights", "tiny", "--here"]], ids=" ".join
)
async def test_an_engine_that_cannot_be_had_is_told_which_ones_can(
    fake: FakeWorkspace, terminal: Terminal, words: list[str]
) -> None:
    said = await terminal.run(*words)
    assert said.code == 2
    assert WAN in said.err
    assert fake.asked == []  # nobody has to be asked to know it


@pytest.mark.parametrize(
    "words",
    [["deploy", "--nightly", "every day"], ["logs", "-n", "-3"], ["cost", "--days", "0"], ["logs", "-n", "²"]],
    ids=" ".join,
)
async def test_a_number_or_a_time_that_is_none_is_told_what_is_needed(words: list[str]) -> None:
    told = await python({}, "-m", "sakuga", "gpu", *words)
    assert told.code == 2
    assert told.err.startswith(f"usage: python -m sakuga gpu {words[0]} ")
    assert "needed" in told.err


async def test_a_night_without_heroes_is_refused_before_anything_is_built(
    fake: FakeWorkspace, terminal: Terminal
) -> None:
    said = await terminal.run("deploy", "--nightly")
    assert said.code == 2
    assert "[hero]\nprompts = [" in said.err
    assert fake.asked == ["ClientHello"]


async def test_a_studio_file_that_can_not_be_read_stops_what_needs_it_and_nothing_else(fake: FakeWorkspace) -> None:
    for words, code in ((["deploy"], 2), (["weights", WAN], 2), (["cool"], 0)):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "studio.toml").write_text("[hero]\npromts = ['a tram']\n", "utf-8")
            settings = {"SAKUGA_STUDIO_FILE": f"{folder}/studio.toml"}
            told = await python(fake.environ | settings, "-m", "sakuga", "gpu", *words)
        assert told.code == code
        assert ("hero.promts: there is no such key" in told.err) == bool(code)
        assert "Traceback" not in told.err
    assert "AppCreate" not in fake.asked


async def test_a_studio_without_a_token_is_told_how_to_get_one(fake: FakeWorkspace) -> None:
    told = await python(
        fake.environ | {"MODAL_TOKEN_ID": "", "MODAL_TOKEN_SECRET": ""}, "-m", "sakuga", "gpu", "status"
    )
    assert (told.code, told.out) == (2, "")
    assert told.err.startswith("The token for Modal can't be used: there is none. ")
    assert ".venv/bin/modal setup" in told.err
    assert told.err.count("\n") == 1


async def test_a_secret_that_is_not_there_is_named(fake: FakeWorkspace) -> None:
    told = await python(fake.environ, "-m", "sakuga", "gpu", "deploy", "--secret", "hug")
    assert told.code == 2
    assert "no secret 'hug'. Make it: .venv/bin/modal secret create hug HF_TOKEN=" in told.err
    assert "Traceback" not in told.err


async def test_the_studio_hands_its_settings_over(fake: FakeWorkspace) -> None:
    settings = {"SAKUGA_MODAL_APP": "another", "SAKUGA_ENGINES": "mochi-1", "SAKUGA_MODAL_GPU": "B200"}
    fake.app = "another"
    told = await python(fake.environ | settings, "-m", "sakuga", "gpu", "warm")
    assert (told.code, told.err) == (0, "")
    assert "mochi-1 is kept warm" in told.out
    ((base, options),) = fake.variants.values()
    assert (base, options.resources.gpu_config.gpu_type) == ("fu-Mochi1.*", "B200")


async def test_the_studio_file_is_the_one_of_the_settings(fake: FakeWorkspace, tmp_path: Path) -> None:
    lora = "{file = 'rain.safetensors', repository = 'maker/rain'}"
    (tmp_path / "show.toml").write_text(f"style = 'rain'\n[styles.rain]\ntitle = 'Rain'\nloras = [{lora}]\n", "utf-8")
    fake.deployed["fetch"] = lambda _, name, *__, **___: {"name": name, "total_bytes": 9, "missing_bytes": 9}
    settings = {"SAKUGA_STUDIO_FILE": str(tmp_path / "show.toml")}
    told = await python(fake.environ | settings, "-m", "sakuga", "gpu", "weights", WAN, "--check")
    assert (told.code, told.err) == (0, "")
    assert told.out.endswith("rain: 1 MB are to come\n")


async def test_nothing_heavy_is_read_before_a_command_can_be_stopped_in_peace() -> None:
    told = await python(
        {}, "-c", "import gpu.cloud.__main__, sys; print({'modal', 'av', 'pydantic'} & set(sys.modules))"
    )
    assert (told.out, told.err) == ("set()\n", "")
