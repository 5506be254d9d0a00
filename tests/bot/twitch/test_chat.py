import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import twitchio
from twitchio.eventsub import websockets
from twitchio.http import Route

from bot.line import Line
from bot.memory import Memory
from bot.news import News
from bot.outbox import Delivery
from bot.twitch import chat as room
from bot.twitch.tokens import TokenFile
from sakuga.settings import Settings
from tests.fakes.twitch import BOT, JO, MIKA, STREAMER, FakeTwitch


class Ear:
    """Hears lines and hands them out one by one."""

    def __init__(self) -> None:
        self.lines: asyncio.Queue[Line] = asyncio.Queue()

    def hear(self, news: News) -> None:
        if isinstance(news, Line):
            self.lines.put_nowait(news)

    async def next(self) -> Line:
        async with asyncio.timeout(5):
            return await self.lines.get()


@pytest.fixture
def ear() -> Ear:
    return Ear()


def settings(folder: Path, fake: FakeTwitch, account: str = BOT, **changes: object) -> Settings:
    return Settings(_env_file=None, var_dir=folder, **(fake.settings(folder, account) | changes))


def new_chat(settings: Settings, session: aiohttp.ClientSession, ear: Ear) -> room.Chat:
    return room.Chat(settings, session=session, tokens=TokenFile(settings), memory=Memory(), hear=ear.hear)


@pytest.fixture
async def chat(tmp_path: Path, fake: FakeTwitch, session: aiohttp.ClientSession, ear: Ear) -> AsyncIterator[room.Chat]:
    async with new_chat(settings(tmp_path, fake), session, ear) as chat:
        assert await chat.enter()
        yield chat


def test_the_three_names_that_redirect_twitchio_exist() -> None:
    assert Route.BASE == "https://api.twitch.tv/helix/"
    assert Route.ID_BASE == "https://id.twitch.tv/"
    assert websockets.WSS == "wss://eventsub.wss.twitch.tv/ws"


async def test_a_message_is_heard_with_who_said_it_and_how(chat: room.Chat, fake: FakeTwitch, ear: Ear) -> None:
    message_id = await fake.say(
        ("cheermote", "Cheer300"),
        " !anime a cat ",
        ("emote", "Kappa"),
        badges=("subscriber", "lead_moderator"),
        bits=300,
    )
    line = await ear.next()
    assert (line.id, line.text) == (message_id, "!anime a cat")
    assert line.viewer.model_dump() == {
        "platform": "twitch",
        "id": MIKA,
        "login": "mika",
        "display_name": "Mika",
        "roles": ["moderator", "subscriber"],
        "bits": 300,
    }


async def test_a_command_in_a_reply_to_the_bot_is_heard(chat: room.Chat, fake: FakeTwitch, ear: Ear) -> None:
    await fake.say(("mention", "@animebot"), " !pos", reply=True)
    assert (await ear.next()).text == "!pos"


async def test_repeats_other_channels_and_the_bots_own_words_are_not_heard(
    chat: room.Chat, fake: FakeTwitch, ear: Ear
) -> None:
    first = await fake.say("!anime one")
    await fake.redeliver(first)
    await fake.say("!anime from next door", source="9999")
    await fake.say("!anime says the bot", by=BOT)
    await fake.say("!anime two", source=STREAMER)
    assert [(await ear.next()).text, (await ear.next()).text] == ["!anime one", "!anime two"]
    assert ear.lines.empty()


async def test_who_is_mentioned_is_known_by_id(chat: room.Chat, fake: FakeTwitch, ear: Ear) -> None:
    await fake.say("!ban ", ("mention", "@Animebot"), by=JO, badges=("lead_moderator",))
    line = await ear.next()
    assert (line.text, line.mentioned) == ("!ban @Animebot", {"animebot": f"twitch:{BOT}"})
    assert line.viewer.roles == ["moderator"]


