"""The bot's till against the real gateway: what it sends is taken, and what it reads is there."""

from collections.abc import AsyncIterator

import httpx
import pytest

from api.state import State
from bot.till import Till
from sakuga.errors import GatewayRefused
from sakuga.job import RequestedBy
from tests.fakes.jobs import MIKA
from tests.fakes.keys import KEY

BASE = "http://127.0.0.1:8420"
SPENT = {"platform": "twitch", "id": "red-1", "reward_id": "rew-1", "cost": 500}


@pytest.fixture
async def till(studio: State, worker: None) -> AsyncIterator[Till]:
    async with Till(BASE, key=KEY, transport=httpx.ASGITransport(app=studio.app)) as client:
        yield client


async def test_points_go_with_a_request_and_are_settled_after_it(till: Till) -> None:
    accepted = await till.generate("robot cat", requested_by=MIKA, key="redemption:red-1", redemption=SPENT)
    (held,) = await till.redemptions("held")
    assert (held.redemption_id, held.job_id, held.outcome) == ("red-1", accepted.job_id, None)
    await till.withdraw(accepted.job_id, MIKA.viewer)
    (due,) = await till.due()
    assert (due.outcome, due.reason, due.reward_id, due.cost) == ("refunded", "cancelled", "rew-1", 500)
    assert (await till.settled("red-1", "refunded")).state == "settled"
    assert await till.due() == ()
    assert (await till.redemption("red-1")).state == "settled"


async def test_points_of_a_refused_request_are_due(till: Till) -> None:
    owed = await till.refund("red-2", reward_id="rew-1", viewer=MIKA, cost=500, reason="queue_full")
    assert (owed.state, owed.outcome, owed.name, owed.viewer) == ("due", "refunded", "Mika", "twitch:3000")
    assert [one.redemption_id for one in await till.due()] == ["red-2"]


async def test_an_unknown_redemption_is_a_refusal_by_name(till: Till) -> None:
    with pytest.raises(GatewayRefused) as refusal:
        await till.redemption("none")
    assert refusal.value.reason == "redemption_not_found"


async def test_support_fills_the_purse_that_credit_shows(till: Till) -> None:
    assert await till.support("m1", "cheer", MIKA, 150) == 150
    assert await till.support("m1", "cheer", MIKA, 150) == 150
    credit = await till.credit("twitch:3000")
    assert (credit.bits, [(entry.bits, entry.reason) for entry in credit.entries]) == (150, [(150, "cheer")])


async def test_a_viewer_whose_id_has_signs_of_an_address_has_a_purse(till: Till) -> None:
    odd = RequestedBy(platform="youtube", id="a?b#c%25")
    await till.support("m1", "superchat", odd, 500)
    assert (await till.credit(odd.viewer)).bits == 500
