"""Redemptions: which are listed, and for how long."""

import pytest

from sakuga import store
from sakuga.errors import RedemptionNotFound
from sakuga.redemption import Redeemed, RedemptionState
from sakuga.redemptions import Redemptions
from sakuga.store import KEPT

ABOUT = {"viewer": "twitch:3000", "name": "Mika", "reason": "queue_full"}


@pytest.fixture
def redemptions(redis: store.Client) -> Redemptions:
    return Redemptions(redis)


async def owed(redemptions: Redemptions, *ids: str) -> None:
    for redemption_id in ids:
        await redemptions.refund(Redeemed(platform="twitch", id=redemption_id), **ABOUT)


async def ids(redemptions: Redemptions, state: RedemptionState, limit: int = 100) -> list[str]:
    return [one.redemption_id for one in await redemptions.listed(state, limit)]


async def test_what_is_due_longest_comes_first_and_what_was_settled_last(redemptions: Redemptions) -> None:
    await owed(redemptions, "a", "b", "c")
    assert await ids(redemptions, RedemptionState.DUE, 2) == ["a", "b"]
    for redemption_id in ("a", "b"):
        await redemptions.settled("twitch", redemption_id, "refunded")
    assert await ids(redemptions, RedemptionState.SETTLED) == ["b", "a"]
    assert await ids(redemptions, RedemptionState.DUE) == ["c"]


async def test_what_is_settled_is_kept_for_three_days_and_what_is_due_until_it_is_settled(
    redemptions: Redemptions, redis: store.Client
) -> None:
    await owed(redemptions, "a", "b", "c")
    await redemptions.settled("twitch", "a", "refunded")
    assert 0 < await redis.ttl(store.REDEMPTION_PREFIX + "twitch:a") <= KEPT.total_seconds()
    assert await redis.ttl(store.REDEMPTION_PREFIX + "twitch:b") == -1
    settled = store.REDEMPTIONS_PREFIX + "settled"
    await redis.zadd(settled, {"twitch:a": 1})
    await redis.delete(store.REDEMPTION_PREFIX + "twitch:a")
    assert await ids(redemptions, RedemptionState.SETTLED) == []
    await redemptions.settled("twitch", "b", "refunded")
    assert await redis.zrange(settled, 0, -1) == ["twitch:b"]
    with pytest.raises(RedemptionNotFound):
        await redemptions.find("twitch", "a")


async def test_the_same_id_on_two_platforms_is_two_redemptions(redemptions: Redemptions) -> None:
    await owed(redemptions, "a")
    await redemptions.refund(Redeemed(platform="kick", id="a"), **ABOUT)
    await redemptions.settled("kick", "a", "refunded")
    assert (await redemptions.find("twitch", "a")).state is RedemptionState.DUE
