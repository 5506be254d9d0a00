"""Answers in a live chat of YouTube's: off unless wanted, short, counted, and not heard as somebody's words."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from bot.memory import Memory
from bot.outbox import Delivery
from bot.youtube.api import YouTubeApi
from bot.youtube.chat import YouTube
from bot.youtube.quota import Quota
from bot.youtube.tokens import GoogleLogin, YouTubeToken, YouTubeTokens, expiry
from bot.youtube.voice import Voice
from sakuga.chat import ChatPolicy
from sakuga.settings import Settings
from tests.fakes.hurry import Hurry
from tests.fakes.youtube import CHAT, FakeYouTube


class Stage:
    """A voice with a login, and all that it speaks by."""

    def __init__(self, folder: Path, fake: FakeYouTube, clock: Hurry, http: httpx.AsyncClient) -> None:
        self.fake = fake
        self.clock = clock
        self.http = http
        self.memory = Memory()
        self.chat_id: str | None = CHAT
        self.settings = Settings(_env_file=None, var_dir=folder / "var", **fake.settings(youtube_quota=1000))
        self.tokens = YouTubeTokens(self.settings, GoogleLogin(self.settings, http), now=clock.now)
        self.quota = Quota(folder / "var" / "youtube-quota.json", 1000, now=clock.now)
        self.voice = Voice(
            YouTubeApi(self.settings, http),
            self.tokens,
            self.quota,
            chat_id=lambda: self.chat_id,
            heard=self.memory.heard,
        )

    def log_in(self) -> None:
        told = self.fake.log_in()
        self.tokens.save(YouTubeToken(told["access_token"], told["refresh_token"], expiry(told, self.clock.now())))

    async def says(self, text: str = "@mika C-042 is next.") -> Delivery:
        return await self.voice.deliver(text, "youtube-LCC.1")


@pytest.fixture
async def stage(tmp_path: Path, fake: FakeYouTube, clock: Hurry) -> AsyncIterator[Stage]:
    async with httpx.AsyncClient(trust_env=False) as http:
        stage = Stage(tmp_path, fake, clock, http)
        stage.log_in()
        yield stage


async def test_an_answer_is_said_and_costs_twenty_units(stage: Stage) -> None:
    assert await stage.says() == Delivery("sent")
    assert stage.fake.said == ["@mika C-042 is next."]
    assert stage.quota.used == stage.fake.spent == 20


async def test_what_is_too_long_for_youtube_is_cut(stage: Stage) -> None:
    assert await stage.says("x" * 300) == Delivery("sent")
    assert stage.fake.said == ["x" * 199 + "…"]


async def test_without_a_chat_or_a_login_nothing_is_said(stage: Stage) -> None:
    stage.chat_id = None
    assert await stage.says() == Delivery("dropped", "no_chat")
    stage.chat_id = CHAT
    stage.tokens.forget()
    assert await stage.says() == Delivery("dropped", "logged_out")
    assert stage.fake.said == []


async def test_answers_never_take_more_than_their_share_of_the_day(stage: Stage) -> None:
    said = [await stage.says() for _ in range(22)]
    assert said == [Delivery("sent")] * 20 + [Delivery("dropped", "quota")] * 2
    assert stage.fake.spent == 400


async def test_a_token_that_has_run_out_is_renewed_before_it_is_used_and_kept_first(stage: Stage) -> None:
    before = stage.tokens.kept()
    stage.clock.at = stage.clock.at.replace(hour=23)
    stage.fake.expire_tokens()
    assert await stage.says() == Delivery("sent")
    kept = stage.tokens.kept()
    assert before
    assert kept
    assert kept.access_token != before.access_token
    assert kept.refresh_token == before.refresh_token
    assert (stage.fake.refreshes, stage.quota.used) == (1, 20)
    assert stage.tokens.path.stat().st_mode & 0o777 == 0o600
    assert await stage.says() == Delivery("sent")
    assert stage.fake.refreshes == 1


async def test_a_renewed_token_that_can_not_be_kept_is_used_all_the_same(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: YouTubeToken) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stage.tokens, "save", full)
    stage.fake.expire_tokens()
    with capture_logs() as logs:
        assert [await stage.says(), await stage.says()] == [Delivery("sent")] * 2
    assert [line["event"] for line in logs] == ["token.unsaved", "token.refreshed"]
    assert stage.fake.refreshes == 1


async def test_a_token_that_youtube_takes_no_more_before_its_time_is_renewed_once(stage: Stage) -> None:
    stage.fake.expire_tokens()
    assert await stage.says() == Delivery("sent")
    assert stage.fake.refreshes == 1


async def test_a_login_that_was_withdrawn_is_named_once_and_not_tried_again(stage: Stage) -> None:
    stage.fake.withdraw()
    with capture_logs() as logs:
        assert [await stage.says() for _ in range(3)] == [Delivery("dropped", "logged_out")] * 3
    assert [line["event"] for line in logs] == ["youtube.locked_out"]
    assert (logs[0]["reason"], logs[0]["help"]) == ("invalid_grant", "docs/how-to/youtube.md")
    assert len([path for path, _ in stage.fake.asked if path.startswith("/token")]) == 1
    stage.log_in()
    assert await stage.says() == Delivery("sent")


@pytest.mark.parametrize(
    ("error", "delivery"),
    [
        ((403, "rateLimitExceeded"), Delivery("later", "rateLimitExceeded")),
        ((429, "odd"), Delivery("later", "odd")),
        ((403, "liveChatEnded"), Delivery("dropped", "liveChatEnded")),
        ((403, "quotaExceeded"), Delivery("dropped", "quotaExceeded")),
        ((503, ""), Delivery("dropped", "503")),
    ],
)
async def test_only_what_was_surely_not_said_is_said_again(
    stage: Stage, error: tuple[int, str], delivery: Delivery
) -> None:
    stage.fake.next_errors.append(error)
    assert await stage.says() == delivery
    assert (stage.quota.left == 0) == (error[1] == "quotaExceeded")


async def test_while_nobody_listens_an_answer_waits(stage: Stage) -> None:
    await stage.fake.shut()
    assert await stage.says() == Delivery("later", "ConnectError")


async def test_a_token_file_that_can_not_be_read_is_named(stage: Stage) -> None:
    for broken in ("not json", "[]", '{"access_token": "a"}'):
        stage.tokens.path.write_text(broken)
        with capture_logs() as logs:
            assert await stage.says() == Delivery("dropped", "logged_out")
        assert [line["event"] for line in logs] == ["tokens.unreadable"]


@pytest.mark.parametrize("wanted", [True, False])
async def test_answers_are_off_unless_the_studio_file_wants_them_and_are_not_heard_as_words(
    stage: Stage, wanted: bool
) -> None:
    heard: list[Any] = []

    class Nobody:
        async def tell_chat(self, platform: str, **how: Any) -> None:
            pass

    tube = YouTube(
        stage.settings,
        http=stage.http,
        hear=heard.append,
        memory=stage.memory,
        gateway=Nobody(),
        chat=lambda: ChatPolicy(youtube_replies=wanted),
        now=stage.clock.now,
        sleep=stage.clock.sleep,
    )
    stage.clock.plan(20, lambda: tube.answer("C-042 is next.", "youtube-LCC.1", "mika"))
    stage.clock.plan(300, lambda: stage.fake.say("!anime later"))
    attending = asyncio.create_task(tube.attend())
    if wanted:
        await stage.fake.wait_for(lambda: stage.fake.said)
    await stage.clock.run(3600)
    attending.cancel()
    await asyncio.gather(attending, return_exceptions=True)
    assert stage.fake.said == (["@mika C-042 is next."] if wanted else [])
    assert [news.text for news in heard] == ["!anime later"]
