import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from bot.memory import Memory
from bot.news import Redeemed
from bot.till import Till
from bot.twitch.points import Points
from bot.twitch.reward import Reward
from bot.twitch.settler import Settler
from bot.twitch.shop import Shop
from bot.watch import Watch
from sakuga.chat import ChatPolicy
from sakuga.errors import GatewayRefused, GatewayUnreachable
from sakuga.job import RequestedBy
from sakuga.replies import Replies
from sakuga.reward import RewardPolicy
from tests.bot.paper_till import PaperTill
from tests.bot.twitch.channel import Channel
from tests.fakes.twitch import MIKA, FakeTwitch

WANTED = Reward.wanted(RewardPolicy(enabled=True), paused=False)
VIEWER = RequestedBy(platform="twitch", id=MIKA, login="mika", display_name="Mika")


class Chat:
    """The open chat: what was said to whom, one after another."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self._next: asyncio.Queue[str] = asyncio.Queue()

    def hear(self, text: str, message_id: str, name: str) -> None:
        assert (message_id, name) == ("", "Mika")
        self.said.append(text)
        self._next.put_nowait(text)

    async def next(self) -> str:
        async with asyncio.timeout(10):
            return await self._next.get()


@pytest.fixture
def open_chat() -> Chat:
    return Chat()


@pytest.fixture
async def paper() -> AsyncIterator[PaperTill]:
    async with PaperTill() as paper:
        yield paper


@pytest.fixture
async def points(fake: FakeTwitch, session: aiohttp.ClientSession) -> AsyncIterator[Points]:
    async with await Channel.of(fake, session) as channel:
        yield Points(channel)


@pytest.fixture
async def till(paper: PaperTill) -> AsyncIterator[Till]:
    async with Till(paper.url) as till:
        yield till


@pytest.fixture
def settler(till: Till) -> Settler:
    return Settler(till)


@pytest.fixture
async def shop(
    till: Till, settler: Settler, open_chat: Chat, chat: dict[str, ChatPolicy], points: Points
) -> AsyncIterator[Shop]:
    """A shop whose reward stands in Twitch's list."""
    chat["now"] = ChatPolicy(reward=RewardPolicy(enabled=True, powerups=True))
    replies = Replies(lambda: chat["now"])
    watch = Watch(till, open_chat.hear, replies=replies, link=lambda _: None)
    with Memory() as memory:
        shop = Shop(
            till,
            watch,
            open_chat.hear,
            settler=settler,
            notes=memory,
            replies=replies,
            chat=lambda: chat["now"],
        )
        shop.reward_id, _ = await points.create(WANTED)
        yield shop
        await watch.close()


def told(fake: FakeTwitch, redemption_id: str) -> Redeemed:
    """Return what EventSub tells of a redemption."""
    known = fake.redemptions[redemption_id]
    return Redeemed(
        redemption_id,
        known["reward"]["id"],
        known["reward"]["cost"],
        VIEWER,
        known["user_input"],
        at=datetime.fromisoformat(known["redeemed_at"]),
    )


async def test_a_redemption_becomes_a_job_and_is_fulfilled_when_the_clip_is_there(
    shop: Shop, settler: Settler, points: Points, fake: FakeTwitch, paper: PaperTill, open_chat: Chat
) -> None:
    redemption_id = await fake.redeem("a lighthouse --style neon", heard=False)
    await shop.redeemed(told(fake, redemption_id))
    [asked] = paper.asked
    assert (asked["prompt"], asked["style"], asked["requested_by"]["bits"]) == ("a lighthouse", "neon", 0)
    assert asked["redemption"] == {
        "platform": "twitch",
        "id": redemption_id,
        "reward_id": shop.reward_id,
        "cost": 1000,
    }
    assert await open_chat.next() == "@Mika C-041 is next, about 20 s."

    await settler.settle(points)
    assert fake.status_of(redemption_id) == "UNFULFILLED"

    paper.finish(paper.job_of(redemption_id))
    assert await open_chat.next() == "@Mika C-041 is ready. Look at the stream!"
    await settler.settle(points)
    assert fake.status_of(redemption_id) == "FULFILLED"


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        ("failed", ("frames_invalid", "Blank."), "@Mika C-041 came out as a blank sheet. Ask again."),
        ("cancelled", None, "@Mika C-041 was taken off the list."),
        ("rejected", None, "@Mika C-041 was turned down by a moderator."),
        ("expired", None, "@Mika C-041 waited too long and was taken off the list. Ask again."),
    ],
)
async def test_a_job_that_ends_without_a_clip_is_given_back_and_told_so(
    shop: Shop,
    settler: Settler,
    points: Points,
    fake: FakeTwitch,
    paper: PaperTill,
    open_chat: Chat,
    status: str,
    error: tuple[str, str] | None,
    said: str,
) -> None:
    redemption_id = await fake.redeem(heard=False)
    await shop.redeemed(told(fake, redemption_id))
    await open_chat.next()
    paper.finish(paper.job_of(redemption_id), status, error)
    assert await open_chat.next() == f"{said} Your points come back."
    await settler.settle(points)
    assert fake.status_of(redemption_id) == "CANCELED"


