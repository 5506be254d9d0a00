import warnings
from collections.abc import AsyncIterator

import aiohttp
import pytest

# twitchio 3.3.2 subclasses aiohttp's Application, which aiohttp calls discouraged at the first import.
with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "Inheritance class AiohttpAdapter", DeprecationWarning)
    from twitchio.eventsub import websockets
    from twitchio.http import Route

from bot.twitch import redirect
from sakuga.gateway import Gateway
from tests.bot.paper_gateway import PaperGateway
from tests.fakes.twitch import FakeTwitch


@pytest.fixture
async def paper() -> AsyncIterator[PaperGateway]:
    async with PaperGateway() as gateway:
        yield gateway


@pytest.fixture
async def gateway(paper: PaperGateway) -> AsyncIterator[Gateway]:
    async with Gateway(paper.url) as client:
        yield client


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeTwitch]:
    """Stand in for Twitch until the test is over."""
    for owner, name in ((Route, "BASE"), (Route, "ID_BASE"), (websockets, "WSS")):
        monkeypatch.setattr(owner, name, getattr(owner, name))
    async with FakeTwitch() as fake:
        redirect(fake.url)
        yield fake


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session
