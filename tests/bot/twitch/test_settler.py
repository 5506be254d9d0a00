import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from structlog.testing import capture_logs

from bot.till import Till
from bot.twitch import settler as room
from bot.twitch.points import Points
from bot.twitch.reward import Reward
from bot.twitch.settler import Settler
from sakuga.reward import RewardPolicy
from tests.bot.paper_till import PaperTill
from tests.bot.twitch.channel import Channel
from tests.fakes.twitch import FakeTwitch
from tests.fakes.twitch_shop import DECIDE


@pytest.fixture
async def points(fake: FakeTwitch, session: aiohttp.ClientSession) -> AsyncIterator[Points]:
    async with await Channel.of(fake, session) as channel:
        points = Points(channel)
        await points.create(Reward.wanted(RewardPolicy(enabled=True), paused=False))
        yield points


@pytest.fixture
async def paper() -> AsyncIterator[PaperTill]:
    async with PaperTill() as paper:
        yield paper


@pytest.fixture
async def settler(paper: PaperTill, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Settler]:
    monkeypatch.setattr(room, "LONGEST_PAUSE_S", 0.02)
    async with Till(paper.url) as till:
        yield Settler(till, look_every_s=0.02)


async def owe(fake: FakeTwitch, paper: PaperTill, outcome: str = "refunded", *, reward_id: str = "") -> str:
    """Redeem something that then is due, and return its id."""
    redemption_id = await fake.redeem(heard=False, reward_id=reward_id)
    reward = reward_id or fake.ours["id"]
    paper._keep(redemption_id, state="due", outcome=outcome, reward_id=reward, cost=1000)
    return redemption_id


async def test_what_is_due_is_told_to_twitch_and_then_to_the_gateway(
    settler: Settler, points: Points, fake: FakeTwitch, paper: PaperTill
) -> None:
    made, failed = await owe(fake, paper, "fulfilled"), await owe(fake, paper, "refunded")
    await settler.settle(points)
    assert fake.decided == [(made, "FULFILLED"), (failed, "CANCELED")]
    assert paper.state_of(made) == ("settled", "fulfilled")
    assert paper.state_of(failed) == ("settled", "refunded")
    await settler.settle(points)
    assert len(fake.decided) == 2


async def test_what_a_moderator_decided_at_twitch_stands(
    settler: Settler, points: Points, fake: FakeTwitch, paper: PaperTill
) -> None:
    redemption_id = await owe(fake, paper, "fulfilled")
    fake.redemptions[redemption_id]["status"] = "CANCELED"
    await settler.settle(points)
    assert paper.state_of(redemption_id) == ("settled", "refunded")
    assert fake.decided == []


async def test_redemptions_of_another_platform_are_another_ones(
    settler: Settler, points: Points, fake: FakeTwitch, paper: PaperTill
) -> None:
    paper._keep("theirs", state="due", outcome="refunded", reward_id="x", cost=1, platform="kick")
    await settler.settle(points)
    assert paper.state_of("theirs") == ("due", "refunded")
    assert fake.decided == []


async def test_one_that_twitch_refuses_does_not_hold_up_the_rest_and_is_told_once(
    settler: Settler, points: Points, fake: FakeTwitch, paper: PaperTill
) -> None:
    theirs = await owe(fake, paper, reward_id=fake.offer("Direct a clip, too"))
    ours = await owe(fake, paper)
    with capture_logs() as logs:
        await settler.settle(points)
        await settler.settle(points)
    assert paper.state_of(ours) == ("settled", "refunded")
    assert paper.state_of(theirs) == ("due", "refunded")
    [refused] = [line for line in logs if line["event"] == "redemption.refused"]
    assert (refused["redemption_id"], refused["status"]) == (theirs, 403)


@pytest.mark.parametrize("statuses", [[500], [429, 502, 500]])
async def test_it_asks_again_until_twitch_is_back(
    settler: Settler, points: Points, fake: FakeTwitch, paper: PaperTill, statuses: list[int]
) -> None:
    redemption_id = await owe(fake, paper, "fulfilled")
    fake.next_shop_statuses = [*statuses]
    with capture_logs() as logs:
        running = asyncio.create_task(settler.run(points))
        await paper.until(redemption_id, "settled", "fulfilled")
        running.cancel()
    assert fake.decided == [(redemption_id, "FULFILLED")]
    assert [line["error"] for line in logs if line["event"] == "redemption.delayed"] == ["points_unreachable"] * len(
        statuses
    )


async def test_an_answer_that_was_lost_on_the_way_does_not_settle_twice(
    settler: Settler, points: Points, fake: FakeTwitch, paper: PaperTill
) -> None:
    redemption_id = await owe(fake, paper, "fulfilled")
    fake.silent_on = {DECIDE}
    running = asyncio.create_task(settler.run(points))
    await fake.wait_for(lambda: fake.decided)
    await fake.shut()
    fake.silent_on.clear()
    await fake.open()
    await paper.until(redemption_id, "settled", "fulfilled")
    running.cancel()
    assert fake.decided == [(redemption_id, "FULFILLED")]


async def test_it_waits_for_a_gateway_that_is_away(
    settler: Settler, points: Points, fake: FakeTwitch, paper: PaperTill
) -> None:
    redemption_id = await owe(fake, paper)
    await paper.shut()
    with capture_logs() as logs:
        running = asyncio.create_task(settler.run(points))
        while not logs:  # noqa: ASYNC110 - structlog's list has nothing to wait for
            await asyncio.sleep(0.01)
        await paper.open()
        await paper.until(redemption_id, "settled", "refunded")
        running.cancel()
    assert logs[0]["error"] == "gateway_unreachable"


async def test_woken_up_it_looks_at_once(points: Points, fake: FakeTwitch, paper: PaperTill) -> None:
    async with Till(paper.url) as till:
        settler = Settler(till, look_every_s=3600)
        running = asyncio.create_task(settler.run(points))
        first = await owe(fake, paper)
        await paper.until(first, "settled", "refunded")
        redemption_id = await owe(fake, paper)
        settler.wake()
        await paper.until(redemption_id, "settled", "refunded")
        running.cancel()
