"""A bot that only keeps the shop, with real parts: `python -m tests.bot.twitch.shopkeeper`, to be killed."""

import asyncio
import sys
from pathlib import Path

import aiohttp

from bot.memory import Memory
from bot.till import Till
from bot.twitch.chat import redirect
from bot.twitch.counter import Counter
from bot.twitch.settler import Settler
from bot.twitch.shop import Shop
from bot.watch import Watch
from sakuga.catalog import Catalog
from sakuga.chat import ChatPolicy
from sakuga.replies import Replies
from sakuga.reward import RewardPolicy
from tests.bot.twitch.channel import Channel

SHOW = Catalog(chat=ChatPolicy(reward=RewardPolicy(enabled=True)))


async def keep(gateway_url: str, memory_file: Path, access: str, refresh: str) -> None:
    """Keep the shop until cancelled."""
    replies = Replies(lambda: SHOW.chat)
    async with (
        aiohttp.ClientSession() as session,
        Till(gateway_url) as till,
        await Channel.with_tokens(access, refresh, session) as channel,
    ):
        watch = Watch(till, lambda *_: None, replies=replies, link=lambda _: None)
        settler = Settler(till, look_every_s=0.1)
        memory = Memory(memory_file)
        shop = Shop(
            till, watch, lambda *_: None, settler=settler, notes=memory, replies=replies, chat=lambda: SHOW.chat
        )
        try:
            await Counter(till, shop, settler, show=lambda: SHOW, look_every_s=0.1).run(channel)
        finally:
            await watch.close()
            memory.close()


if __name__ == "__main__":
    fake_url, gateway_url, memory_file, access, refresh = sys.argv[1:]
    redirect(fake_url)
    asyncio.run(keep(gateway_url, Path(memory_file), access, refresh))
