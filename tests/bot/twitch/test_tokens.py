import asyncio
import multiprocessing
import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.twitch import tokens as room
from bot.twitch.tokens import Account, TokenFile
from sakuga.settings import Settings

ONE = Account("1", "streamer", ("user:read:chat", "bits:read"), "access-1", "refresh-1")
TWO = Account("2", "animebot", ("user:read:chat",), "access-2", "refresh-2")


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFile:
    return token_file(tmp_path)


def token_file(folder: Path) -> TokenFile:
    return TokenFile(Settings.model_construct(var_dir=folder / "var"))


def test_nobody_is_logged_in_at_first(tokens: TokenFile) -> None:
    assert tokens.accounts() == {}
    assert tokens.of("1") is None
    assert not tokens.path.parent.exists()


def test_two_accounts_take_a_seat_each_and_are_there_after_a_restart(tokens: TokenFile, tmp_path: Path) -> None:
    tokens.take(ONE, "channel")
    tokens.take(TWO, "bot")
    assert token_file(tmp_path).accounts() == {"bot": TWO, "channel": ONE}


def test_one_account_for_both_is_kept_once_and_renewed_for_both(tokens: TokenFile) -> None:
    tokens.take(ONE, "bot", "channel")
    tokens.renew("1", "access-new", "refresh-new")
    renewed = Account("1", "streamer", ONE.scopes, "access-new", "refresh-new")
    assert tokens.accounts() == {"bot": renewed, "channel": renewed}
    assert tokens.path.read_text().count("access-new") == 1
    assert "access-1" not in tokens.path.read_text()


def test_an_account_without_a_seat_is_kept_no_more(tokens: TokenFile) -> None:
    tokens.take(ONE, "bot", "channel")
    tokens.take(TWO, "bot")
    assert tokens.forget("channel") == [ONE]
    assert tokens.accounts() == {"bot": TWO}
    assert "refresh-1" not in tokens.path.read_text()
    assert tokens.forget("bot", "channel") == [TWO]
    assert tokens.accounts() == {}


def test_a_pair_for_somebody_who_was_forgotten_is_not_kept(tokens: TokenFile) -> None:
    tokens.take(ONE, "bot")
    tokens.renew("2", "access-2", "refresh-2")
    assert tokens.accounts() == {"bot": ONE}


def test_the_file_is_for_its_owner_only_even_where_a_wider_one_lay(tokens: TokenFile) -> None:
    tokens.path.parent.mkdir()
    tokens.path.write_text("{}")
    tokens.path.chmod(0o644)
    with capture_logs():
        tokens.take(ONE, "bot")
    assert tokens.path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tokens.path.parent.iterdir()] == ["twitch-tokens.json"]


def test_a_leftover_of_a_crash_is_no_obstacle(tokens: TokenFile) -> None:
    tokens.path.parent.mkdir()
    tokens.path.with_suffix(".new").write_text('{"access_')
    tokens.take(ONE, "bot")
    assert tokens.accounts() == {"bot": ONE}


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        '{"accounts": [{}], "seats": {}}',
        '{"access_token": "from-an-earlier-version", "refresh_token": "secret"}',
    ],
)
def test_a_file_that_nobody_can_read_is_named_and_taken_for_none(tokens: TokenFile, text: str) -> None:
    tokens.path.parent.mkdir()
    tokens.path.write_text(text)
    with capture_logs() as logs:
        assert tokens.accounts() == {}
    assert [line["event"] for line in logs] == ["tokens.unreadable"]
    assert "secret" not in str(logs)


def test_tokens_do_not_show_when_an_account_is_printed() -> None:
    assert "access-1" not in repr(ONE)
    assert "refresh-1" not in repr(ONE)


def _renew(folder: Path, user_id: str, times: int) -> None:
    tokens = token_file(folder)
    for number in range(times):
        tokens.renew(user_id, f"access-{user_id}-{number}", f"refresh-{user_id}-{number}")


def test_two_processes_that_renew_at_a_time_lose_no_pair(tokens: TokenFile, tmp_path: Path) -> None:
    tokens.take(ONE, "channel")
    tokens.take(TWO, "bot")
    processes = [
        multiprocessing.get_context("spawn").Process(target=_renew, args=(tmp_path, user_id, 40))
        for user_id in ("1", "2")
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(40)
    kept = tokens.accounts()
    assert (kept["channel"].refresh_token, kept["bot"].refresh_token) == ("refresh-1-39", "refresh-2-39")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "LOOK_EVERY_S", 0.005)


@pytest.mark.usefixtures("quick")
async def test_a_login_by_another_process_is_noticed(tokens: TokenFile, tmp_path: Path) -> None:
    assert not tokens.accounts()
    noticing = asyncio.create_task(tokens.changed())
    await asyncio.sleep(0.02)
    assert not noticing.done()
    token_file(tmp_path).take(ONE, "bot")
    async with asyncio.timeout(5):
        await noticing


@pytest.mark.usefixtures("quick")
async def test_what_was_written_here_is_no_change_but_what_came_between_is(tokens: TokenFile, tmp_path: Path) -> None:
    tokens.take(ONE, "bot")
    assert tokens.accounts()
    tokens.renew("1", "access-new", "refresh-new")
    noticing = asyncio.create_task(tokens.changed())
    await asyncio.sleep(0.02)
    assert not noticing.done()
    noticing.cancel()
    token_file(tmp_path).take(TWO, "channel")
    tokens.renew("1", "access-newer", "refresh-newer")  # before anybody looked
    async with asyncio.timeout(5):
        await tokens.changed()
    assert set(tokens.accounts()) == {"bot", "channel"}


def test_what_a_login_lacks_is_said_once(tokens: TokenFile) -> None:
    with capture_logs() as logs:
        tokens.tell_once(["bits:read"])
        tokens.tell_once(["bits:read"])
        tokens.tell_once([])
        tokens.tell_once(["bits:read"])
    assert [line["missing"] for line in logs] == ["bits:read (power-ups that cost bits)"] * 2


def test_on_a_full_disk_the_new_pair_is_used_until_it_can_be_kept_or_somebody_logs_in_anew(
    tokens: TokenFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens.take(ONE, "bot")
    tokens.take(TWO, "channel")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with capture_logs() as logs:
            tokens.renew("1", "access-new", "refresh-new")
            tokens.renew("1", "access-newer", "refresh-newer")
    assert [line["event"] for line in logs] == ["token.unsaved"] * 2
    newer = Account("1", "streamer", ONE.scopes, "access-newer", "refresh-newer")
    assert tokens.accounts() == {"bot": newer, "channel": TWO}
    assert token_file(tmp_path).accounts() == {"bot": ONE, "channel": TWO}
    tokens.renew("2", "access-2b", "refresh-2b")
    assert token_file(tmp_path).accounts()["bot"] == newer
    again = Account("1", "streamer", ONE.scopes, "access-again", "refresh-again")
    token_file(tmp_path).take(again, "bot")
    assert tokens.accounts()["bot"] == again
