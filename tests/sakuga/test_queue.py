import asyncio
import json
from dataclasses import replace

import pytest
from arq.constants import abort_jobs_ss, in_progress_key_prefix, job_key_prefix
from arq.jobs import deserialize_job
from fakeredis import FakeAsyncRedis, FakeServer
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sakuga import store
from sakuga.errors import BudgetSpent, CoolingDown, JobNotFound, KeyReused, QueueFull, ViewerBusy
from sakuga.job import JobStatus, new_job_id
from sakuga.queue import Queue, Terms
from sakuga.session import Sessions
from tests.fakes.jobs import fields, submitted


@pytest.fixture
async def queue(redis: store.Client) -> Queue:
    queue = Queue(redis)
    await queue.configure(slots=1)
    return queue


async def cuts(queue: Queue) -> list[int]:
    return [job.number for job in (await queue.board(100)).waiting]


async def test_a_submitted_job_waits_with_a_number_a_place_and_an_event(queue: Queue, redis: store.Client) -> None:
    first = await submitted(queue)
    job, place = await queue.submit(new_job_id(), fields(prompt="robot cat"), [])
    assert (first.number, job.number, place) == (1, 2, 2)
    assert job.status is JobStatus.QUEUED
    assert job.prompt == "robot cat"
    assert job.requested_by.name == "Mika"
    assert [entry["type"] for _, entry in await redis.xrange(store.EVENTS)] == ["job.queued", "job.queued"]


async def test_jobs_without_credits_go_in_the_order_of_asking(queue: Queue) -> None:
    for _ in range(20):
        await submitted(queue)
    assert await cuts(queue) == list(range(1, 21))


async def test_a_credit_is_a_head_start_in_seconds_and_start_number_says_so(queue: Queue) -> None:
    await submitted(queue)
    sub = await submitted(queue, credit_s=300)
    assert await cuts(queue) == [2, 1]
    assert sub.requested_at - sub.start_number == pytest.approx(300, abs=1e-4)
    assert [(credit.reason, credit.seconds) for credit in sub.credits] == [("test", 300)]
    assert sub.credits[0].at == pytest.approx(sub.requested_at)


async def test_a_full_queue_refuses_and_says_how_many_wait(queue: Queue) -> None:
    await submitted(queue, Terms(waiting=2))
    await submitted(queue, Terms(waiting=2))
    with pytest.raises(QueueFull, match="2 jobs wait"):
        await submitted(queue, Terms(waiting=2))
    assert await cuts(queue) == [1, 2]


async def test_the_same_key_returns_the_first_job_again(queue: Queue) -> None:
    first, _ = await queue.submit(new_job_id(), fields(), [], key="message-1", fingerprint="a")
    again, place = await queue.submit(new_job_id(), fields(), [], key="message-1", fingerprint="a")
    assert again.id == first.id
    assert place == 1
    assert await cuts(queue) == [1]


async def test_the_same_key_for_another_request_is_refused(queue: Queue) -> None:
    await queue.submit(new_job_id(), fields(), [], key="message-1", fingerprint="a")
    with pytest.raises(KeyReused):
        await queue.submit(new_job_id(), fields(prompt="other"), [], key="message-1", fingerprint="b")


async def test_an_unknown_job_is_not_found_and_never_guessed(queue: Queue) -> None:
    with pytest.raises(JobNotFound):
        await queue.look("job_nobody")
    with pytest.raises(JobNotFound):
        await queue.cancel("job_nobody")


async def test_admission_fills_the_free_slots_with_the_lowest_start_numbers(queue: Queue, redis: store.Client) -> None:
    await queue.configure(slots=2)
    for credit_s in (0, 300, 0, 60):
        await submitted(queue, credit_s=credit_s)
    assert await queue.admit() == 2
    assert await queue.admit() == 0
    board = await queue.board(10)
    assert [job.number for job in board.running] == [2, 4]
    assert {job.status for job in board.running} == {JobStatus.STARTING}
    assert [job.number for job in board.waiting] == [1, 3]
    assert await redis.zcard(store.SLOTS) == 2


async def test_an_admitted_job_is_a_json_task_that_arq_can_read(queue: Queue, redis: store.Client) -> None:
    job = await submitted(queue)
    await queue.admit()
    payload = await redis.get(job_key_prefix + job.id)
    task = deserialize_job(payload.encode(), deserializer=json.loads)
    assert (task.function, task.args, task.kwargs) == ("render", [job.id], {})


