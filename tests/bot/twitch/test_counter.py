import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from structlog.testing import capture_logs

from bot.memory import Memory
from bot.till import Till
from bot.twitch import counter as room
from bot.twitch.counter import Counter
from bot.twitch.points import Points
from bot.twitch.settler import Settler
from bot.twitch.shop import Shop
from bot.watch import Watch
from sakuga.catalog import Catalog
from sakuga.chat import ChatPolicy
from sakuga.errors import PointsUnreachable
from sakuga.limits import Limits
from sakuga.replies import Replies
from sakuga.reward import RewardPolicy
from tests.bot.paper_till import PaperTill
from tests.bot.twitch.channel import Channel
from tests.fakes.twitch import FakeTwitch
from tests.fakes.twitch_shop import CREATE, ShopRefused


class Stall:
    """A counter with all that it needs, a studio file in `show` and a clock to turn."""

    def __init__(self, paper: PaperTill, till: Till, memory: Memory, channel: Channel) -> None:
        self.show = Catalog()
        self.told: list[str | None] = []
        self.now = 1000.0
        self.paper, self.till, self.memory, self.channel = paper, till, memory, channel
        self.points = Points(channel)
        self.opened = self.open()

    def open(self) -> Counter:
        """Return a counter as after a start of the bot."""
        settler = Settler(self.till, look_every_s=0.01)
        replies = Replies(lambda: self.show.chat)
        watch = Watch(self.till, lambda *_: None, replies=replies, link=lambda _: None)
        shop = Shop(
            self.till,
            watch,
            lambda *_: None,
            settler=settler,
            notes=self.memory,
            replies=replies,
            chat=lambda: self.show.chat,
        )
        return Counter(
            self.till,
            shop,
            settler,
            show=lambda: self.show,
            tell=self.told.append,
            look_every_s=0.01,
            clock=lambda: self.now,
        )

    def says(self, **reward: object) -> None:
        """Change the studio file."""
        policy = RewardPolicy.model_validate({"enabled": True, **reward})
        self.show = Catalog(chat=ChatPolicy(reward=policy), limits=Limits(waiting=2))

    async def look(self, *, live: bool | None = None, after_s: float = 0) -> None:
        self.now += after_s
        await self.opened.look(self.points, live=live)


@pytest.fixture
async def paper() -> AsyncIterator[PaperTill]:
    async with PaperTill() as paper:
        yield paper


@pytest.fixture
async def stall(paper: PaperTill, fake: FakeTwitch, session: aiohttp.ClientSession) -> AsyncIterator[Stall]:
    async with Till(paper.url) as till, await Channel.of(fake, session) as channel:
        with Memory() as memory:
            yield Stall(paper, till, memory, channel)


async def test_nothing_is_asked_of_twitch_unless_the_studio_file_wants_a_reward(stall: Stall, fake: FakeTwitch) -> None:
    await stall.look()
    assert (fake.shop_calls, stall.told) == ([], [None])


async def test_the_reward_is_created_once_and_kept(stall: Stall, fake: FakeTwitch) -> None:
    stall.says(title="Malen", cost=500, cooldown_s=60, per_viewer=3)
    await stall.look()
    assert (fake.ours["title"], fake.ours["cost"], fake.ours["is_enabled"]) == ("Malen", 500, True)
    assert fake.ours["is_user_input_required"]
    assert not fake.ours["should_redemptions_skip_request_queue"]
    assert stall.told[-1] == "open"
    calls = len(fake.shop_calls)
    await stall.look()
    assert len(fake.shop_calls) == calls
    stall.opened = stall.open()
    await stall.look()
    assert len(fake.rewards) == 1


async def test_a_reward_that_is_made_while_the_queue_is_closed_can_never_be_redeemed(
    stall: Stall, fake: FakeTwitch, paper: PaperTill
) -> None:
    paper.closed = True
    stall.says()
    await stall.look()
    assert (fake.ours["is_enabled"], fake.ours["is_paused"]) == (True, True)
    seen = [(method, path) for method, path in fake.shop_calls if method != "GET"]
    assert seen == [CREATE, ("PATCH", "custom_rewards")]  # hidden until it was paused
    with pytest.raises(ShopRefused):
        await fake.redeem()


