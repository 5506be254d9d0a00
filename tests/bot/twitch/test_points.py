import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from bot.twitch.points import Points
from bot.twitch.reward import Reward
from sakuga.errors import PointsUnreachable, RewardRefused
from sakuga.reward import RewardPolicy
from tests.bot.twitch.channel import Channel
from tests.fakes.twitch import MIKA, FakeTwitch
from tests.fakes.twitch_shop import LIST

WANTED = Reward.wanted(RewardPolicy(enabled=True), paused=False)


@pytest.fixture
async def points(fake: FakeTwitch, session: aiohttp.ClientSession) -> AsyncIterator[Points]:
    async with await Channel.of(fake, session) as channel:
        yield Points(channel)


async def test_a_reward_is_created_found_again_and_changed(points: Points, fake: FakeTwitch) -> None:
    fake.offer("Hydrate")
    reward_id, reward = await points.create(WANTED)
    assert reward == WANTED
    assert await points.rewards() == {reward_id: WANTED}
    assert (await points.change(reward_id, {"is_paused": True})).paused
    assert fake.ours["is_paused"]


async def test_all_pages_of_the_list_are_read_with_words_and_time(points: Points, fake: FakeTwitch) -> None:
    reward_id, _ = await points.create(WANTED)
    ids = [await fake.redeem(f"cat {n}", heard=False, ago=timedelta(hours=1)) for n in range(53)]
    found = await points.unsettled(reward_id)
    assert [redeemed.id for redeemed in found] == ids
    assert (found[7].text, found[7].cost, found[7].viewer.viewer) == ("cat 7", 1000, f"twitch:{MIKA}")
    assert found[7].viewer.name == "Mika"
    assert found[7].at
    assert timedelta(minutes=59) < datetime.now(UTC) - found[7].at < timedelta(minutes=61)


async def test_a_redemption_is_settled_once_and_what_was_decided_before_stands(
    points: Points, fake: FakeTwitch
) -> None:
    reward_id, _ = await points.create(WANTED)
    redemption_id = await fake.redeem(heard=False)
    assert await points.settle(reward_id, redemption_id, "refunded") == "refunded"
    assert await points.settle(reward_id, redemption_id, "fulfilled") == "refunded"
    assert fake.decided == [(redemption_id, "CANCELED")]


async def test_a_redemption_that_went_with_its_reward_counts_as_settled(points: Points, fake: FakeTwitch) -> None:
    reward_id, _ = await points.create(WANTED)
    redemption_id = await fake.redeem(heard=False)
    fake.take_down(reward_id)
    assert await points.settle(reward_id, redemption_id, "refunded") == "refunded"


async def test_a_no_that_twitch_takes_back_by_itself_is_no_decision(points: Points, fake: FakeTwitch) -> None:
    reward_id, _ = await points.create(WANTED)
    redemption_id = await fake.redeem(heard=False)
    fake.next_shop_statuses = [400]
    with pytest.raises(PointsUnreachable, match="could not be settled"):
        await points.settle(reward_id, redemption_id, "fulfilled")
    assert await points.settle(reward_id, redemption_id, "fulfilled") == "fulfilled"


@pytest.mark.parametrize("status", [429, 500, 502])
async def test_a_passing_trouble_is_told_from_a_no(points: Points, fake: FakeTwitch, status: int) -> None:
    fake.next_shop_statuses = [status]
    with pytest.raises(PointsUnreachable, match=str(status)):
        await points.rewards()
    assert await points.rewards() == {}


async def test_a_broken_connection_and_an_illegible_answer_are_passing_troubles(
    points: Points, fake: FakeTwitch
) -> None:
    await points.create(WANTED)
    del fake.ours["prompt"]
    with pytest.raises(PointsUnreachable, match="can't be read"):
        await points.rewards()
    await fake.shut()
    with pytest.raises(PointsUnreachable, match="ClientConnectorError"):
        await points.rewards()
    await fake.open()


async def test_twitchs_own_words_come_with_a_no(points: Points, fake: FakeTwitch) -> None:
    theirs = fake.offer("Direct a clip")
    with pytest.raises(RewardRefused, match=r"400: CREATE_CUSTOM_REWARD_DUPLICATE_REWARD"):
        await points.create(WANTED)
    with pytest.raises(RewardRefused, match="403"):
        await points.settle(theirs, "a-redemption", "refunded")
    fake.affiliate = False
    with pytest.raises(RewardRefused, match="403: channel points are not available"):
        await points.rewards()


async def test_the_channel_has_room_for_fifty_rewards(points: Points, fake: FakeTwitch) -> None:
    for number in range(50):
        fake.offer(f"Reward {number}")
    with pytest.raises(RewardRefused, match="TOO_MANY_REWARDS"):
        await points.create(WANTED)


async def test_a_token_that_ran_out_is_renewed_on_the_way(points: Points, fake: FakeTwitch) -> None:
    fake.expire_tokens()
    assert await points.rewards() == {}
    assert fake.refreshes == 1


async def test_a_lost_login_is_a_passing_trouble_and_no_token_is_shown(points: Points, fake: FakeTwitch) -> None:
    fake.expire_tokens()
    [refresh] = fake.renews
    fake.renews.clear()
    with pytest.raises(PointsUnreachable, match="login") as caught:
        await points.rewards()
    assert caught.value.__suppress_context__
    assert refresh not in str(caught.value)


async def test_two_requests_are_never_made_at_the_same_time(points: Points, fake: FakeTwitch) -> None:
    fake.silent_on = {LIST}
    both = asyncio.gather(points.rewards(), points.rewards())
    await fake.wait_for(lambda: fake.shop_calls)
    await asyncio.sleep(0.05)
    assert len(fake.shop_calls) == 1
    await fake.speak()
    await both
