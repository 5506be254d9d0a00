import asyncio
import json

import pytest
from arq.constants import abort_jobs_ss, in_progress_key_prefix, job_key_prefix
from arq.jobs import deserialize_job
from fakeredis import FakeAsyncRedis, FakeServer
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sakuga import store
from sakuga.errors import JobNotFound, JobNotWaiting, KeyReused, QueueFull
from sakuga.job import JobStatus, new_job_id
from sakuga.lane import Credit
from sakuga.queue import Queue
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
    job, place = await queue.submit(new_job_id(), fields(prompt="robot cat"), [], limit=10)
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
    assert sub.credits == [Credit(reason="test", seconds=300)]


async def test_a_full_queue_refuses_and_says_how_many_wait(queue: Queue) -> None:
    await submitted(queue, limit=2)
    await submitted(queue, limit=2)
    with pytest.raises(QueueFull, match="2 jobs wait"):
        await submitted(queue, limit=2)
    assert await cuts(queue) == [1, 2]


async def test_the_same_key_returns_the_first_job_again(queue: Queue) -> None:
    first, _ = await queue.submit(new_job_id(), fields(), [], limit=10, key="message-1", fingerprint="a")
    again, place = await queue.submit(new_job_id(), fields(), [], limit=10, key="message-1", fingerprint="a")
    assert again.id == first.id
    assert place == 1
    assert await cuts(queue) == [1]


async def test_the_same_key_for_another_request_is_refused(queue: Queue) -> None:
    await queue.submit(new_job_id(), fields(), [], limit=10, key="message-1", fingerprint="a")
    with pytest.raises(KeyReused):
        await queue.submit(new_job_id(), fields(prompt="other"), [], limit=10, key="message-1", fingerprint="b")


async def test_an_unknown_job_is_not_found_and_never_guessed(queue: Queue) -> None:
    with pytest.raises(JobNotFound):
        await queue.look("job_nobody")
    with pytest.raises(JobNotFound):
        await queue.move("job_nobody", 1, reason="mod:alice")
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


async def test_a_paused_queue_admits_nobody_until_it_goes_on(queue: Queue) -> None:
    await submitted(queue)
    await queue.pause(paused=True)
    assert await queue.admit() == 0
    assert (await queue.board()).paused
    await queue.pause(paused=False)
    assert await queue.admit() == 1


async def test_a_wake_up_is_published_for_each_new_job(queue: Queue, redis: store.Client) -> None:
    async with redis.pubsub() as channel:
        await channel.subscribe(store.WAKE)
        await channel.get_message(timeout=1)
        job = await submitted(queue)
        message = await channel.get_message(timeout=1)
    assert message["data"] == job.id


@pytest.mark.parametrize(
    ("place", "expected"), [(1, [3, 1, 2, 4]), (2, [1, 3, 2, 4]), (3, [1, 2, 3, 4]), (9, [1, 2, 4, 3])]
)
async def test_a_job_moves_to_the_place_it_was_given(queue: Queue, place: int, expected: list[int]) -> None:
    jobs = [await submitted(queue) for _ in range(4)]
    assert await queue.move(jobs[2].id, place, reason="mod:alice") == min(place, 4)
    assert await cuts(queue) == expected


async def test_a_move_is_a_credit_with_a_name_that_explains_the_start_number(queue: Queue) -> None:
    jobs = [await submitted(queue) for _ in range(3)]
    await queue.move(jobs[2].id, 1, reason='mod:"alice"')
    job, _ = await queue.look(jobs[2].id)
    assert [credit.reason for credit in job.credits] == ['mod:"alice"']
    assert job.requested_at - job.start_number == pytest.approx(sum(c.seconds for c in job.credits), abs=1e-5)


async def test_a_job_can_be_moved_between_the_same_two_any_number_of_times(queue: Queue) -> None:
    jobs = [await submitted(queue) for _ in range(4)]
    for turn in range(60):
        job = jobs[2 + turn % 2]
        await queue.move(job.id, 2, reason="mod:alice")
        assert (await cuts(queue))[:2] == [1, job.number]


async def test_a_credit_moves_a_waiting_job_and_adds_up(queue: Queue) -> None:
    await submitted(queue)
    job = await submitted(queue)
    assert await queue.credit(job.id, Credit(reason="2 votes", seconds=30)) == 1
    assert await queue.credit(job.id, Credit(reason="2nd job this stream", seconds=-60)) == 2
    job, _ = await queue.look(job.id)
    assert [(c.reason, c.seconds) for c in job.credits] == [("2 votes", 30), ("2nd job this stream", -60)]


async def test_a_running_job_can_not_be_moved(queue: Queue) -> None:
    job = await submitted(queue)
    await queue.admit()
    with pytest.raises(JobNotWaiting, match="starting"):
        await queue.move(job.id, 1, reason="mod:alice")


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


class Mover:
    """Does to a queue what moderators do, and to a list what the queue should do."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self.model: list[str] = []

    async def move(self, index: int, place: int) -> None:
        job_id = self.model[index % len(self.model)]
        await self.queue.move(job_id, place, reason="mod:alice")
        self.model.remove(job_id)
        self.model.insert(place - 1, job_id)


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    count=st.integers(2, 12),
    moves=st.lists(st.tuples(st.integers(0, 11), st.integers(1, 13)), max_size=15),
)
def test_after_any_moves_the_order_is_the_one_that_was_asked_for(count: int, moves: list[tuple[int, int]]) -> None:
    async def story() -> None:
        redis = FakeAsyncRedis(server=FakeServer(), decode_responses=True)
        mover = Mover(Queue(redis))
        mover.model = [(await submitted(mover.queue)).id for _ in range(count)]
        for index, place in moves:
            await mover.move(index, place)
        board = await mover.queue.board(100)
        assert [job.id for job in board.waiting] == mover.model
        starts = [job.start_number for job in board.waiting]
        assert starts == sorted(set(starts))
        assert all(0 < start <= board.now for start in starts)
        await redis.aclose()

    asyncio.run(story())


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
