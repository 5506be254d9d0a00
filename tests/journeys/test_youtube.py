"""YouTube directs a real gateway: viewers ask and pay there, and what moderators do there is done here."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest

from bot.bench import Bench
from bot.desk import Desk
from bot.errands import Errands
from bot.memory import Memory
from bot.moderators import Moderators
from bot.porter import Porter
from bot.till import Till
from bot.watch import Watch
from bot.youtube.chat import YouTube
from sakuga import store
from sakuga.chat import ChatPolicy
from sakuga.keys import Keys
from sakuga.queue import Queue
from sakuga.replies import Replies
from sakuga.role import Role
from sakuga.settings import Settings
from tests.fakes.keys import KEY
from tests.fakes.renderer import SPEC
from tests.fakes.server import GatewayThread
from tests.fakes.valkey import Valkey
from tests.fakes.youtube import JO, MIKA, MODERATOR, FakeYouTube
from worker import upkeep


class NoCurtain:
    def turn(self, *, live: bool) -> None:
        raise AssertionError


class Show:
    """The bot at a real gateway, with a video of the fake's."""

    def __init__(self, fake: FakeYouTube, http: httpx.AsyncClient) -> None:
        self.fake = fake
        self._http = http

    async def queue(self, right: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """Wait until the jobs that wait are as they should be."""
        async with asyncio.timeout(15):
            while True:
                waiting: list[dict[str, Any]] = (await self._http.get("/queue")).json()["waiting"]
                if right(waiting):
                    return waiting
                await asyncio.sleep(0.05)

    async def get(self, path: str) -> Any:
        return (await self._http.get(path)).json()


@pytest.fixture
def server(valkey: Valkey) -> Iterator[GatewayThread]:
    with GatewayThread(valkey.settings) as server:
        yield server


@pytest.fixture
async def show(server: GatewayThread, valkey: Valkey) -> AsyncIterator[Show]:
    redis = store.connect(valkey.url)
    secret, _ = await Keys(redis).new(Role.MODERATOR, "chat")
    await Queue(redis).configure(slots=1)
    await upkeep.introduce(redis, upkeep.Introduction("worker_1", "puppet", [SPEC], 1))
    await redis.aclose()
    policy, memory = ChatPolicy(), Memory()
    replies = Replies(lambda: policy)
    async with (
        FakeYouTube() as fake,
        Moderators(server.url, key=secret) as moderators,
        Till(server.url, key=KEY) as till,
        httpx.AsyncClient(trust_env=False) as http,
        httpx.AsyncClient(base_url=server.url, trust_env=False, headers={"X-API-Key": secret}) as reader,
    ):

        def answer(text: str, message_id: str, name: str) -> None:
            tube.answer(text, message_id, name)

        watch = Watch(till, answer, replies=replies, link=lambda _: None)
        bench = Bench(till, moderators, replies, memory=memory)
        desk = Desk(
            till, watch, answer, bench=bench, replies=replies, chat=lambda: policy, link=lambda _: None, memory=memory
        )
        errands = Errands(hammer=moderators, till=till, shop=None)
        porter = Porter(desk, errands, curtain=NoCurtain(), memory=memory)
        settings = Settings(_env_file=None, var_dir=valkey.settings.var_dir, **fake.settings(youtube_quota=2_000_000))
        tube = YouTube(settings, http=http, hear=porter.hear, memory=memory, gateway=till, chat=lambda: policy)
        tasks = [asyncio.create_task(tube.attend()), asyncio.create_task(porter.run())]
        await fake.wait_for(lambda: fake.asked_for("/liveChat/messages"))
        yield Show(fake, reader)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await watch.close()


async def test_youtube_directs_the_studio(show: Show) -> None:
    # Given a paused queue: a moderator of the chat wrote so
    show.fake.say("!pause", by=MODERATOR, flags=("isChatModerator",))

    # When a viewer asks, and a member who sends a Super Chat
    asked = show.fake.say("!anime a lighthouse in fog :yt:", by=MIKA)
    paid = {"amountMicros": "5000000", "currency": "USD", "userComment": "!anime a fox in snow"}
    show.fake.happens("superChatEvent", by=JO, flags=("isChatSponsor",), superChatDetails=paid)

    # Then who paid goes first, by name and lane
    jo, mika = await show.queue(lambda waiting: len(waiting) == 2)
    assert (jo["requested_by"]["display_name"], jo["lane"]) == ("jo", "bits")
    assert (mika["requested_by"]["display_name"], mika["lane"]) == ("mika", "viewer")
    assert {jo["requested_by"]["platform"], mika["requested_by"]["platform"]} == {"youtube"}

    # When the viewer's message is deleted, their job goes
    show.fake.happens("messageDeletedEvent", by=MODERATOR, messageDeletedDetails={"deletedMessageId": asked})
    await show.queue(lambda waiting: [job["job_id"] for job in waiting] == [jo["job_id"]])

    # When the other one is banned, theirs goes too, and asking again is no use
    banned = {"bannedUserDetails": {"channelId": JO}, "banType": "permanent"}
    show.fake.happens("userBannedEvent", by=MODERATOR, userBannedDetails=banned)
    await show.queue(lambda waiting: waiting == [])
    show.fake.say("!anime once more", by=JO)
    show.fake.say("!anime somebody else", by="UCsomebody", name="@somebody")
    [other] = await show.queue(bool)
    assert other["requested_by"]["display_name"] == "somebody"

    # And the audit names the moderator
    acts = [entry["act"] for entry in (await show.get("/audit"))["acts"]]
    assert {act["by"] for act in acts} == {"youtube:alice via chat"}
    assert show.fake.said == []
