"""How YouTube's chat is doing, as the real gateway tells it on."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bot.memory import Memory
from bot.youtube.chat import YouTube
from sakuga.chat import ChatPolicy
from sakuga.gateway import Gateway
from sakuga.settings import Settings
from tests.fakes.keys import KEY
from tests.fakes.server import GatewayThread
from tests.fakes.valkey import Valkey
from tests.fakes.youtube import CHANNEL, FakeYouTube


@pytest.fixture
def server(valkey: Valkey) -> Iterator[GatewayThread]:
    with GatewayThread(valkey.settings) as server:
        yield server


def new_tube(
    valkey: Valkey, fake: FakeYouTube, gateway: Gateway, http: httpx.AsyncClient, **changes: object
) -> YouTube:
    settings = Settings(_env_file=None, var_dir=valkey.settings.var_dir, **fake.settings(**changes))
    return YouTube(settings, http=http, hear=print, memory=Memory(), gateway=gateway, chat=ChatPolicy)


async def told(http: httpx.AsyncClient, server: GatewayThread, state: str) -> dict[str, Any]:
    """Wait until the gateway says that of YouTube."""
    async with asyncio.timeout(10):
        while True:
            for chat in (await http.get(f"{server.url}/health")).json()["chats"]:
                if chat["state"] == state:
                    return dict(chat)
            await asyncio.sleep(0.02)


async def test_health_tells_whose_chat_is_heard_and_what_is_left_of_the_quota(
    server: GatewayThread, valkey: Valkey
) -> None:
    async with (
        FakeYouTube() as fake,
        Gateway(server.url, key=KEY) as gateway,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        tube = new_tube(valkey, fake, gateway, http)
        attending = asyncio.create_task(tube.attend())
        chat = await told(http, server, "listening")
        attending.cancel()
        await asyncio.gather(attending, return_exceptions=True)
    assert (chat["platform"], chat["channel"], chat["message"]) == ("youtube", CHANNEL, None)
    assert (chat["quota"]["used"], chat["quota"]["limit"]) == (6, 10_000)


async def test_what_to_do_about_a_refused_key_is_told(server: GatewayThread, valkey: Valkey) -> None:
    async with (
        FakeYouTube() as fake,
        Gateway(server.url, key=KEY) as gateway,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        tube = new_tube(valkey, fake, gateway, http, youtube_api_key="wrong")
        attending = asyncio.create_task(tube.attend())
        chat = await told(http, server, "revoked")
        attending.cancel()
        await asyncio.gather(attending, return_exceptions=True)
    assert "no longer lets the bot listen" in chat["message"]
    assert chat["detail"] == "It refused (API_KEY_INVALID): check SAKUGA_YOUTUBE_API_KEY and the video."
