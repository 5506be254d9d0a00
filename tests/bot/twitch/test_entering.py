"""Chat logs in with what the token file has, and keeps what Twitch renews before it is used."""

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import twitchio
from aiohttp import web
from structlog.testing import capture_logs

from bot.line import Line
from bot.news import News
from bot.outbox import Delivery
from bot.twitch import chat as room
from bot.twitch.chat import Chat, missing
from bot.twitch.points import Points
from bot.twitch.scopes import MODERATE, READ_BITS, READ_CHAT, REDEMPTIONS, SEATS, WRITE_CHAT, wanted
from bot.twitch.tokens import TokenFile
from sakuga.errors import LoginUnreachable, PointsUnreachable
from sakuga.settings import Settings
from tests.fakes.twitch import BOT, CLIENT_ID, STREAMER, FakeTwitch

Enter = Callable[..., Chat]


class Forgetful:
    def heard(self, _: str) -> bool:
        return False


def given(folder: Path, fake: FakeTwitch, **changes: object) -> Settings:
    """Return the settings of a public client; nobody is logged in."""
    plain: dict[str, Any] = {"twitch_api_base": fake.url, "twitch_client_id": CLIENT_ID, "var_dir": folder}
    return Settings(_env_file=None, **(plain | changes))


@pytest.fixture
def new_chat(tmp_path: Path, fake: FakeTwitch, session: aiohttp.ClientSession) -> Enter:
    def new(*, heard: list[News] | None = None, **changes: object) -> Chat:
        settings, news = given(tmp_path, fake, **changes), [] if heard is None else heard
        return Chat(settings, session=session, tokens=TokenFile(settings), memory=Forgetful(), hear=news.append)

    return new


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFile:
    return TokenFile(Settings.model_construct(var_dir=tmp_path))


def seat_both(tokens: TokenFile, fake: FakeTwitch) -> None:
    tokens.take(fake.account(BOT, wanted("bot")), "bot")
    tokens.take(fake.account(STREAMER, wanted("channel")), "channel")


def test_what_a_login_needs_is_named(tmp_path: Path, fake: FakeTwitch, tokens: TokenFile) -> None:
    empty = Settings(_env_file=None, var_dir=tmp_path)
    assert missing(empty, tokens) == ["SAKUGA_TWITCH_CLIENT_ID", "a login of the bot", "a login of the channel"]
    tokens.take(fake.account(STREAMER), "channel")
    assert missing(given(tmp_path, fake), tokens) == ["a login of the bot"]
    tokens.take(fake.account(STREAMER), "bot")
    assert not missing(given(tmp_path, fake), tokens)


async def test_two_accounts_log_in_and_each_can_do_its_part(
    new_chat: Enter, fake: FakeTwitch, tokens: TokenFile
) -> None:
    seat_both(tokens, fake)
    async with new_chat() as chat:
        assert await chat.enter()
        assert (chat.bot_id, chat.channel_id) == (BOT, STREAMER)
        assert set(chat.tokens) == {BOT, STREAMER}
        assert all(chat.can(scope) for scope in wanted(*SEATS))
        assert not chat.privileged
        assert await chat.deliver("hello", "m-1") == Delivery("sent")
    assert fake.sent[0]["sender_id"] == BOT
    assert fake.sent[0]["broadcaster_id"] == STREAMER
    assert fake.refreshes == 0


async def test_one_account_may_be_both(new_chat: Enter, fake: FakeTwitch, tokens: TokenFile) -> None:
    tokens.take(fake.account(STREAMER), *SEATS)
    fake.expire_tokens()
    async with new_chat() as chat:
        assert await chat.enter()
        assert chat.bot_id == chat.channel_id == STREAMER
        assert chat.privileged
        assert all(chat.can(scope) for scope in wanted(*SEATS))
    assert fake.refreshes == 1


async def test_what_the_bot_says_with_the_streamers_account_is_no_command_of_the_streamers(
    new_chat: Enter, fake: FakeTwitch, tokens: TokenFile
) -> None:
    tokens.take(fake.account(STREAMER), *SEATS)
    heard: list[News] = []
    async with new_chat(heard=heard) as chat:
        assert await chat.enter()
        await chat.deliver("!clear asked together. C-042 is next.", "")
        for said in ("!clear asked together. C-042 is next.", "@Mika !clear asked together. C-042 is next.", "!clear"):
            await fake.say(said, by=STREAMER, badges=("broadcaster",))
        await fake.say("hello")
        async with asyncio.timeout(5):
            while not any(  # noqa: ASYNC110 - a list tells nobody
                isinstance(news, Line) and news.text == "hello" for news in heard
            ):
                await asyncio.sleep(0.01)
    assert [news.text for news in heard if isinstance(news, Line)] == ["!clear", "hello"]


