import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.presence import EVERY_S, Presence
from sakuga.errors import GatewayUnreachable


class PaperConsole:
    """Is told how a chat is, or is away."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.away = False

    async def tell_chat(self, platform: str, state: str, **particulars: Any) -> None:
        self.told.put_nowait({"platform": platform, "state": state, **particulars})
        if self.away:
            raise GatewayUnreachable(url="http://127.0.0.1:9")

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(5):
            return await self.told.get()


class Night:
    """Sleeps until it is woken."""

    def __init__(self) -> None:
        self.asleep: asyncio.Queue[tuple[float, asyncio.Event]] = asyncio.Queue()

    async def __call__(self, seconds: float) -> None:
        woken = asyncio.Event()
        self.asleep.put_nowait((seconds, woken))
        await woken.wait()

    async def end(self) -> float:
        async with asyncio.timeout(5):
            seconds, woken = await self.asleep.get()
        woken.set()
        return seconds


@pytest.fixture
def console() -> PaperConsole:
    return PaperConsole()


@pytest.fixture
def night() -> Night:
    return Night()


@pytest.fixture
async def presence(console: PaperConsole, night: Night) -> AsyncIterator[Presence]:
    presence = Presence(console, "twitch", sleep=night)
    running = asyncio.create_task(presence.run())
    assert await console.next() == {"platform": "twitch", "state": "away"}
    yield presence
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_change_is_told_at_once_with_all_that_was_said_before(
    presence: Presence, console: PaperConsole
) -> None:
    presence.say(account="animebot", channel="streamer")
    presence.is_now("listening")
    mika = {"platform": "twitch", "state": "listening", "account": "animebot", "channel": "streamer"}
    assert await console.next() == mika
    presence.is_now("revoked", "authorization_revoked")
    assert await console.next() == {**mika, "state": "revoked", "detail": "authorization_revoked"}
    presence.say(reward="paused")
    presence.is_now("listening")
    assert await console.next() == {**mika, "reward": "paused"}


async def test_without_a_change_it_is_told_again_every_half_minute(
    presence: Presence, console: PaperConsole, night: Night
) -> None:
    presence.is_now("away")
    for _ in range(5):
        await asyncio.sleep(0)
    assert console.told.empty()
    assert await night.end() == EVERY_S
    assert (await console.next())["state"] == "away"
    assert await night.end() == EVERY_S
    await console.next()
    assert console.told.empty()


async def test_a_gateway_that_is_away_is_told_the_next_time(
    presence: Presence, console: PaperConsole, night: Night
) -> None:
    console.away = True
    presence.is_now("listening")
    await console.next()
    await night.end()  # the first night, which the change has cut short
    await night.end()
    assert (await console.next())["state"] == "listening"
