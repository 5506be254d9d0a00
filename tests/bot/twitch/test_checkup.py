from pathlib import Path
from typing import Any

import pytest

from bot.twitch.checkup import Check, look
from bot.twitch.scopes import SEATS, wanted
from bot.twitch.tokens import TokenFile
from sakuga.settings import Settings
from tests.fakes.twitch import BOT, CLIENT_ID, STREAMER, FakeTwitch

COMMAND = ".venv/bin/python -m sakuga login twitch"


def given(folder: Path, fake: FakeTwitch, **changes: object) -> Settings:
    plain: dict[str, Any] = {"twitch_api_base": fake.url, "twitch_client_id": CLIENT_ID, "var_dir": folder}
    return Settings(_env_file=None, **(plain | changes))


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFile:
    return TokenFile(Settings.model_construct(var_dir=tmp_path))


def wrong(checks: list[Check]) -> dict[str, tuple[str, str]]:
    """Return what is not in order, with what to do."""
    return {check.check: (check.detail, check.todo) for check in checks if not check.ok}


async def test_two_logins_in_order_pass_every_check(tmp_path: Path, fake: FakeTwitch, tokens: TokenFile) -> None:
    tokens.take(fake.account(BOT, wanted("bot")), "bot")
    tokens.take(fake.account(STREAMER, wanted("channel")), "channel")
    checks = await look(given(tmp_path, fake, twitch_bot="animebot"))
    assert not wrong(checks)
    assert [check.check for check in checks] == [
        "client id",
        "bot login",
        "channel login",
        "twitch",
        "clock",
        "animebot's token",
        "streamer's token",
        "bot scopes",
        "channel scopes",
    ]
    assert not any(check.todo for check in checks)


async def test_nothing_set_up_names_the_first_step_of_each(tmp_path: Path, fake: FakeTwitch) -> None:
    assert wrong(await look(given(tmp_path, fake, twitch_client_id=None))) == {
        "client id": ("SAKUGA_TWITCH_CLIENT_ID is not set", "Register an application: docs/how-to/twitch.md"),
        "bot login": ("nobody is logged in", COMMAND),
        "channel login": ("nobody is logged in", COMMAND),
    }


async def test_another_account_than_the_settings_say_is_named(
    tmp_path: Path, fake: FakeTwitch, tokens: TokenFile
) -> None:
    tokens.take(fake.account(STREAMER), *SEATS)
    assert wrong(await look(given(tmp_path, fake, twitch_bot="animebot"))) == {
        "bot login": (
            "streamer, but SAKUGA_TWITCH_BOT is animebot",
            f"{COMMAND} --as bot, or change SAKUGA_TWITCH_BOT",
        )
    }


async def test_scopes_that_lack_are_named_with_the_command_that_asks_for_them(
    tmp_path: Path, fake: FakeTwitch, tokens: TokenFile
) -> None:
    some = [scope for scope in wanted(*SEATS) if scope != "bits:read"]
    tokens.take(fake.account(STREAMER, some), *SEATS)
    detail = "without bits:read (power-ups that cost bits)"
    assert wrong(await look(given(tmp_path, fake))) == {"channel scopes": (detail, COMMAND)}
    tokens.take(fake.account(BOT), "bot")
    assert wrong(await look(given(tmp_path, fake))) == {"channel scopes": (detail, f"{COMMAND} --as channel")}


async def test_a_token_that_ran_out_is_renewed_and_kept(tmp_path: Path, fake: FakeTwitch, tokens: TokenFile) -> None:
    tokens.take(fake.account(STREAMER), *SEATS)
    fake.expire_tokens()
    checks = await look(given(tmp_path, fake))
    assert not wrong(checks)
    assert "had run out and was renewed" in [check.detail for check in checks]
    assert fake.owner_of[tokens.accounts()["bot"].access_token] == STREAMER


async def test_a_token_that_is_good_is_left_to_the_bot(tmp_path: Path, fake: FakeTwitch, tokens: TokenFile) -> None:
    tokens.take(fake.account(STREAMER), *SEATS)
    fake.expires_in = 60
    await look(given(tmp_path, fake))
    assert fake.refreshes == 0


async def test_a_login_that_lapsed_says_to_log_in_again(tmp_path: Path, fake: FakeTwitch, tokens: TokenFile) -> None:
    tokens.take(fake.account(STREAMER), *SEATS)
    fake.expire_tokens()
    fake.renews.clear()
    [(name, (detail, todo))] = wrong(await look(given(tmp_path, fake))).items()
    assert (name, detail) == ("streamer's token", "is taken no more")
    assert todo.endswith(f"Log in again: {COMMAND}")


async def test_twitch_away_ends_the_look(tmp_path: Path, fake: FakeTwitch, tokens: TokenFile) -> None:
    tokens.take(fake.account(STREAMER), *SEATS)
    settings = given(tmp_path, fake)
    await fake.shut()
    checks = await look(settings)
    assert wrong(checks)["twitch"][0] == "no answer (ClientConnectorError)"
    assert checks[-1].check == "twitch"


@pytest.mark.parametrize("ahead_s", [-120, 120])
async def test_a_clock_that_is_off_is_named(tmp_path: Path, fake: FakeTwitch, ahead_s: float) -> None:
    fake.clock_ahead_s = ahead_s
    detail, todo = wrong(await look(given(tmp_path, fake)))["clock"]
    assert detail in {"119 s off Twitch's", "120 s off Twitch's", "121 s off Twitch's"}
    assert todo == "Have this machine set its clock by the network."


def test_a_check_is_a_line_with_what_to_do_below() -> None:
    assert str(Check("clock", ok=True, detail="agrees")) == "ok  clock           agrees"
    assert str(Check("clock", ok=False, detail="is off", todo="Mend it.")).splitlines() == [
        "no  clock           is off",
        "                    Mend it.",
    ]