async def test_a_wake_up_is_published_for_each_new_job(queue: Queue, redis: store.Client) -> None:
    async with redis.pubsub() as channel:
        await channel.subscribe(store.WAKE)
        await channel.get_message(timeout=1)
        job = await submitted(queue)
        message = await channel.get_message(timeout=1)
    assert message["data"] == job.id


async def test_a_waiting_job_is_cancelled_at_once_and_only_once(queue: Queue, redis: store.Client) -> None:
    job = await submitted(queue)
    assert await queue.cancel(job.id) == "cancelled"
    assert await queue.cancel(job.id) == "cancelled"
    assert (await queue.look(job.id))[0].status is JobStatus.CANCELLED
    kinds = [entry["type"] for _, entry in await redis.xrange(store.EVENTS)]
    assert kinds == ["job.queued", "job.cancelled"]


async def test_an_admitted_job_that_nobody_holds_is_cancelled_and_its_slot_is_free(
    queue: Queue, redis: store.Client
) -> None:
    job = await submitted(queue)
    await queue.admit()
    assert await queue.cancel(job.id) == "cancelled"
    assert await redis.zcard(store.SLOTS) == 0
    assert not await redis.exists(job_key_prefix + job.id)


async def test_a_held_job_is_marked_and_its_worker_is_told(queue: Queue, redis: store.Client) -> None:
    job = await submitted(queue)
    await queue.admit()
    await redis.set(in_progress_key_prefix + job.id, "1")
    assert await queue.cancel(job.id) == "cancelling"
    assert await redis.zscore(abort_jobs_ss, job.id) is not None
    assert (await queue.look(job.id))[0].status is JobStatus.STARTING


@hypothesis_settings(max_examples=40, deadline=None)
@given(credits=st.lists(st.floats(-900, 3600, allow_nan=False), min_size=2, max_size=12))
def test_nobody_is_overtaken_by_a_later_job_beyond_the_difference_of_credits(credits: list[float]) -> None:
    async def story() -> None:
        redis = FakeAsyncRedis(server=FakeServer(), decode_responses=True)
        queue = Queue(redis)
        for seconds in credits:
            await submitted(queue, credit_s=seconds)
        waiting = (await queue.board(100)).waiting
        for place, ahead in enumerate(waiting):
            for behind in waiting[place + 1 :]:
                later_by = ahead.requested_at - behind.requested_at
                more = sum(c.seconds for c in ahead.credits) - sum(c.seconds for c in behind.credits)
                assert later_by <= more + 1e-5
        await redis.aclose()

    asyncio.run(story())


# --- who may join, and when ------------------------------------------------------------------------------------------


async def test_paid_lanes_may_take_places_that_others_may_not(queue: Queue) -> None:
    free, paid = Terms(waiting=2), Terms(waiting=3)
    for _ in range(2):
        await submitted(queue, free)
    with pytest.raises(QueueFull):
        await submitted(queue, free)
    await submitted(queue, paid)
    with pytest.raises(QueueFull):
        await submitted(queue, paid)


async def test_who_has_asked_just_now_is_told_how_long_to_wait(queue: Queue) -> None:
    terms = Terms(cooldown_s=30)
    await submitted(queue, terms, viewer="1")
    with pytest.raises(CoolingDown) as refusal:
        await submitted(queue, terms, viewer="1")
    assert 29 <= refusal.value.data["retry_after_s"] <= 30
    await submitted(queue, terms, viewer="2")
    await submitted(queue, Terms(cooldown_s=0), viewer="1")  # in a lane that need not wait, as with bits


async def test_a_viewer_has_so_many_jobs_at_a_time_until_one_ends(queue: Queue) -> None:
    first = await submitted(queue, Terms(active=1), viewer="1")
    with pytest.raises(ViewerBusy, match="1 of your jobs"):
        await submitted(queue, Terms(active=1), viewer="1")
    await queue.cancel(first.id)
    await submitted(queue, Terms(active=1), viewer="1")


async def test_a_refused_request_changes_nothing(queue: Queue, redis: store.Client) -> None:
    await submitted(queue, Terms(active=1, cooldown_s=0), viewer="1")
    before = {key: await redis.dump(key) for key in await redis.keys("*")}
    with pytest.raises(ViewerBusy):
        await submitted(queue, Terms(active=1, cooldown_s=60, estimate=5, refill=7), viewer="1")
    assert {key: await redis.dump(key) for key in await redis.keys("*")} == before


