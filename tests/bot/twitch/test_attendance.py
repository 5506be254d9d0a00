import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import aiohttp
import pytest
from structlog.testing import capture_logs

from bot.line import Line
from bot.memory import Memory
from bot.news import News
from bot.outbox import Outbox
from bot.presence import Presence
from bot.twitch import attendance as room
from bot.twitch.attendance import Attendance, first
from bot.twitch.tokens import TokenFile
from sakuga.chat import ChatPolicy
from sakuga.settings import Settings
from tests.fakes.twitch import FakeTwitch


class NoCounter:
    """Sells nothing."""

    async def run(self, _: object) -> None:
        await asyncio.Event().wait()


class Health:
    """What the gateway was told of the chat."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.changed = asyncio.Condition()

    async def tell_chat(self, platform: str, state: str, **particulars: Any) -> None:
        async with self.changed:
            self.told.append({"state": state, **particulars})
            self.changed.notify_all()

    async def until(self, state: str) -> dict[str, Any]:
        async with self.changed, asyncio.timeout(10):
            await self.changed.wait_for(lambda: self.told and self.told[-1]["state"] == state)
        return self.told[-1]


@asynccontextmanager
async def attending(
    settings: Settings,
    session: aiohttp.ClientSession,
    news: asyncio.Queue[News],
    health: Health | None = None,
    **other: Any,
) -> AsyncIterator[None]:
    presence = Presence(health or Health(), "twitch")
    with Memory() as memory:
        attendance = Attendance(
            settings,
            session=session,
            tokens=TokenFile(settings),
            memory=memory,
            hear=news.put_nowait,
            chat=ChatPolicy,
            outbox=Outbox(),
            presence=presence,
            **{"counter": NoCounter(), **other},
        )
        tasks = [asyncio.create_task(attendance.run()), asyncio.create_task(presence.run())]
        yield
        for task in tasks:
            task.cancel()
        assert await asyncio.gather(*tasks, return_exceptions=True) == [ANY, ANY]
        assert all(task.cancelled() for task in tasks)


async def said(news: asyncio.Queue[News]) -> str:
    """Return the text of the next line."""
    async with asyncio.timeout(5):
        while not isinstance(heard := await news.get(), Line):
            pass
    return heard.text


async def test_a_client_that_hears_nothing_any_more_is_replaced(
    tmp_path: Path, fake: FakeTwitch, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(room.twitch, "DEAF_S", 0.02)
    monkeypatch.setattr(room.twitch, "CHECK_S", 0.01)
    news: asyncio.Queue[News] = asyncio.Queue()
    async with attending(Settings(_env_file=None, var_dir=tmp_path, **fake.settings(tmp_path)), session, news):
        await fake.wait_for(lambda: fake.attended)
        await fake.shut()
        await fake.open()
        await fake.wait_for(lambda: fake.attended)
        await fake.revoke()
        await fake.wait_for(lambda: fake.attended)
        await fake.say("hello")
        assert await said(news) == "hello"
    await fake.wait_for(lambda: not fake.sockets)


async def test_a_refused_subscription_is_explained_and_tried_again(
    tmp_path: Path, fake: FakeTwitch, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "FIRST_PAUSE_S", 0.01)
    fake.next_subscription_statuses = [403, 500]
    with capture_logs() as logs:
        async with attending(
            Settings(_env_file=None, var_dir=tmp_path, **fake.settings(tmp_path)), session, asyncio.Queue()
        ):
            await fake.wait_for(lambda: fake.attended)
    refused = [line for line in logs if line["event"] == "twitch.refused"]
    assert [(line["status"], line["retry_s"]) for line in refused] == [(403, 0.01), (500, 0.02)]
    assert refused[0]["reason"] == "subscription missing proper authorization"


async def test_health_hears_who_listens_where_and_when_nobody_does(
    tmp_path: Path, fake: FakeTwitch, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(room.twitch, "DEAF_S", 0.02)
    monkeypatch.setattr(room.twitch, "CHECK_S", 0.01)
    settings = Settings(_env_file=None, var_dir=tmp_path, **fake.settings(tmp_path))
    health = Health()
    async with attending(settings, session, asyncio.Queue(), health):
        told = await health.until("listening")
        assert (told["account"], told["channel"]) == ("animebot", "streamer")
        await fake.shut()
        assert "Twitch" in (await health.until("away"))["detail"]
        await fake.open()
        assert "detail" not in await health.until("listening")
        TokenFile(settings).forget("bot", "channel")
        assert "login twitch" in (await health.until("logged_out"))["detail"]


async def test_what_was_revoked_is_called_so_until_twitch_lets_the_bot_listen_again(
    tmp_path: Path, fake: FakeTwitch, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(room.twitch, "DEAF_S", 0.02)
    monkeypatch.setattr(room.twitch, "CHECK_S", 0.01)
    health = Health()
    settings = Settings(_env_file=None, var_dir=tmp_path, **fake.settings(tmp_path))
    async with attending(settings, session, asyncio.Queue(), health):
        await health.until("listening")
        fake.next_subscription_statuses = [403, 403]
        await fake.revoke()
        await health.until("revoked")
        await health.until("listening")
    assert not fake.next_subscription_statuses
    assert {told["state"] for told in health.told[1:]} == {"listening", "revoked"}


class Unlucky(NoCounter):
    """Falls over something that nobody thought of, once."""

    def __init__(self) -> None:
        self.runs = 0
        self.up = asyncio.Event()

    async def run(self, _: object) -> None:
        self.runs += 1
        if self.runs == 1:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._fall())
        self.up.set()
        await super().run(_)

    async def _fall(self) -> None:
        message = "a token"
        raise ZeroDivisionError(message)


async def test_what_nobody_thought_of_costs_a_login_and_not_the_bot(
    tmp_path: Path, fake: FakeTwitch, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "FIRST_PAUSE_S", 0.01)
    settings, unlucky = Settings(_env_file=None, var_dir=tmp_path, **fake.settings(tmp_path)), Unlucky()
    with capture_logs() as logs:
        async with attending(settings, session, asyncio.Queue(), counter=unlucky), asyncio.timeout(10):
            await unlucky.up.wait()
    assert [entry["error"] for entry in logs if entry["event"] == "twitch.stumbled"] == ["ZeroDivisionError in _fall"]
    assert "a token" not in str(logs)


async def test_the_first_end_ends_the_rest_and_its_error_is_raised() -> None:
    forever = asyncio.ensure_future(asyncio.Event().wait())

    async def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await first(forever, fail())
    assert forever.cancelled()
