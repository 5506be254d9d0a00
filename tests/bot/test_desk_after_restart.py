"""What the desk and the bench remember when the bot is started again."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.bench import Bench
from bot.desk import Desk
from bot.memory import Memory
from bot.moderators import Moderators
from bot.watch import Watch
from sakuga.chat import ChatPolicy
from sakuga.gateway import Gateway
from sakuga.replies import Replies
from tests.bot.lines import Said, line
from tests.bot.paper_gateway import PaperGateway
from tests.bot.paper_moderation import MODERATORS_KEY


@pytest.fixture
def opened(gateway: Gateway, said: Said, tmp_path: Path) -> Callable[..., Any]:
    @asynccontextmanager
    async def opened(moderators: Moderators | None = None) -> AsyncIterator[Desk]:
        def answer(text: str, message_id: str, _: str) -> None:
            said.append((text, message_id))

        replies = Replies()
        with Memory(tmp_path / "bot.sqlite") as memory:
            watch = Watch(gateway, answer, replies=replies, link=lambda _: None)
            bench = Bench(gateway, moderators, replies, memory=memory)
            yield Desk(
                gateway,
                watch,
                answer,
                bench=bench,
                replies=replies,
                chat=ChatPolicy,
                link=lambda _: None,
                memory=memory,
            )
            await watch.close()

    return opened


async def test_again_knows_what_was_asked_of_the_bot_before(opened: Callable[..., Any], paper: PaperGateway) -> None:
    async with opened() as desk:
        assert await desk.hear(line("!anime a cat --style neon", id="m-1"))
    async with opened() as desk:
        assert await desk.hear(line("!again", id="m-2"))
    assert [(asked["prompt"], asked["style"], asked["message_id"]) for asked in paper.asked] == [
        ("a cat", "neon", "m-1"),
        ("a cat", "neon", "m-2"),
    ]


async def test_a_ban_finds_who_spoke_to_the_bot_before(opened: Callable[..., Any], paper: PaperGateway) -> None:
    async with Moderators(paper.url, key=MODERATORS_KEY) as moderators:
        async with opened(moderators) as desk:
            await desk.hear(line("hello", login="aki"))
        async with opened(moderators) as desk:
            await desk.hear(line("!ban @Aki", id="m-2", login="alice", roles=["moderator"]))
    [(who, path, body)] = paper.acts
    assert (who, path) == ("twitch:alice", "/bans")
    assert "'twitch:id-aki'" in body