async def test_each_further_job_of_a_viewer_stands_back_and_says_why(queue: Queue) -> None:
    terms = Terms(repeat_s=60, repeat_cap_s=150)
    jobs = [await submitted(queue, terms, viewer="1") for _ in range(5)]
    told = [[(credit.reason, credit.seconds) for credit in job.credits] for job in jobs]
    assert told == [
        [],
        [("2nd job this stream", -60)],
        [("3rd job this stream", -120)],
        [("4th job this stream", -150)],
        [("5th job this stream", -150)],
    ]
    other = await submitted(queue, terms, viewer="2")
    assert await cuts(queue) == [1, other.number, 2, 3, 4, 5]


async def test_jobs_that_came_to_nothing_and_those_of_the_last_stream_do_not_count(
    queue: Queue, redis: store.Client
) -> None:
    terms = Terms(repeat_s=60, repeat_cap_s=600)
    await queue.cancel((await submitted(queue, terms, viewer="1")).id)
    assert (await submitted(queue, terms, viewer="1")).credits == []
    await Sessions(redis).begin(by="alice")
    assert (await submitted(queue, terms, viewer="1")).credits == []


async def test_who_has_not_started_in_time_expires_and_the_place_is_free(queue: Queue, redis: store.Client) -> None:
    late = await submitted(queue, Terms(expire_s=0.001))
    patient = await submitted(queue, Terms(expire_s=60))
    started = await submitted(queue, Terms(expire_s=0.001), credit_s=9)
    await queue.admit()
    await asyncio.sleep(0.002)
    assert await queue.expire() == 1
    assert await queue.expire() == 0
    assert (await queue.look(late.id))[0].status is JobStatus.EXPIRED
    assert (await queue.look(patient.id))[0].status is JobStatus.QUEUED
    assert (await queue.look(started.id))[0].status is JobStatus.STARTING
    assert [entry["type"] for _, entry in await redis.xrange(store.EVENTS)][-1] == "job.expired"


async def test_what_is_held_waits_for_a_moderator_and_takes_a_place(queue: Queue) -> None:
    held = await submitted(queue, Terms(held_for="word list: hold"))
    assert (held.status, held.held_for) == (JobStatus.HELD, "word list: hold")
    assert await queue.admit() == 0
    board = await queue.board(10)
    assert (board.held_count, board.waiting_count, board.waiting) == (1, 0, [])
    with pytest.raises(QueueFull):
        await submitted(queue, Terms(waiting=1))


async def test_a_promise_counts_as_spent_until_the_job_has_ended(queue: Queue, redis: store.Client) -> None:
    terms = Terms(estimate=40, session_budget=100, soft=0.5, free=True)
    first = await submitted(queue, terms, viewer="1")
    with pytest.raises(BudgetSpent, match="nearly"):
        await submitted(queue, terms, viewer="2")
    paid = replace(terms, free=False)
    await submitted(queue, paid, viewer="2")
    with pytest.raises(BudgetSpent, match="used up"):
        await submitted(queue, paid, viewer="3")
    await submitted(queue, replace(paid, refill=40), viewer="3")
    await queue.cancel(first.id)
    assert await redis.hget(store.STUDIO, "reserved") == "80"


async def test_a_check_says_what_submit_would_say_and_takes_nothing(queue: Queue, redis: store.Client) -> None:
    terms, asked = Terms(active=1, cooldown_s=5), {"requested_by": fields()["requested_by"]}
    assert await queue.check(asked, terms) is None
    assert await redis.keys("*") == ["sakuga:studio"]
    job, _ = await queue.submit(new_job_id(), fields(), [], terms, key="message-1", fingerprint="a")
    assert await queue.check(asked, terms, key="message-1", fingerprint="a") == job.id
    with pytest.raises(CoolingDown):
        await queue.check(asked, terms)


@hypothesis_settings(max_examples=25, deadline=None)
@given(asked=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1)), min_size=1, max_size=14))
def test_whoever_asks_in_whatever_order_nobody_has_more_jobs_than_allowed(asked: list[tuple[int, int]]) -> None:
    async def story() -> None:
        redis = FakeAsyncRedis(server=FakeServer(), decode_responses=True)
        queue = Queue(redis)
        live: dict[int, list[str]] = {}
        for who, ends in asked:
            if ends and live.get(who):
                await queue.cancel(live[who].pop())
            try:
                job = await submitted(queue, Terms(active=2, waiting=6), viewer=str(who + 1))
                live.setdefault(who, []).append(job.id)
            except ViewerBusy:
                assert len(live[who]) == 2
            except QueueFull:
                assert sum(map(len, live.values())) == 6
        assert (await queue.board()).waiting_count == sum(map(len, live.values()))
        await redis.aclose()

    asyncio.run(story())