async def test_a_scope_counts_only_with_the_account_that_it_is_wanted_of(
    new_chat: Enter, fake: FakeTwitch, tokens: TokenFile
) -> None:
    tokens.take(fake.account(BOT), "bot")  # granted more than it was asked for
    tokens.take(fake.account(STREAMER, [READ_BITS]), "channel")
    with capture_logs() as logs:
        async with new_chat() as chat:
            assert await chat.enter()
            assert chat.can(READ_BITS)
            assert not chat.can(MODERATE)
            assert not chat.can(REDEMPTIONS)
    [line] = [line for line in logs if line["event"] == "login.incomplete"]
    assert line["missing"] == (
        "channel:manage:redemptions (channel points), channel:moderate (bans and time-outs that reach the queue)"
    )


@pytest.mark.parametrize("granted", [[READ_CHAT], [WRITE_CHAT], []])
async def test_without_hearing_or_speaking_there_is_no_bot_and_that_is_said(
    new_chat: Enter, fake: FakeTwitch, tokens: TokenFile, granted: list[str]
) -> None:
    tokens.take(fake.account(BOT, granted), "bot")
    tokens.take(fake.account(STREAMER), "channel")
    with capture_logs() as logs:
        async with new_chat() as chat:
            assert not await chat.enter()
    assert [line["event"] for line in logs] == ["login.incomplete"]
    assert not fake.subscriptions


async def test_a_channel_whose_login_lapsed_leaves_the_bot_its_chat(
    new_chat: Enter, fake: FakeTwitch, tokens: TokenFile
) -> None:
    seat_both(tokens, fake)
    channel = tokens.accounts()["channel"]
    del fake.owner_of[channel.access_token], fake.renews[channel.refresh_token]
    with capture_logs() as logs:
        async with new_chat() as chat:
            assert await chat.enter()
            assert not chat.can(REDEMPTIONS)
            assert await chat.deliver("hello", "m-1") == Delivery("sent")
    [line] = [line for line in logs if line["event"] == "token.refused"]
    assert (line["account"], line["seat"]) == ("streamer", "channel")
    assert line["reason"] == (
        "Twitch takes the login of streamer no more (invalid refresh token). "
        "Log in again: .venv/bin/python -m sakuga login twitch"
    )
    assert "access-" not in str(logs)


async def test_a_bot_whose_login_lapsed_stays_out(new_chat: Enter, fake: FakeTwitch, tokens: TokenFile) -> None:
    seat_both(tokens, fake)
    fake.expire_tokens()
    fake.renews.clear()
    async with new_chat() as chat:
        assert not await chat.enter()
    assert not fake.sockets


async def test_a_login_that_twitchio_drops_makes_deaf_and_no_other_one_speaks_for_it(
    new_chat: Enter, fake: FakeTwitch, tokens: TokenFile
) -> None:
    seat_both(tokens, fake)
    async with new_chat() as chat:
        assert await chat.enter()
        assert chat.listening
        fake.expire_tokens()
        fake.renews.clear()
        for kept in chat.http._tokens.values():
            kept["last_validated"] = "2026-01-01T00:00:00"
        await chat.http._revalidate_all()
        assert not chat.listening
        assert await chat.deliver("hello", "m-1") == Delivery("dropped", "logged_out")


async def test_tokens_of_another_application_are_not_used(new_chat: Enter, fake: FakeTwitch, tokens: TokenFile) -> None:
    seat_both(tokens, fake)
    with capture_logs() as logs:
        async with new_chat(twitch_client_id="another") as chat:
            assert not await chat.enter()
    assert logs[0]["event"] == "token.refused"


async def test_twitch_away_is_an_error_of_its_own(new_chat: Enter, fake: FakeTwitch, tokens: TokenFile) -> None:
    seat_both(tokens, fake)
    await fake.shut()
    async with new_chat() as chat:
        with pytest.raises(LoginUnreachable):
            await chat.enter()


class Witness(FakeTwitch):
    """Looks, at each request with a renewed token, whether the token file has it by then."""

    file: Path
    seen: list[bool]

    async def arrived(self, request: web.Request) -> None:
        await super().arrived(request)
        token = request.headers.get("Authorization", "").rpartition(" ")[2]
        if token in self._renewed:
            self.seen.append(
                token in [entry["access_token"] for entry in json.loads(self.file.read_text())["accounts"]]
            )


@pytest.fixture
async def witness(tmp_path: Path, fake: FakeTwitch) -> Witness:
    fake.__class__ = Witness
    assert isinstance(fake, Witness)
    fake.file, fake.seen = tmp_path / "twitch-tokens.json", []
    return fake


