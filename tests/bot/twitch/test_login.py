"""The device code flow, end to end: the real client against FakeTwitch over sockets."""

import asyncio
import re
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from bot.login import parser
from bot.twitch.login import run
from bot.twitch.scopes import wanted
from bot.twitch.tokens import TokenFile
from sakuga.errors import (
    ClientIdMissing,
    LoginDeclined,
    LoginDivided,
    LoginExpired,
    LoginMismatched,
    LoginRefused,
    LoginUnreachable,
    StudioError,
)
from sakuga.settings import Settings
from tests.fakes.twitch import BOT, CLIENT_ID, CLIENT_SECRET, JO, STREAMER, FakeTwitch


class Terminal:
    """`python -m sakuga login twitch`, with what it said."""

    def __init__(self, folder: Path, fake: FakeTwitch) -> None:
        self.given: dict[str, Any] = {"twitch_client_id": CLIENT_ID, "twitch_api_base": fake.url, "var_dir": folder}
        self.said = ""

    @property
    def tokens(self) -> TokenFile:
        return TokenFile(Settings(_env_file=None, **self.given))

    def say(self, line: str) -> None:
        self.said += line + "\n"

    async def types(self, *words: str) -> int:
        asked: Namespace = parser().parse_args(["twitch", *words])
        async with asyncio.timeout(20):
            return await run(Settings(_env_file=None, **self.given), asked, self.say)


@pytest.fixture
def terminal(tmp_path: Path, fake: FakeTwitch) -> Terminal:
    return Terminal(tmp_path, fake)


async def test_one_login_without_a_secret_makes_an_account_bot_and_channel(
    terminal: Terminal, fake: FakeTwitch
) -> None:
    typing = asyncio.create_task(terminal.types())
    await fake.wait_for(lambda: fake.polls > 2)  # nobody has entered the code yet
    await fake.enter(STREAMER)
    assert await typing == 0

    account = terminal.tokens.accounts()["bot"]
    assert account == terminal.tokens.accounts()["channel"]
    assert (account.user_id, account.login) == (STREAMER, "streamer")
    assert sorted(account.scopes) == sorted(wanted("bot", "channel"))
    assert fake.owner_of[account.access_token] == STREAMER
    assert fake.renews[account.refresh_token] == STREAMER
    assert terminal.tokens.path.stat().st_mode & 0o777 == 0o600
    [code] = re.findall(r"confirm +(\w{8}) ", terminal.said)
    assert f"open      {fake.url}/activate?device-code={code}" in terminal.said
    assert "good for 30 minutes" in terminal.said
    assert "streamer is logged in as bot and channel" in terminal.said
    assert "refresh-" not in terminal.said
    assert "access-" not in terminal.said


async def test_two_accounts_log_in_one_by_one_with_their_own_scopes(terminal: Terminal, fake: FakeTwitch) -> None:
    for seat, user_id in (("bot", BOT), ("channel", STREAMER)):
        typing = asyncio.create_task(terminal.types("--as", seat))
        await fake.enter(user_id)
        assert await typing == 0
        fake.codes.clear()
    accounts = terminal.tokens.accounts()
    assert (accounts["bot"].login, accounts["channel"].login) == ("animebot", "streamer")
    assert sorted(accounts["bot"].scopes) == sorted(wanted("bot"))
    assert sorted(accounts["channel"].scopes) == sorted(wanted("channel"))


async def test_where_the_settings_name_two_accounts_one_command_asks_for_both(
    terminal: Terminal, fake: FakeTwitch
) -> None:
    terminal.given |= {"twitch_bot": "@AnimeBot", "twitch_channel": "streamer"}
    typing = asyncio.create_task(terminal.types())
    await fake.enter(BOT)
    await fake.wait_for(lambda: len(fake.codes) == 2)
    await fake.enter(STREAMER)
    assert await typing == 0
    assert re.findall(r"be +(\w+)\n", terminal.said) == ["animebot", "streamer"]
    assert set(terminal.tokens.accounts()) == {"bot", "channel"}


async def test_the_account_that_is_expected_is_shown_and_another_one_is_refused_and_given_back(
    terminal: Terminal, fake: FakeTwitch
) -> None:
    terminal.given["twitch_channel"] = "streamer"
    typing = asyncio.create_task(terminal.types())
    await fake.enter(JO)
    with pytest.raises(LoginMismatched) as caught:
        await typing
    assert str(caught.value) == (
        "jo logged in, but SAKUGA_TWITCH_CHANNEL says streamer. Nothing was kept. In the browser, log in to Twitch as "
        "streamer and run the command again, or change SAKUGA_TWITCH_CHANNEL."
    )
    assert re.search(r"be +streamer\n", terminal.said)
    assert not terminal.tokens.accounts()
    assert not fake.owner_of  # Twitch forgot it too


async def test_one_account_by_two_logins_is_refused_and_told_the_one_that_does(
    terminal: Terminal, fake: FakeTwitch
) -> None:
    terminal.tokens.take(fake.account(STREAMER, wanted("bot")), "bot")
    typing = asyncio.create_task(terminal.types("--as", "channel"))
    await fake.enter(STREAMER)
    with pytest.raises(LoginDivided, match=r"logged in as the bot.*login twitch without --as"):
        await typing
    assert set(terminal.tokens.accounts()) == {"bot"}