async def test_a_refused_request_is_given_back_and_told_why(
    shop: Shop, settler: Settler, points: Points, fake: FakeTwitch, paper: PaperTill, open_chat: Chat
) -> None:
    redemption_id = await fake.redeem("x" * 301, heard=False)
    await shop.redeemed(told(fake, redemption_id))
    assert await open_chat.next() == (
        "@Mika that is more than fits on one cut sheet. Shorten it and ask again. Your points come back."
    )
    assert paper.redemptions[redemption_id]["reason"] == "prompt_too_long"
    assert paper.redemptions[redemption_id]["viewer"] == f"twitch:{MIKA}"
    await settler.settle(points)
    assert fake.status_of(redemption_id) == "CANCELED"
    assert "xxx" not in "".join(open_chat.said)


@pytest.mark.parametrize(("status", "code"), [(503, "broker_unavailable"), (429, "rate_limited"), (401, "forbidden")])
async def test_an_answer_that_says_nothing_about_the_request_gives_nothing_back(
    shop: Shop, fake: FakeTwitch, paper: PaperTill, open_chat: Chat, status: int, code: str
) -> None:
    redemption_id = await fake.redeem(heard=False)
    paper.refuse_next(404, "redemption_not_found", "There is no such redemption.")
    for _ in range(2):  # the client asks once more after a 5xx
        paper.refuse_next(status, code, "Not now.")
    with pytest.raises(GatewayRefused, match="Not now"):
        await shop.redeemed(told(fake, redemption_id))
    assert paper.redemptions == {}
    paper.next_answers.clear()
    await shop.redeemed(told(fake, redemption_id))
    assert paper.state_of(redemption_id)[0] == "held"


async def test_a_gateway_that_is_away_leaves_it_to_the_next_time(
    shop: Shop, fake: FakeTwitch, paper: PaperTill, points: Points, open_chat: Chat
) -> None:
    redemption_id = await fake.redeem(heard=False)
    await paper.shut()
    with pytest.raises(GatewayUnreachable):
        await shop.redeemed(told(fake, redemption_id))
    assert open_chat.said == []
    await paper.open()
    await shop.recall(points)
    assert paper.state_of(redemption_id)[0] == "held"


async def test_a_redemption_that_is_told_twice_is_one_job(
    shop: Shop, fake: FakeTwitch, paper: PaperTill, points: Points, open_chat: Chat
) -> None:
    redemption_id = await fake.redeem(heard=False)
    await asyncio.gather(*(shop.redeemed(told(fake, redemption_id)) for _ in range(3)), shop.recall(points))
    assert len(paper.jobs) == len(paper.asked) == len(open_chat.said) == 1


@pytest.mark.parametrize("code", ["key_reused", "redemption_spent"])
async def test_one_that_was_used_before_is_not_given_back(
    shop: Shop, fake: FakeTwitch, paper: PaperTill, open_chat: Chat, code: str
) -> None:
    redemption_id = await fake.redeem(heard=False)
    paper.refuse_next(404, "redemption_not_found", "There is no such redemption.")
    paper.refuse_next(409, code, "That was used.")
    await shop.redeemed(told(fake, redemption_id))
    assert (paper.redemptions, open_chat.said) == ({}, [])


async def test_other_rewards_are_not_ours_to_sell(shop: Shop, fake: FakeTwitch, paper: PaperTill) -> None:
    redemption_id = await fake.redeem("drink!", reward_id=fake.offer("Hydrate"), heard=False)
    await shop.redeemed(told(fake, redemption_id))
    assert paper.requests == []


