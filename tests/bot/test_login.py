"""`python -m sakuga login`, as people type it."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.twitch.tokens import TokenFile
from sakuga.settings import Settings
from tests.fakes.twitch import CLIENT_ID, JO, STREAMER, FakeTwitch

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def twitch() -> AsyncIterator[FakeTwitch]:
    async with FakeTwitch() as fake:
        yield fake


class Shell:
    """Types commands, with settings of its own."""

    def __init__(self, folder: Path, **settings: object) -> None:
        inherited = Settings.model_construct().environ()
        plain = {name: value for name, value in inherited.items() if not name.startswith("SAKUGA_")}
        self.folder, self.settings = folder, {"var_dir": folder / "var", **settings}
        self._environ = {**plain, "PYTHONPATH": str(ROOT)}

    async def begin(self, *words: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *words),
            cwd=self.folder,
            env={**self._environ, **Settings.model_construct().as_environ(**self.settings)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def type(self, *words: str) -> tuple[int | None, str, str]:
        """Return exit code, output and errors."""
        return await self.end(await self.begin(*words))

    async def end(self, process: asyncio.subprocess.Process) -> tuple[int | None, str, str]:
        async with asyncio.timeout(40):
            said, wrong = await process.communicate()
        return process.returncode, said.decode(), wrong.decode()


@pytest.fixture
def shell(tmp_path: Path, twitch: FakeTwitch) -> Shell:
    return Shell(tmp_path, twitch_client_id=CLIENT_ID, twitch_api_base=twitch.url)


async def test_a_streamer_logs_in_by_a_code_and_nothing_secret_is_printed(
    shell: Shell, twitch: FakeTwitch, tmp_path: Path
) -> None:
    process = await shell.begin("sakuga", "login", "twitch")
    await twitch.enter(STREAMER)
    code, said, wrong = await shell.end(process)
    assert (code, wrong) == (0, "")
    assert "streamer is logged in as bot and channel" in said
    account = TokenFile(Settings.model_construct(var_dir=tmp_path / "var")).accounts()["channel"]
    assert account.login == "streamer"
    assert account.access_token not in said
    assert account.refresh_token not in said
    assert (await shell.type("sakuga", "login", "twitch", "--status"))[0] == 0


async def test_what_can_be_mended_is_a_sentence_and_ends_with_2(shell: Shell, twitch: FakeTwitch) -> None:
    shell.settings["twitch_channel"] = "streamer"
    process = await shell.begin("sakuga", "login", "twitch", "--as", "channel")
    await twitch.enter(JO)
    code, _, wrong = await shell.end(process)
    assert code == 2
    assert wrong.startswith("jo logged in, but SAKUGA_TWITCH_CHANNEL says streamer.")
    assert wrong.count("\n") == 1


async def test_ctrl_c_ends_the_wait_without_a_traceback(shell: Shell, twitch: FakeTwitch) -> None:
    process = await shell.begin("bot.login", "twitch")
    await twitch.wait_for(lambda: twitch.polls)
    process.send_signal(signal.SIGINT)
    code, _, wrong = await shell.end(process)
    assert (code, wrong) == (130, "")


async def test_the_check_is_told_as_json_and_by_its_exit_code(shell: Shell, twitch: FakeTwitch) -> None:
    code, said, wrong = await shell.type("bot.login", "--check", "--json")
    assert (code, wrong) == (1, "")
    checks = {check["check"]: check for check in json.loads(said)}
    assert checks["client id"]["ok"] is True
    assert checks["bot login"] == {
        "check": "bot login",
        "ok": False,
        "detail": "nobody is logged in",
        "todo": ".venv/bin/python -m sakuga login twitch",
    }
    twitch.settings(shell.folder / "var")
    assert (await shell.type("bot.login", "--check"))[0] == 0


async def test_a_platform_that_there_is_not_is_told_what_there_is(shell: Shell) -> None:
    code, _, wrong = await shell.type("sakuga", "login", "myspace")
    assert code == 2
    assert "twitch" in wrong


async def test_help_after_the_platform_lists_the_options(shell: Shell) -> None:
    code, said, _ = await shell.type("sakuga", "login", "twitch", "--help")
    assert code == 0
    assert all(option in said for option in ("--as", "--status", "--forget"))
