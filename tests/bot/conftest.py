import warnings
from collections.abc import AsyncIterator

import aiohttp
import pytest

# twitchio 3.3.2 subclasses aiohttp's Application, which aiohttp calls discouraged at the first import.
with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "Inheritance class AiohttpAdapter", DeprecationWarning)
    from twitchio.eventsub import websockets
    from twitchio.http import Route

from bot.bench import Bench
from bot.desk import Desk
from bot.twitch.chat import redirect
from bot.watch import Watch
from sakuga.chat import ChatPolicy
from sakuga.gateway import Gateway
from sakuga.replies import Replies
from tests.bot.lines import Said
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


@pytest.fixture
def said() -> Said:
    return []


@pytest.fixture
def chat() -> dict[str, ChatPolicy]:
    """The studio file's table, as `now`."""
    return {"now": ChatPolicy()}


@pytest.fixture
def address() -> dict[str, str]:
    """Where viewers find the studio, as `base`, if they can."""
    return {}


@pytest.fixture
async def desk(
    gateway: Gateway, said: Said, chat: dict[str, ChatPolicy], address: dict[str, str]
) -> AsyncIterator[Desk]:
    def answer(text: str, message_id: str, name: str) -> None:
        assert name
        said.append((text, message_id))

    def link(path: str) -> str | None:
        return address["base"] + path if address else None

    replies = Replies(lambda: chat["now"])
    watch = Watch(gateway, answer, replies=replies, link=link)
    bench = Bench(gateway, None, replies)
    yield Desk(gateway, watch, answer, bench=bench, replies=replies, chat=lambda: chat["now"], link=link)
    await watch.close()