async def test_a_token_that_had_run_out_is_kept_before_its_successor_is_shown_to_anybody(
    new_chat: Enter, witness: Witness, tokens: TokenFile
) -> None:
    seat_both(tokens, witness)
    witness.expire_tokens()
    async with new_chat() as chat:
        assert await chat.enter()
    assert witness.refreshes == 2
    assert len(witness.seen) >= 3
    assert all(witness.seen)


async def test_a_token_that_runs_out_in_use_is_renewed_once_and_kept_before_it_is_used(
    new_chat: Enter, witness: Witness, tokens: TokenFile
) -> None:
    seat_both(tokens, witness)
    async with new_chat() as chat:
        assert await chat.enter()
        witness.expire_tokens()
        for number in range(3):
            assert await chat.deliver(f"hello {number}", "m-1") == Delivery("sent")
    assert witness.refreshes == 1
    assert len(witness.seen) == 3
    assert all(witness.seen)
    kept = tokens.accounts()["bot"]
    assert witness.renews[kept.refresh_token] == BOT


async def test_a_call_that_names_no_token_does_not_renew_it_again(
    new_chat: Enter, fake: FakeTwitch, tokens: TokenFile
) -> None:
    seat_both(tokens, fake)
    async with new_chat() as chat:
        assert await chat.enter()
        fake.expire_tokens()
        for number in range(3):
            sent = await chat.create_partialuser(STREAMER).send_message(f"hello {number}", sender=BOT)
            assert isinstance(sent, twitchio.SentMessage)
    assert fake.refreshes == 1


async def test_a_pair_that_another_process_renewed_meanwhile_is_taken_from_the_file(
    new_chat: Enter, fake: FakeTwitch, tokens: TokenFile
) -> None:
    seat_both(tokens, fake)
    async with new_chat() as chat:
        tokens.take(fake.account(BOT, wanted("bot")), "bot")  # while this chat still has the pair from before
        old = chat._accounts["bot"]
        del fake.owner_of[old.access_token], fake.renews[old.refresh_token]
        assert await chat.enter()
    assert fake.refused == ["refresh token"]


async def test_a_disk_that_is_full_does_not_silence_the_bot(
    new_chat: Enter, fake: FakeTwitch, tokens: TokenFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    seat_both(tokens, fake)
    with capture_logs() as logs:
        async with new_chat() as chat:
            assert await chat.enter()
            fake.expire_tokens()
            monkeypatch.setattr(os, "fsync", full)
            assert await chat.deliver("hello", "m-1") == Delivery("sent")
    assert "token.unsaved" in [line["event"] for line in logs]


async def test_a_goodbye_that_nobody_answers_holds_nobody_up(
    new_chat: Enter, fake: FakeTwitch, tokens: TokenFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "GOODBYE_S", 0.1)
    seat_both(tokens, fake)
    async with new_chat() as chat:
        assert await chat.enter()
        for socket in fake.sockets.values():
            socket._req.transport.pause_reading()
        async with asyncio.timeout(5):
            await chat.close()
        assert not chat._open_sockets()


async def test_an_answer_that_calls_itself_json_and_is_none_is_trouble_that_passes(
    new_chat: Enter, fake: FakeTwitch, tokens: TokenFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: web.Request) -> None:
        raise web.HTTPBadGateway(text="", content_type="application/json")

    seat_both(tokens, fake)
    async with new_chat() as chat:
        assert await chat.enter()
        monkeypatch.setattr(fake, "arrived", broken)
        assert (await chat.deliver("hello", "m-1")).outcome == "later"
        await chat.mend()
        with pytest.raises(PointsUnreachable):
            await Points(chat).rewards()
    async with new_chat() as chat:
        with pytest.raises(LoginUnreachable):
            await chat.enter()


async def test_without_the_channels_token_the_bots_is_not_shown_in_its_place_and_a_new_login_is_tried(
    new_chat: Enter, fake: FakeTwitch, tokens: TokenFile
) -> None:
    seat_both(tokens, fake)
    async with new_chat() as chat:
        assert await chat.enter()
        assert chat.listening
        chat._http.remove_token(STREAMER)  # as twitchio does with a pair that it can't renew
        shown = len(fake.shown)
        with pytest.raises(PointsUnreachable, match="login"):
            await Points(chat).rewards()
        assert len(fake.shown) == shown
        assert not chat.listening
    tokens.renew(STREAMER, "gone", "gone")
    async with new_chat() as chat:
        assert await chat.enter()
        assert chat.listening
        assert not chat.can(REDEMPTIONS)