async def test_a_scope_that_was_not_granted_is_named_with_what_is_off(terminal: Terminal, fake: FakeTwitch) -> None:
    typing = asyncio.create_task(terminal.types())
    await fake.enter(STREAMER, without="channel:manage:redemptions")
    assert await typing == 0
    assert "Twitch did not grant channel:manage:redemptions (channel points)" in terminal.said
    await terminal.types("--status")
    assert "bot      streamer, with all that is asked for\n" in terminal.said
    assert "channel  streamer, without channel:manage:redemptions (channel points)\n" in terminal.said


@pytest.mark.parametrize(
    ("how", "error"),
    [("access_denied", LoginDeclined), ("invalid device code", LoginExpired), ("expired_token", LoginExpired)],
)
async def test_a_code_that_comes_to_nothing_ends_with_a_sentence(
    terminal: Terminal, fake: FakeTwitch, how: str, error: type[StudioError]
) -> None:
    typing = asyncio.create_task(terminal.types())
    await fake.end_code(how)
    with pytest.raises(error):
        await typing
    assert not terminal.tokens.accounts()


async def test_a_code_that_nobody_enters_runs_out(terminal: Terminal, fake: FakeTwitch) -> None:
    fake.code_good_for_s = 0.2
    with pytest.raises(LoginExpired):
        await terminal.types()


async def test_slow_down_and_a_twitch_that_is_away_do_not_end_a_login(
    terminal: Terminal, fake: FakeTwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.twitch.identity.SLOWER_S", 0.2)
    fake.next_polls = ["slow_down", 500]
    typing = asyncio.create_task(terminal.types())
    await fake.wait_for(lambda: fake.polls == 1)
    at = asyncio.get_running_loop().time()
    await fake.wait_for(lambda: fake.polls == 2)
    assert asyncio.get_running_loop().time() - at >= 0.19
    await fake.shut()
    await fake.open()
    await fake.enter(STREAMER)
    assert await typing == 0


async def test_without_a_client_id_it_says_where_one_comes_from(terminal: Terminal) -> None:
    terminal.given["twitch_client_id"] = None
    with pytest.raises(ClientIdMissing, match=r"SAKUGA_TWITCH_CLIENT_ID is not set. docs/how-to/twitch.md says"):
        await terminal.types()


async def test_an_application_that_twitch_does_not_know_is_named(terminal: Terminal) -> None:
    terminal.given["twitch_client_id"] = "mistyped"
    with pytest.raises(LoginRefused, match=r"Twitch refused: invalid client. Compare SAKUGA_TWITCH_CLIENT_ID"):
        await terminal.types()


async def test_a_confidential_application_says_at_once_that_it_needs_its_secret(
    terminal: Terminal, fake: FakeTwitch
) -> None:
    fake.confidential = True
    typing = asyncio.create_task(terminal.types())
    await fake.enter(STREAMER)
    with pytest.raises(LoginRefused, match=r"missing client secret. Compare SAKUGA_TWITCH_CLIENT_SECRET"):
        await typing
    terminal.given["twitch_client_secret"] = CLIENT_SECRET
    fake.codes.clear()
    typing = asyncio.create_task(terminal.types())
    await fake.enter(STREAMER)
    assert await typing == 0


async def test_twitch_away_is_a_sentence(terminal: Terminal, fake: FakeTwitch) -> None:
    await fake.shut()
    with pytest.raises(LoginUnreachable, match=r"Twitch is not answering \(ClientConnectorError\)"):
        await terminal.types()


async def test_a_new_login_takes_the_place_of_the_old(terminal: Terminal, fake: FakeTwitch) -> None:
    terminal.tokens.take(fake.account(JO), "bot", "channel")
    typing = asyncio.create_task(terminal.types("--as", "bot"))
    await fake.enter(BOT)
    assert await typing == 0
    assert {seat: account.login for seat, account in terminal.tokens.accounts().items()} == {
        "bot": "animebot",
        "channel": "jo",
    }


async def test_forgetting_forgets_here_and_at_twitch(terminal: Terminal, fake: FakeTwitch) -> None:
    assert await terminal.types("--forget") == 0
    assert terminal.said == "No account was forgotten.\n"
    terminal.tokens.take(fake.account(BOT), "bot")
    terminal.tokens.take(fake.account(STREAMER), "channel")
    assert await terminal.types("--forget", "--as", "bot") == 0
    assert set(terminal.tokens.accounts()) == {"channel"}
    assert set(fake.owner_of.values()) == {STREAMER}
    await fake.shut()
    assert await terminal.types("--forget") == 0
    assert not terminal.tokens.accounts()
    assert terminal.said.endswith("Forgotten: animebot.\nForgotten: streamer.\n")


async def test_the_status_names_the_empty_seats_without_asking_twitch(terminal: Terminal, fake: FakeTwitch) -> None:
    await fake.shut()
    assert await terminal.types("--status") == 1
    nobody = "nobody. To log in: .venv/bin/python -m sakuga login twitch"
    assert terminal.said == f"bot      {nobody}\nchannel  {nobody}\n"
