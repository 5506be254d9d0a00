"""What was spent stands in the ledger, whatever becomes of a job."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sakuga import store
from sakuga.audit import Audit
from sakuga.budget import BudgetPolicy
from sakuga.errors import BudgetSpent, RenderFailed
from sakuga.queue import Terms
from sakuga.session import Sessions
from tests.fakes.jobs import submitted
from tests.fakes.purse import FREE, RATE, Purse
from tests.fakes.valkey import Valkey

PAUSE_S = 0.01


@pytest.fixture
def purse(redis: store.Client) -> Purse:
    return Purse(redis)


# --- what an attempt costs -------------------------------------------------------------------------------------------


async def test_a_clip_costs_what_its_renderer_says_and_not_what_the_clock_says(purse: Purse) -> None:
    job = await purse.drawing()
    await asyncio.sleep(PAUSE_S)
    await purse.succeeded(job, 0.0078)
    assert await purse.spent(job) == 7800
    (entry,) = await purse.ledger.latest()
    assert (entry.type, entry.job_id, entry.attempt, entry.usd_micro) == ("spent", job.id, 1, 7800)
    assert entry.viewer == "twitch:3000"


async def test_where_the_renderer_says_nothing_the_time_is_paid_for(purse: Purse) -> None:
    job = await purse.drawing()
    await asyncio.sleep(PAUSE_S)
    await purse.succeeded(job, None)
    assert await purse.spent(job) >= PAUSE_S * RATE * 1e6


async def test_a_free_renderer_leaves_no_line(purse: Purse) -> None:
    await purse.queue.configure(slots=1)
    job = await submitted(purse.queue)
    await purse.queue.admit()
    job = await purse.begun(job, usd_per_s=0)
    await purse.succeeded(job, None)
    assert (await purse.spent(job), await purse.ledger.latest()) == (0, [])


async def test_an_attempt_whose_worker_died_is_paid_for_by_the_time_until_the_next_one(purse: Purse) -> None:
    first = await purse.drawing()
    await asyncio.sleep(PAUSE_S)
    second = await purse.begun(first)
    lost = await purse.spent(first)
    assert lost >= PAUSE_S * RATE * 1e6
    await purse.succeeded(second, 0.01)
    assert await purse.spent(first) == lost + 10_000
    assert [entry.attempt for entry in await purse.ledger.latest()] == [2, 1]


@pytest.mark.parametrize("end", ["fail", "cancelled", "requeue", "give_back_attempt"])
async def test_every_other_end_of_an_attempt_is_paid_for_by_time_and_once(purse: Purse, end: str) -> None:
    job = await purse.drawing(Terms(estimate=40))
    await asyncio.sleep(PAUSE_S)
    if end == "fail":
        assert await purse.lifecycle.fail(job, RenderFailed(reason="out of memory"))
    else:
        assert await getattr(purse.lifecycle, end)(job)
    spent = await purse.spent(job)
    assert spent >= PAUSE_S * RATE * 1e6
    await purse.queue.cancel(job.id)
    assert await purse.spent(job) == spent
    assert len(await purse.ledger.latest()) == 1


async def test_an_attempt_that_is_written_twice_is_paid_for_once(purse: Purse) -> None:
    job = await purse.drawing()
    assert await purse.lifecycle.begin_attempt(job, usd_per_s=RATE)
    await purse.succeeded(job, 0.01)
    assert await purse.spent(job) == 10_000


async def test_the_accounts_survive_a_broker_that_is_killed(valkey: Valkey) -> None:
    policy = BudgetPolicy(session_usd=5, day_usd=10)
    redis = store.connect(valkey.url)
    purse = Purse(redis)
    await Sessions(redis).begin(by="alice")
    first = await purse.drawing(Terms(estimate=40))
    await purse.succeeded(first, 0.5)
    await purse.ledger.refill(700, by="alice")
    second = await purse.drawing(Terms(estimate=60))
    before = await purse.ledger.funds(policy)
    await redis.aclose()
    await valkey.restart()
    redis = store.connect(valkey.url)
    purse = Purse(redis)
    await asyncio.sleep(PAUSE_S)
    after = await purse.ledger.funds(policy)
    assert (after.session, after.day, after.total) == (before.session, before.day, 500_000)
    # And what was drawn meanwhile is paid for from its beginning on
    assert after.promised >= PAUSE_S * RATE * 1e6
    await purse.begun(second)
    assert await purse.spent(second) >= PAUSE_S * RATE * 1e6
    await redis.aclose()


# --- what is left ----------------------------------------------------------------------------------------------------


async def test_session_and_day_are_counted_apart(purse: Purse) -> None:
    policy = BudgetPolicy(session_usd=1, day_usd=3)
    assert (await purse.ledger.funds(policy)).session_id == ""
    first = await Sessions(purse.redis).begin(by="alice")
    await purse.succeeded(await purse.drawing(), 0.25)
    await Sessions(purse.redis).end(by="alice")
    second = await Sessions(purse.redis).begin(by="alice")
    await purse.succeeded(await purse.drawing(), 0.5)
    funds = await purse.ledger.funds(policy)
    assert (funds.session_id, funds.live, funds.session.spent, funds.day.spent) == (second.id, True, 500_000, 750_000)
    assert (funds.session.left(funds.promised), funds.day.left(funds.promised)) == (500_000, 2_250_000)
    assert funds.date == datetime.now(UTC).date()
    told = [entry.usd_micro async for entry in purse.ledger.entries(session_id=first.id)]
    assert told == [250_000]
    assert len([entry async for entry in purse.ledger.entries(day=funds.date)]) == 2
    assert [entry async for entry in purse.ledger.entries(day=funds.date - timedelta(days=1))] == []


async def test_without_limits_nothing_is_said_to_be_left(purse: Purse) -> None:
    funds = await purse.ledger.funds(FREE)
    assert (funds.level, funds.session.limit, funds.day.left(0)) == ("open", None, None)


async def test_a_refill_raises_both_limits_once_for_each_key_and_is_written_down(purse: Purse) -> None:
    policy = BudgetPolicy(session_usd=1, day_usd=2)
    assert await purse.ledger.refill(300_000, by="alice", reason="tip", key="tip-1")
    assert not await purse.ledger.refill(300_000, by="alice", reason="tip", key="tip-1")
    funds = await purse.ledger.funds(policy)
    assert (funds.session.left(0), funds.day.left(0)) == (1_300_000, 2_300_000)
    (line,) = await purse.ledger.latest()
    assert (line.type, line.usd_micro, line.by, line.reason) == ("refilled", 300_000, "alice", "tip")
    (entry,) = await Audit(purse.redis).latest()
    assert (entry.act.type, entry.act.by, entry.act.detail) == ("budget.refilled", "alice", {"usd": 0.3})


async def test_a_refill_of_the_last_session_still_counts_for_the_day(purse: Purse) -> None:
    await purse.ledger.refill(300_000, by="alice")
    await Sessions(purse.redis).begin(by="alice")
    funds = await purse.ledger.funds(BudgetPolicy(session_usd=1, day_usd=1))
    assert (funds.session.refilled, funds.day.refilled) == (0, 300_000)


async def test_bits_refill_with_the_request_that_brings_them(purse: Purse) -> None:
    job = await submitted(purse.queue, Terms(estimate=150, session_budget=100, refill=60))
    funds = await purse.ledger.funds(BudgetPolicy(session_usd=0.0001))
    assert (funds.session.refilled, funds.promised) == (60, 150)
    (line,) = await purse.ledger.latest()
    assert (line.type, line.reason, line.job_id, line.viewer) == ("refilled", "bits", job.id, "twitch:3000")


async def test_a_render_that_takes_longer_than_foreseen_leaves_less_for_others(purse: Purse) -> None:
    await purse.drawing(Terms(estimate=10))
    await asyncio.sleep(PAUSE_S)
    assert (await purse.ledger.funds(FREE)).promised >= PAUSE_S * RATE * 1e6
    with pytest.raises(BudgetSpent):
        await submitted(purse.queue, Terms(estimate=10, session_budget=4000), viewer="2")


async def test_who_costs_most_comes_first(purse: Purse) -> None:
    for viewer, usd in (("1", 0.1), ("2", 0.5), ("1", 0.2)):
        await purse.succeeded(await purse.drawing(viewer=viewer), usd)
    assert await purse.ledger.spenders("") == [("twitch:2", 500_000), ("twitch:1", 300_000)]


async def test_a_level_that_is_crossed_is_told_once(purse: Purse) -> None:
    policy = BudgetPolicy(session_usd=1, soft=0.5)
    for usd, level in ((0.1, "open"), (0.4, "soft"), (0.3, "soft"), (0.2, "hard")):
        await purse.succeeded(await purse.drawing(), usd)
        for _ in range(2):
            assert (await purse.ledger.watch(policy)).level == level
    await purse.ledger.refill(3_000_000, by="alice")
    assert (await purse.ledger.funds(policy)).level == "open"
    assert len(await purse.events()) == 2
    await purse.ledger.watch(policy)
    assert await purse.events() == [
        {"level": "soft", "before": "open"},
        {"level": "hard", "before": "soft"},
        {"level": "open", "before": "hard"},
    ]


async def test_the_soft_limit_is_for_those_who_do_not_pay_and_the_hard_one_for_all(purse: Purse) -> None:
    day = Terms(estimate=10, day_budget=100, soft=0.5)
    await purse.succeeded(await purse.drawing(), 0.00005)
    with pytest.raises(BudgetSpent, match="nearly used up"):
        await submitted(purse.queue, replace(day, free=True), viewer="1")
    await submitted(purse.queue, day, viewer="2")
    with pytest.raises(BudgetSpent, match="is used up"):
        await submitted(purse.queue, replace(day, estimate=41, free=True), viewer="3")
    await submitted(purse.queue, Terms(day_budget=1), viewer="4")  # what is free may always be asked for