async def test_at_the_start_what_was_missed_is_asked_for_and_what_is_old_is_given_back(
    shop: Shop, settler: Settler, fake: FakeTwitch, paper: PaperTill, points: Points, open_chat: Chat
) -> None:
    known = await fake.redeem("a cat", heard=False)
    await shop.redeemed(told(fake, known))
    old = await fake.redeem("a dog", heard=False, ago=timedelta(minutes=31))
    missed = await fake.redeem("a fox", heard=False, ago=timedelta(minutes=29))
    refused = await fake.redeem("y" * 301, heard=False)

    await shop.recall(points)
    await settler.settle(points)

    assert [asked["prompt"] for asked in paper.asked] == ["a cat", "a fox"]
    assert paper.state_of(known)[0] == paper.state_of(missed)[0] == "held"
    assert sorted(fake.decided) == sorted([(old, "CANCELED"), (refused, "CANCELED")])
    assert paper.redemptions[old]["reason"] == "expired"
    assert "@Mika the studio was away when you asked. Your points come back." in open_chat.said


async def test_a_job_of_before_a_restart_is_followed_to_its_end(
    shop: Shop, fake: FakeTwitch, paper: PaperTill, points: Points, open_chat: Chat
) -> None:
    redemption_id = await fake.redeem(heard=False)
    paper.seconds_each = 0.1
    paper.fill(1)
    [job_id] = paper.jobs
    paper._keep(redemption_id, state="held", job_id=job_id, reward_id=shop.reward_id, cost=1000)
    await shop.recall(points)
    await shop.recall(points)
    paper.finish(job_id)
    assert await open_chat.next() == "@Mika C-041 is ready. Look at the stream!"
    assert len(open_chat.said) == 1


async def test_what_was_settled_while_twitch_still_lists_it_is_told_to_twitch_again(
    shop: Shop, fake: FakeTwitch, paper: PaperTill, points: Points
) -> None:
    redemption_id = await fake.redeem(heard=False)
    paper._keep(redemption_id, state="settled", outcome="refunded", reward_id=shop.reward_id, cost=1000)
    await shop.recall(points)
    assert fake.status_of(redemption_id) == "CANCELED"


async def test_the_chats_own_command_in_the_field_is_understood(shop: Shop, fake: FakeTwitch, paper: PaperTill) -> None:
    for text in ("!anime “a lighthouse”", "  a\n lighthouse ", "!ban @jo"):
        await shop.redeemed(told(fake, await fake.redeem(text, heard=False)))
    assert [asked["prompt"] for asked in paper.asked] == ["a lighthouse", "a lighthouse", "!ban @jo"]


# --- Power-ups -------------------------------------------------------------------------------------------------------


def power_up(text: str = "a lighthouse") -> Redeemed:
    viewer = VIEWER.model_copy(update={"bits": 300})
    return Redeemed("power-1", "p-1", 300, viewer, text, powerup=True, at=datetime.now(UTC))


async def test_a_power_up_is_a_request_with_its_bits(shop: Shop, paper: PaperTill, open_chat: Chat) -> None:
    await shop.redeemed(power_up())
    [asked] = paper.asked
    assert (asked["prompt"], asked["requested_by"]["bits"], "redemption" in asked) == ("a lighthouse", 300, False)
    assert await open_chat.next() == "@Mika C-041 is next, about 20 s."
    paper.finish(next(iter(paper.jobs)), "failed")
    assert await open_chat.next() == (
        "@Mika C-041 could not be drawn. Ask again. Your bits count for your next request."
    )


async def test_the_bits_of_a_refused_power_up_wait_in_the_purse(shop: Shop, paper: PaperTill, open_chat: Chat) -> None:
    await shop.redeemed(power_up("z" * 301))
    await shop.redeemed(power_up("z" * 301))
    [support] = paper.supports
    assert (support["id"], support["kind"], support["amount"]) == ("power-1", "refused", 300)
    assert support["viewer"]["bits"] == 0
    assert (await open_chat.next()).endswith("Shorten it and ask again. Your bits count for your next request.")


async def test_power_ups_are_left_alone_without_words_or_where_the_studio_file_does_not_want_them(
    shop: Shop, paper: PaperTill, chat: dict[str, ChatPolicy]
) -> None:
    await shop.redeemed(power_up(" "))
    chat["now"] = ChatPolicy(reward=RewardPolicy(enabled=True))
    await shop.redeemed(power_up())
    assert paper.requests == []


async def test_a_power_up_waits_for_a_gateway_that_is_away(shop: Shop, paper: PaperTill) -> None:
    for _ in range(2):
        paper.refuse_next(503, "broker_unavailable", "Not now.")
    with pytest.raises(GatewayRefused):
        await shop.redeemed(power_up())
    assert paper.supports == []