async def test_it_is_paused_while_the_queue_is_closed_or_full(stall: Stall, fake: FakeTwitch, paper: PaperTill) -> None:
    stall.says()
    await stall.look()
    paper.closed = True
    await stall.look()
    assert fake.ours["is_paused"]
    assert stall.told[-1] == "paused"
    paper.closed = False
    await stall.look()
    assert not fake.ours["is_paused"]

    paper.fill(1)
    await stall.look()
    assert not fake.ours["is_paused"]
    paper.held_count = 1
    await stall.look()
    assert fake.ours["is_paused"]


async def test_it_is_paused_while_the_stream_is_off_unless_the_studio_does_not_follow_it(
    stall: Stall, fake: FakeTwitch
) -> None:
    stall.says()
    for live, paused in ((None, False), (False, True), (True, False)):
        await stall.look(live=live)
        assert fake.ours["is_paused"] is paused
    stall.show = stall.show.model_copy(update={"chat": stall.show.chat.model_copy(update={"follow_stream": False})})
    await stall.look(live=False)
    assert not fake.ours["is_paused"]


async def test_it_is_paused_when_the_gateway_has_been_away_for_a_while(
    stall: Stall, fake: FakeTwitch, paper: PaperTill
) -> None:
    stall.says()
    await stall.look()
    await paper.shut()
    await stall.look(after_s=9)
    assert not fake.ours["is_paused"]
    await stall.look(after_s=2)
    assert fake.ours["is_paused"]
    await paper.open()
    await stall.look()
    assert not fake.ours["is_paused"]


async def test_a_change_of_the_studio_file_changes_the_same_reward(stall: Stall, fake: FakeTwitch) -> None:
    stall.says()
    await stall.look()
    reward_id = fake.ours["id"]
    stall.says(title="Zeichne", cost=250, colour="#112233")
    await stall.look()
    assert (fake.ours["id"], fake.ours["title"], fake.ours["cost"]) == (reward_id, "Zeichne", 250)

    stall.says(title="Nach dem Neustart")
    stall.opened = stall.open()
    await stall.look()
    assert (fake.ours["id"], fake.ours["title"]) == (reward_id, "Nach dem Neustart")


async def test_it_goes_out_of_sight_when_it_is_not_wanted_any_more(stall: Stall, fake: FakeTwitch) -> None:
    stall.says()
    await stall.look()
    stall.says(enabled=False)
    await stall.look()
    assert not fake.ours["is_enabled"]
    assert stall.told[-1] is None


async def test_what_the_streamer_changed_at_twitch_is_put_back_within_a_minute(stall: Stall, fake: FakeTwitch) -> None:
    stall.says()
    await stall.look()
    fake.ours["cost"] = 7
    await stall.look(after_s=61)
    assert fake.ours["cost"] == 1000


async def test_a_reward_that_was_deleted_by_hand_is_made_again(stall: Stall, fake: FakeTwitch) -> None:
    stall.says()
    await stall.look()
    fake.take_down(fake.ours["id"])
    stall.says(cost=250)
    await stall.look()
    await stall.look()
    assert fake.ours["cost"] == 250


async def test_a_reward_of_ours_is_found_by_its_title_when_the_bot_forgot(stall: Stall, fake: FakeTwitch) -> None:
    stall.says()
    await stall.look()
    reward_id = fake.ours["id"]
    stall.memory.note("reward", "")
    stall.opened = stall.open()
    await stall.look()
    assert (fake.ours["id"], stall.memory.noted("reward")) == (reward_id, reward_id)


async def test_what_was_redeemed_while_nobody_listened_is_found_within_a_minute(
    stall: Stall, fake: FakeTwitch, paper: PaperTill
) -> None:
    stall.says()
    await stall.look()
    redemption_id = await fake.redeem(heard=False)
    await stall.look()
    assert paper.asked == []
    await stall.look(after_s=61)
    assert paper.state_of(redemption_id)[0] == "held"


