"""A login of the channel alone, without a chat: enough for channel points."""

from typing import Self

import aiohttp

from bot.twitch.subscriptions import Subscriptions
from tests.fakes.twitch import CLIENT_ID, CLIENT_SECRET, STREAMER, FakeTwitch


class Channel(Subscriptions):
    """Speaks with the streamer's token."""

    channel_id = STREAMER

    @classmethod
    async def of(cls, fake: FakeTwitch, session: aiohttp.ClientSession) -> Self:
        return await cls.with_tokens(*fake.log_in(STREAMER), session)

    @classmethod
    async def with_tokens(cls, access: str, refresh: str, session: aiohttp.ClientSession) -> Self:
        channel = cls(client_id=CLIENT_ID, client_secret=CLIENT_SECRET, bot_id=STREAMER, session=session)
        await channel.add_token(access, refresh)
        channel._http._app_token = access  # without one twitchio sends no token at all
        return channel

    def can(self, scope: str) -> bool:
        return True