async def test_an_answer_to_several_goes_into_the_open_chat(chat: room.Chat, fake: FakeTwitch) -> None:
    assert await chat.deliver("@Mika C-042 is next. @Jo C-043 is 2nd.", "") == Delivery("sent")
    assert "reply_parent_message_id" not in fake.sent[0]


async def test_the_streamers_own_messages_are_heard_when_the_bot_uses_that_account(
    tmp_path: Path, fake: FakeTwitch, session: aiohttp.ClientSession, ear: Ear
) -> None:
    own = settings(tmp_path, fake, STREAMER)
    async with new_chat(own, session, ear) as chat:
        assert await chat.enter()
        assert chat.privileged
        await fake.say("!anime a cat", by=STREAMER, badges=("broadcaster",))
        assert (await ear.next()).viewer.roles == ["broadcaster"]


async def test_a_bot_that_is_a_moderator_learns_it_from_its_own_messages(
    chat: room.Chat, fake: FakeTwitch, ear: Ear
) -> None:
    assert not chat.privileged
    await fake.say("C-042 is next.", by=BOT, badges=("moderator",))
    await fake.say("hello", by=JO)
    await ear.next()
    assert chat.privileged


async def test_a_reply_goes_into_the_thread(chat: room.Chat, fake: FakeTwitch) -> None:
    assert await chat.deliver("C-042 is next.", "m-1") == Delivery("sent")
    assert fake.sent[0]["message"] == "C-042 is next."
    assert fake.sent[0]["reply_parent_message_id"] == "m-1"


async def test_what_twitch_says_about_a_reply_decides_whether_it_is_tried_again(
    chat: room.Chat, fake: FakeTwitch
) -> None:
    fake.next_drop_reasons = ["msg_duplicate"]
    assert await chat.deliver("hello", "m-1") == Delivery("dropped", "msg_duplicate")
    fake.next_statuses = [429, 500, 403]
    assert await chat.deliver("hello", "m-1") == Delivery("later", "429")
    assert await chat.deliver("hello", "m-1") == Delivery("later", "500")
    assert await chat.deliver("hello", "m-1") == Delivery("dropped", "403")
    await fake.shut()
    assert (await chat.deliver("hello", "m-1")).outcome == "later"


async def test_a_subscription_that_twitch_refuses_is_an_error_of_its_own(
    tmp_path: Path, fake: FakeTwitch, session: aiohttp.ClientSession, ear: Ear
) -> None:
    fake.next_subscription_statuses = [403]
    async with new_chat(settings(tmp_path, fake), session, ear) as chat:
        with pytest.raises(twitchio.HTTPException) as caught:
            await chat.enter()
    assert caught.value.status == 403


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "DEAF_S", 0.03)
    monkeypatch.setattr(room, "CHECK_S", 0.01)


async def deaf(chat: room.Chat) -> None:
    async with asyncio.timeout(5):
        await chat.deaf()


async def test_a_withdrawn_login_makes_deaf(chat: room.Chat, fake: FakeTwitch, impatient: None) -> None:
    await fake.revoke()
    await deaf(chat)


async def test_a_socket_that_twitchio_gives_up_makes_deaf(chat: room.Chat, fake: FakeTwitch, impatient: None) -> None:
    await fake.drop(code=4003)
    await deaf(chat)


async def test_a_socket_without_its_subscription_makes_deaf(chat: room.Chat, fake: FakeTwitch, impatient: None) -> None:
    fake.next_subscription_statuses = [500]
    await fake.drop()
    await deaf(chat)
    assert len(fake.sockets) == 2


async def test_a_deaf_client_that_is_closed_does_not_come_back(
    chat: room.Chat, fake: FakeTwitch, impatient: None
) -> None:
    before = asyncio.all_tasks()
    await fake.shut()
    await deaf(chat)
    returning = [task for task in asyncio.all_tasks() - before if "Websocket.connect" in repr(task.get_coro())]
    assert returning
    await chat.close()
    await asyncio.wait(returning, timeout=5)
    assert all(task.cancelled() for task in returning)
