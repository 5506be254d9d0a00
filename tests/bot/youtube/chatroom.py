"""A room with a live chat of YouTube's, a bot that reads it, and a clock that hurries."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from bot.line import Line
from bot.memory import Memory
from bot.news import News
from bot.youtube.chat import YouTube
from sakuga.chat import ChatPolicy
from sakuga.errors import GatewayUnreachable
from sakuga.settings import Settings
from tests.fakes.hurry import Hurry
from tests.fakes.youtube import FakeYouTube

HOUR = 3600


class Ledger:
    """Writes down what the gateway would be told."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.away = False

    async def tell_chat(self, platform: str, **how: Any) -> None:
        assert platform == "youtube"
        if self.away:
            raise GatewayUnreachable(url="http://127.0.0.1:1")
        self.told.append(how)

    @property
    def last(self) -> dict[str, Any]:
        return self.told[-1]


class Chatroom:
    """A bot that reads the fake's video, and what it has heard."""

    def __init__(self, folder: Path, fake: FakeYouTube, clock: Hurry) -> None:
        self.folder = folder
        self.fake = fake
        self.clock = clock
        self.ledger = Ledger()
        self.heard: list[News] = []
        self.memory = Memory()
        self.chat = ChatPolicy()

    def new(self, http: httpx.AsyncClient, *, on_air: bool = False, **changes: object) -> YouTube:
        settings = Settings(_env_file=None, var_dir=self.folder, **self.fake.settings(**changes))
        return YouTube(
            settings,
            http=http,
            hear=self.heard.append,
            memory=self.memory,
            gateway=self.ledger,
            chat=lambda: self.chat,
            on_air=on_air,
            now=self.clock.now,
            sleep=self.clock.sleep,
        )

    @asynccontextmanager
    async def bot(self, **changes: Any) -> AsyncIterator[YouTube]:
        async with httpx.AsyncClient(trust_env=False) as http:
            tube = self.new(http, **changes)
            task = asyncio.create_task(tube.attend())
            yield tube
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert task.cancelled()

    async def runs(self, seconds: float, **changes: Any) -> None:
        """Let the bot read for so long."""
        async with self.bot(**changes):
            await self.clock.run(seconds)

    @property
    def texts(self) -> list[str]:
        return [news.text for news in self.heard if isinstance(news, Line)]
