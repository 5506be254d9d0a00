"""What the scripts count, on a real broker: exact over processes and restarts, and never a viewer's words."""

import time
from collections.abc import AsyncIterator

import pytest

from sakuga import store
from sakuga.errors import RenderLost
from sakuga.ledger import Ledger
from sakuga.lifecycle import Lifecycle
from sakuga.metric import COUNTED, FAMILIES, OBSERVED, SECONDS
from sakuga.metrics import Metrics, Reading
from sakuga.queue import Queue, Terms
from sakuga.webhooks import Webhooks
from tests.fakes.jobs import fields, submitted
from tests.fakes.lives import begun, drawn
from tests.fakes.valkey import Valkey
from worker import upkeep


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[store.Client]:
    """A client of the real server."""
    client = store.connect(valkey.url)
    yield client
    await client.aclose()


async def read(redis: store.Client) -> Reading:
    return await Metrics(redis).read()


async def test_jobs_are_told_by_status_and_lane_with_the_oldest_wait(redis: store.Client) -> None:
    queue = Queue(redis)
    await begun(redis)
    await queue.configure(slots=1)
    await submitted(queue, Terms(requested_at=time.time() - 90), viewer="1")
    await submitted(queue, lane="sub", viewer="2")
    await submitted(queue, Terms(held_for="by hand"), lane="sub", viewer="3")
    reading = await read(redis)
    assert reading.jobs == {
        ("rendering", "viewer"): 1,
        ("queued", "viewer"): 1,
        ("queued", "sub"): 1,
        ("held", "sub"): 1,
    }
    assert reading.figures["oldest_wait_seconds"] == pytest.approx(90, abs=5)
    assert (reading.figures["slots"], reading.figures["slots_busy"]) == (1, 1)
    assert reading.counted["accepted"] == {("viewer",): 2, ("sub",): 2}


async def test_a_wait_is_counted_once_when_a_job_gets_its_first_slot(redis: store.Client) -> None:
    queue = Queue(redis)
    await queue.configure(slots=1)
    job = await submitted(queue, Terms(requested_at=time.time() - 45), lane="vip")
    await queue.admit()
    assert await Lifecycle(redis).requeue(job)
    await redis.zrem(store.SLOTS, job.id)
    await queue.admit()
    waits = (await read(redis)).observed["wait"][("vip",)]
    assert sum(waits.counts) == 1
    assert waits.sum_s == pytest.approx(45, abs=5)
    assert dict(waits.cumulated())["30.0"] == 0
    assert dict(waits.cumulated())["60.0"] == dict(waits.cumulated())["+Inf"] == 1


@pytest.mark.parametrize(
    ("render_s", "step"), [(0.0, 0), (1.0, 0), (1.001, 1), (SECONDS[-1], len(SECONDS) - 1), (9999.0, len(SECONDS))]
)
async def test_a_bound_belongs_to_the_step_below_it(redis: store.Client, render_s: float, step: int) -> None:
    await drawn(redis, render_s=render_s)
    (steps,) = (await read(redis)).observed["render"].values()
    assert [place for place, count in enumerate(steps.counts) if count] == [step]
    assert steps.sum_s == pytest.approx(render_s)


async def test_a_render_counts_for_the_engine_that_drew_it(redis: store.Client) -> None:
    await drawn(redis, engine="tiny", preset="draft")
    reading = await read(redis)
    assert set(reading.observed["render"]) == {("tiny", "draft")}
    assert reading.counted["attempts"] == {("rehearsal",): 1}
    assert reading.counted["ended"] == {("succeeded", ""): 1}


async def test_ends_are_counted_once_with_the_code_of_what_failed(redis: store.Client) -> None:
    queue, lifecycle = Queue(redis), Lifecycle(redis)
    failed = await begun(redis)
    for _ in range(2):
        await lifecycle.fail(failed, RenderLost())
    job = await submitted(queue)
    for _ in range(2):
        await queue.cancel(job.id)
    assert (await read(redis)).counted["ended"] == {("failed", RenderLost.code): 1, ("cancelled", ""): 1}


async def test_a_further_attempt_is_counted_and_what_it_cost_is_money_of_its_engine(redis: store.Client) -> None:
    await Queue(redis).configure(slots=1)
    job = await submitted(Queue(redis), engine="tiny")
    await Queue(redis).admit()
    for attempt in (1, 2):
        job = job.model_copy(update={"attempt": attempt, "handle": f"render-{attempt}"})
        assert await Lifecycle(redis).begin_attempt(job, usd_per_s=1000)
    assert await Lifecycle(redis).fail(job, RenderLost())
    counted = (await read(redis)).counted
    assert counted["attempts"] == {("tiny",): 2}
    spent = int(await redis.get(store.SPENT_PREFIX + "total"))
    assert spent > 0
    assert counted["spent"] == {("tiny",): pytest.approx(spent / 1_000_000)}


async def test_refills_are_told_by_where_they_came_from(redis: store.Client) -> None:
    queue = Queue(redis)
    await queue.submit("job_1", fields(), [], Terms(refill=250_000))
    await Ledger(redis).refill(2_000_000, by="alice", reason="bits")
    assert (await read(redis)).counted["refilled"] == {("bits",): 0.25, ("moderator",): 2.0}


async def test_a_job_that_nobody_holds_is_counted_with_what_became_of_it(redis: store.Client) -> None:
    job = await begun(redis)
    await redis.zrem(store.SLOTS, job.id)
    await upkeep.reconcile(redis, Lifecycle(redis), lambda _: None)
    await upkeep.reconcile(redis, Lifecycle(redis), lambda _: None)
    assert (await read(redis)).counted["reconciled"] == {("requeued",): 1}


async def test_webhooks_and_their_dead_letters_are_summed_up(redis: store.Client) -> None:
    hooks = Webhooks(redis)
    first, second = [await hooks.add(f"https://example.com/{name}") for name in "ab"]
    await hooks.test(first.id)
    await redis.zadd(store.WEBHOOK_DEAD_PREFIX + second.id, {"msg_1": 1, "msg_2": 2})
    await redis.hset(store.WEBHOOK_PREFIX + second.id, "disabled_at", "1")
    assert (await read(redis)).webhooks == {"active": 1, "disabled": 1, "waiting": 1, "dead": 2}


async def test_fields_of_another_version_are_left_out(redis: store.Client) -> None:
    await redis.hset(store.METRICS, mapping={"unheard_of|a": 1, "attempts": 2, "wait|viewer|99": 3, "attempts|tiny": 4})
    reading = await read(redis)
    assert reading.counted["attempts"] == {("tiny",): 4}
    assert sum(sum(steps.counts) for steps in reading.observed["wait"].values()) == 0


async def test_no_word_of_a_viewer_gets_into_what_is_counted(redis: store.Client) -> None:
    queue = Queue(redis)
    await queue.configure(slots=10)
    await submitted(queue, Terms(refill=100), prompt="a very secret prompt", viewer="77001")
    await queue.admit()
    await drawn(redis)
    kept = " ".join((await redis.hgetall(store.METRICS)).keys())
    assert not any(word in kept for word in ("secret", "77001", "job_", "mika", "Mika"))


def test_every_metric_has_one_name_a_unit_where_it_has_one_and_a_sentence() -> None:
    names = [family.name for family in FAMILIES]
    assert len(names) == len(set(names))
    assert all(family.help.endswith((".", ")")) for family in FAMILIES)
    assert all(family.name.endswith("_total") for family in COUNTED.values())
    assert all(family.name.endswith("_seconds") for family in OBSERVED.values())
