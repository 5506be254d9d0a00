"""The bot's clients against the real gateway: what they send is taken, and what they read is there."""

from collections.abc import AsyncIterator

import httpx
import pytest

from api.state import State
from bot.moderators import Moderators
from sakuga import store
from sakuga.audit import Audit
from sakuga.gateway import Gateway
from sakuga.job import RequestedBy
from sakuga.keys import Keys
from sakuga.queue import Queue
from sakuga.role import Role
from tests.fakes.jobs import MIKA, submitted
from tests.fakes.keys import KEY

BY = "twitch:alice"
BASE = "http://127.0.0.1:8420"


@pytest.fixture
def queue(redis: store.Client) -> Queue:
    return Queue(redis)


@pytest.fixture
async def gateway(studio: State, worker: None) -> AsyncIterator[Gateway]:
    async with Gateway(BASE, key=KEY, transport=httpx.ASGITransport(app=studio.app)) as client:
        yield client


@pytest.fixture
async def moderators(studio: State, worker: None, redis: store.Client) -> AsyncIterator[Moderators]:
    secret, _ = await Keys(redis).new(Role.MODERATOR, "chat")
    async with Moderators(BASE, key=secret, transport=httpx.ASGITransport(app=studio.app)) as client:
        yield client


async def test_viewers_vote_and_withdraw(gateway: Gateway, queue: Queue, studio: State) -> None:
    jobs = [await submitted(queue) for _ in range(4)]
    ballot = await studio.votes.open(studio.catalog.votes, by="test")
    assert (await gateway.vote("twitch:1", 2)).job_id == ballot.choices[1].job_id
    assert (await gateway.upvote(jobs[3].id, "twitch:1")).votes == 1
    assert (await gateway.withdraw(jobs[3].id, jobs[3].viewer)).status == "cancelled"


async def test_styles_and_characters_are_read(gateway: Gateway) -> None:
    catalog = await gateway.catalog()
    assert catalog.style in [style.name for style in catalog.styles]


async def test_moderators_act_on_a_job(moderators: Moderators, queue: Queue) -> None:
    first, second = [await submitted(queue) for _ in range(2)]
    assert (await moderators.move(second.id, "top", by=BY)).queue_position == 1
    assert (await moderators.move(second.id, "bottom", by=BY)).queue_position == 2
    assert (await moderators.hold(first.id, by=BY)).status == "held"
    assert [job.number for job in await moderators.held()] == [first.number]
    assert (await moderators.approve(first.id, by=BY)).queue_position == 1
    assert (await moderators.cancel(first.id, by=BY)).status == "cancelled"
    assert await moderators.clear(by=BY) == 1


async def test_moderators_act_on_the_queue_the_stage_and_a_viewer(
    moderators: Moderators, queue: Queue, redis: store.Client
) -> None:
    job = await submitted(queue)
    assert [await moderators.switch(way, by=BY) for way in ("pause", "pause", "resume", "close", "open")] == [
        True,
        False,
        True,
        True,
        True,
    ]
    await moderators.dump(by=BY)
    await moderators.release(by=BY)
    assert len((await moderators.ban(job.viewer, by=BY)).cancelled) == 1
    told = await moderators.budget()
    assert (told.session.spent_usd, told.day.left_usd) == (0, None)
    assert {entry.act.by for entry in await Audit(redis).latest()} == {f"{BY} via chat"}


async def test_moderators_of_a_platform_need_not_be_known_by_name(moderators: Moderators, redis: store.Client) -> None:
    await moderators.ban("youtube:UC_x-1", minutes=10, clips=True)
    await moderators.unban("youtube:UC_x-1")
    entries = [entry.act for entry in await Audit(redis).latest()]
    assert [(act.type, act.by) for act in entries] == [("ban.removed", "chat"), ("ban.added", "chat")]


async def test_viewers_ask_together_and_draw_anew_what_is_there(gateway: Gateway, queue: Queue) -> None:
    jo = RequestedBy(platform="twitch", id="3001", login="jo", display_name="Jo")
    joined = [
        await gateway.join_pot(f"a cat of {who.name}", requested_by=who, message_id=f"m-{who.id}") for who in (MIKA, jo)
    ]
    assert [told.joined for told in joined] == ["opened", "joined"]
    pots = await gateway.pots()
    assert pots.pot is not None
    assert (pots.pot.names, pots.poured) == (("Mika", "Jo"), ())
    first = await submitted(queue)
    remix = await gateway.generate("red", requested_by=jo, key="m-3", message_id="m-3", remix={"number": first.number})
    job, _ = await queue.look(remix.job_id)
    assert (job.parent, job.prompt) == (first.id, f"{first.prompt}, red")


async def test_moderators_set_the_show(moderators: Moderators) -> None:
    assert (await moderators.set_show(by=BY, style="anime")).style == "anime"
    assert (await moderators.set_show(by=BY, characters=[])).characters == ()
    assert (await moderators.set_show(by=BY, style=None)).style is None