@pytest.mark.parametrize(
    ("state", "status"),
    [("not_affiliate", 403), ("title_taken", 400), ("too_many_rewards", 400)],
)
async def test_why_twitch_refuses_is_one_quiet_line_and_a_state(
    stall: Stall, fake: FakeTwitch, monkeypatch: pytest.MonkeyPatch, state: str, status: int
) -> None:
    if state == "not_affiliate":
        fake.affiliate = False
    elif state == "title_taken":
        fake.offer("Direct a clip")
    else:
        for number in range(50):
            fake.offer(f"Reward {number}")
    stall.says()
    with capture_logs() as logs:
        running = asyncio.create_task(stall.opened.run(stall.channel))
        await fake.wait_for(lambda: fake.shop_calls)
        while stall.told != [state]:  # noqa: ASYNC110 - a list has nothing to wait for
            await asyncio.sleep(0.01)
        calls = len(fake.shop_calls)
        await asyncio.sleep(0.1)
        assert len(fake.shop_calls) == calls

        # Twitch is asked again when the studio file says something else
        fake.affiliate = True
        fake.rewards.clear()
        stall.says(title="Something else")
        while stall.told[-1] != "open":  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        running.cancel()
    [off] = [line for line in logs if line["event"] == "reward.off"]
    assert (off["state"], off["help"], off["log_level"]) == (state, "docs/how-to/channel-points.md", "info")
    assert fake.ours["title"] == "Something else"


async def test_a_refused_title_keeps_nobody_from_pausing_the_reward(
    stall: Stall, fake: FakeTwitch, paper: PaperTill
) -> None:
    stall.says()
    await stall.look()
    fake.offer("Hydrate")
    stall.says(title="Hydrate", cost=7)
    paper.closed = True
    await stall.look()
    await stall.look()
    assert (fake.ours["title"], fake.ours["cost"], fake.ours["is_paused"]) == ("Direct a clip", 1000, True)
    assert stall.told[-1] == "title_taken"
    stall.says(title="Drink", cost=7)
    await stall.look()
    assert (fake.ours["title"], stall.told[-1]) == ("Drink", "paused")


async def test_a_channel_that_is_no_affiliate_any_more_is_asked_again_after_ten_minutes(
    stall: Stall, fake: FakeTwitch
) -> None:
    stall.says()
    await stall.look()
    fake.affiliate = False
    await stall.look(after_s=61)
    calls = len(fake.shop_calls)
    await stall.look(after_s=590)
    assert (len(fake.shop_calls), stall.told[-1]) == (calls, "not_affiliate")
    fake.affiliate = True
    await stall.look(after_s=11)
    assert stall.told[-1] == "open"


async def test_a_reward_whose_creation_was_not_answered_is_not_created_twice(stall: Stall, fake: FakeTwitch) -> None:
    stall.says()
    fake.silent_on = {CREATE}
    looking = asyncio.create_task(stall.look())
    await fake.wait_for(lambda: fake.rewards)
    await fake.shut()
    with pytest.raises(PointsUnreachable):
        await looking
    fake.silent_on.clear()
    await fake.open()
    await stall.look()
    assert len(fake.rewards) == 1
    assert fake.ours["is_enabled"]


async def test_it_tries_again_while_twitch_is_away(
    stall: Stall, fake: FakeTwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "LONGEST_PAUSE_S", 0.02)
    stall.says()
    fake.next_shop_statuses = [500, 429, 502]
    with capture_logs() as logs:
        running = asyncio.create_task(stall.opened.run(stall.channel))
        while stall.told[-1:] != ["open"]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        running.cancel()
    assert stall.told[:2] == ["unreachable", "unreachable"]
    assert len([line for line in logs if line["event"] == "reward.delayed"]) == 3


async def test_without_the_scope_it_says_so_and_waits(
    stall: Stall, fake: FakeTwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Channel, "can", lambda *_: False)
    stall.says()
    running = asyncio.create_task(stall.opened.run(stall.channel))
    while not stall.told:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert not running.done()
    assert (stall.told, fake.shop_calls) == (["scope_missing"], [])
    running.cancel()
