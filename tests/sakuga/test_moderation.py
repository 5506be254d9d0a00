"""What moderators do to the queue."""

import asyncio
import json

import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sakuga import store
from sakuga.amendment import Amendment
from sakuga.errors import (
    ActNotFound,
    ActUndone,
    JobChanged,
    JobNotEnded,
    JobNotFound,
    JobNotWaiting,
    KeyReused,
    ViewerBanned,
)
from sakuga.job import Job, JobStatus
from sakuga.lane import Lane, LanePolicy
from sakuga.moderation import Moderation
from sakuga.queue import Queue, Terms
from tests.fakes.jobs import fields, submitted

ALICE = "alice"


@pytest.fixture
async def queue(redis: store.Client) -> Queue:
    queue = Queue(redis)
    await queue.configure(slots=1)
    return queue


@pytest.fixture
def moderation(redis: store.Client) -> Moderation:
    return Moderation(redis)


async def cuts(queue: Queue) -> list[int]:
    return [job.number for job in (await queue.board(100)).waiting]


async def now(queue: Queue, job: Job) -> Job:
    return (await queue.look(job.id))[0]


async def kinds(redis: store.Client) -> list[str]:
    return [entry["type"] for _, entry in await redis.xrange(store.EVENTS)]


@pytest.mark.parametrize(
    ("place", "expected"), [(1, [3, 1, 2, 4]), (2, [1, 3, 2, 4]), (3, [1, 2, 3, 4]), (9, [1, 2, 4, 3])]
)
async def test_a_job_moves_to_the_place_it_was_given(
    queue: Queue, moderation: Moderation, place: int, expected: list[int]
) -> None:
    jobs = [await submitted(queue) for _ in range(4)]
    await moderation.amend(jobs[2].id, Amendment(place=place), by=ALICE)
    assert await cuts(queue) == expected


async def test_a_move_is_a_credit_with_a_name_that_explains_the_start_number(
    queue: Queue, moderation: Moderation
) -> None:
    jobs = [await submitted(queue) for _ in range(3)]
    job = await moderation.amend(jobs[2].id, Amendment(place=1, reason='the "best" one'), by=ALICE)
    assert [(credit.reason, credit.by) for credit in job.credits] == [('the "best" one', ALICE)]
    assert job.credits[0].at >= job.requested_at
    assert job.requested_at - job.start_number == pytest.approx(sum(c.seconds for c in job.credits), abs=1e-5)


async def test_to_say_the_same_place_again_changes_nothing(queue: Queue, moderation: Moderation) -> None:
    jobs = [await submitted(queue) for _ in range(3)]
    first = await moderation.amend(jobs[2].id, Amendment(place=1), by=ALICE)
    again = await moderation.amend(jobs[2].id, Amendment(place=1), by=ALICE)
    assert (again.start_number, again.credits) == (first.start_number, first.credits)


async def test_a_job_can_be_moved_between_the_same_two_any_number_of_times(
    queue: Queue, moderation: Moderation
) -> None:
    jobs = [await submitted(queue) for _ in range(4)]
    for turn in range(60):
        job = jobs[2 + turn % 2]
        await moderation.amend(job.id, Amendment(place=2), by=ALICE)
        assert (await cuts(queue))[:2] == [1, job.number]


async def test_credits_add_up_and_carry_who_gave_them(queue: Queue, moderation: Moderation) -> None:
    await submitted(queue)
    job = await submitted(queue)
    await moderation.amend(job.id, Amendment(credit_s=30), by=ALICE)
    assert await cuts(queue) == [2, 1]
    job = await moderation.amend(job.id, Amendment(credit_s=-60, reason="too loud"), by="bob")
    assert [(c.reason, c.seconds, c.by) for c in job.credits] == [
        ("moderator alice", 30, ALICE),
        ("too loud", -60, "bob"),
    ]
    assert await cuts(queue) == [1, 2]


async def test_another_lane_takes_the_head_start_of_the_old_one_and_leaves_all_else(
    queue: Queue, moderation: Moderation
) -> None:
    policy = LanePolicy()
    job, _ = await queue.submit("job_1", {**fields(), "lane": Lane.SUB}, policy.credits_for(["subscriber"], 200))
    change = Amendment(lane=Lane.MOD, lane_credits=tuple(policy.credits_of(Lane.MOD)))
    job = await moderation.amend(job.id, change, by=ALICE)
    assert job.lane is Lane.MOD
    assert [(c.reason, c.seconds) for c in job.credits] == [("200 bits", 120), ("mod", 600)]
    assert job.requested_at - job.start_number == pytest.approx(720, abs=1e-4)


async def test_words_and_engine_can_be_changed_while_it_waits_and_the_audit_does_not_repeat_them(
    queue: Queue, moderation: Moderation, redis: store.Client
) -> None:
    job = await submitted(queue)
    changed = await moderation.amend(job.id, Amendment(fields={"prompt": "robot cat", "engine": "tiny"}), by=ALICE)
    assert (changed.prompt, changed.engine, changed.revision) == ("robot cat", "tiny", 2)
    assert "job.edited" in await kinds(redis)
    (entry,) = await moderation.audit.latest()
    assert entry.act.detail == {"fields": ["engine", "prompt"]}


async def test_the_same_change_under_the_same_name_is_made_once(queue: Queue, moderation: Moderation) -> None:
    job = await submitted(queue)
    change = Amendment(credit_s=30, key="alice:1", fingerprint="a")
    for _ in range(2):
        changed = await moderation.amend(job.id, change, by=ALICE)
    assert [credit.seconds for credit in changed.credits] == [30]
    await queue.admit()
    assert (await moderation.amend(job.id, change, by=ALICE)).status is JobStatus.STARTING
    with pytest.raises(KeyReused):
        await moderation.amend(job.id, Amendment(credit_s=60, key="alice:1", fingerprint="b"), by=ALICE)


async def test_what_another_engine_is_foreseen_to_cost_is_promised_instead(
    queue: Queue, moderation: Moderation, redis: store.Client
) -> None:
    job = await submitted(queue, Terms(estimate=40))
    await moderation.amend(job.id, Amendment(fields={"engine": "tiny", "estimate": 15}), by=ALICE)
    assert await redis.hget(store.STUDIO, "reserved") == "15"
    await moderation.cancel(job.id, by=ALICE)
    assert await redis.hget(store.STUDIO, "reserved") == "0"


async def test_of_two_moderators_who_saw_the_same_the_second_is_told_what_it_is_now(
    queue: Queue, moderation: Moderation
) -> None:
    job = await submitted(queue)
    await moderation.amend(job.id, Amendment(credit_s=30), by=ALICE, revision=1)
    with pytest.raises(JobChanged, match="queued"):
        await moderation.amend(job.id, Amendment(credit_s=30), by="bob", revision=1)
    assert len((await now(queue, job)).credits) == 1


async def test_a_running_job_can_not_be_moved_and_an_unknown_one_is_not_found(
    queue: Queue, moderation: Moderation
) -> None:
    job = await submitted(queue)
    await queue.admit()
    with pytest.raises(JobNotWaiting, match="starting"):
        await moderation.amend(job.id, Amendment(place=1), by=ALICE)
    with pytest.raises(JobNotFound):
        await moderation.amend("job_nobody", Amendment(place=1), by=ALICE)
    with pytest.raises(JobNotFound):
        await moderation.hold("job_nobody", by=ALICE)


async def test_a_held_job_is_out_of_the_order_until_it_is_approved_and_then_has_its_old_place(
    queue: Queue, moderation: Moderation, redis: store.Client
) -> None:
    first, _second = [await submitted(queue) for _ in range(2)]
    held = await moderation.hold(first.id, by=ALICE)
    assert (held.status, held.held_for) == (JobStatus.HELD, "held by alice")
    assert await cuts(queue) == [2]
    assert [job.id for job in await moderation.held()] == [first.id]
    assert (await moderation.hold(first.id, by="bob")).held_for == "held by alice"
    assert (await moderation.approve(first.id, by=ALICE)).status is JobStatus.QUEUED
    assert await cuts(queue) == [1, 2]
    assert await kinds(redis) == ["job.queued", "job.queued", "job.held", "job.approved"]


async def test_a_rejected_job_ends_with_a_reason_that_is_not_its_prompt(queue: Queue, moderation: Moderation) -> None:
    job = await submitted(queue, Terms(held_for="word list: hold"))
    rejected = await moderation.reject(job.id, by=ALICE, reason="not today")
    assert rejected.status is JobStatus.REJECTED
    assert rejected.error is not None
    assert rejected.error.code == "prompt_refused"
    assert "not today" in rejected.error.message
    assert await moderation.held() == []
    with pytest.raises(JobNotWaiting, match="rejected"):
        await moderation.approve(job.id, by=ALICE)


async def test_what_failed_or_was_cancelled_is_tried_again_once_at_its_place_in_time(
    queue: Queue, moderation: Moderation
) -> None:
    first = await submitted(queue, Terms(cooldown_s=60), viewer="1")
    await submitted(queue)
    with pytest.raises(JobNotEnded, match="queued"):
        await moderation.retry(first.id, by=ALICE)
    await moderation.cancel(first.id, by=ALICE)
    again = await moderation.retry(first.id, by=ALICE)
    assert (await moderation.retry(first.id, by="bob")).id == again.id
    assert (again.prompt, again.retry_of, again.requested_at) == (first.prompt, first.id, first.requested_at)
    assert (await now(queue, first)).retried_as == again.id
    assert await cuts(queue) == [again.number, 2]


async def test_what_was_rejected_is_held_again_when_it_is_tried_again(queue: Queue, moderation: Moderation) -> None:
    job = await submitted(queue)
    await moderation.reject(job.id, by=ALICE)
    assert (await moderation.retry(job.id, by=ALICE)).status is JobStatus.HELD


async def test_a_paused_queue_admits_nobody_and_nobody_is_late_for_that(queue: Queue, moderation: Moderation) -> None:
    job = await submitted(queue, Terms(expire_s=0.05))
    assert await moderation.pause(by=ALICE)
    assert not await moderation.pause(by=ALICE)
    await asyncio.sleep(0.06)
    assert (await queue.admit(), await queue.expire()) == (0, 0)
    assert (await queue.board()).paused
    await moderation.resume(by=ALICE)
    assert await queue.expire() == 0
    assert ((await now(queue, job)).expires_at or 0) > (job.expires_at or 0) + 0.05
    assert await queue.admit() == 1


async def test_a_drained_queue_takes_nobody_and_says_when_it_is_empty(
    queue: Queue, moderation: Moderation, redis: store.Client
) -> None:
    await submitted(queue)
    await moderation.drain(by=ALICE)
    board = await queue.board()
    assert (board.closed, board.draining, board.paused) == (True, True, False)
    assert await queue.admit() == 1
    assert await moderation.drained()
    assert not (await queue.board()).draining
    await moderation.open(by=ALICE)
    assert not (await queue.board()).closed
    assert (await kinds(redis)).count("queue.changed") == 3


async def test_clearing_ends_all_that_wait_and_nothing_that_runs(queue: Queue, moderation: Moderation) -> None:
    running = await submitted(queue)
    await queue.admit()
    waiting = [await submitted(queue), await submitted(queue, Terms(held_for="doubt"))]
    assert await moderation.clear(by=ALICE) == 2
    assert {(await now(queue, job)).status for job in waiting} == {JobStatus.CANCELLED}
    assert (await now(queue, running)).status is JobStatus.STARTING


async def test_a_banned_viewer_loses_what_waits_and_may_not_ask_until_it_is_lifted(
    queue: Queue, moderation: Moderation
) -> None:
    theirs, other = await submitted(queue, viewer="1"), await submitted(queue, viewer="2")
    ban, ended = await moderation.ban("twitch:1", by=ALICE, reason="spam")
    assert (ban.viewer, ban.by, ended) == ("twitch:1", ALICE, [theirs.id])
    assert (await now(queue, theirs)).status is JobStatus.CANCELLED
    assert (await now(queue, other)).status is JobStatus.QUEUED
    with pytest.raises(ViewerBanned):
        await submitted(queue, viewer="1")
    assert [one.viewer for one in await moderation.bans()] == ["twitch:1"]
    assert await moderation.unban("twitch:1", by=ALICE)
    assert not await moderation.unban("twitch:1", by=ALICE)
    await submitted(queue, viewer="1")


async def test_a_ban_ends_by_itself(queue: Queue, moderation: Moderation) -> None:
    await moderation.ban("twitch:1", by=ALICE, until=1.0)
    await submitted(queue, viewer="1")
    assert await moderation.bans() == []


async def test_a_viewers_jobs_are_found_newest_first(queue: Queue, moderation: Moderation) -> None:
    jobs = [await submitted(queue, viewer="1") for _ in range(3)]
    await submitted(queue, viewer="2")
    assert [job.id for job in await moderation.jobs_of("twitch:1")] == [job.id for job in reversed(jobs)]


# --- taking back -----------------------------------------------------------------------------------------------------


async def test_a_move_is_taken_back_once(queue: Queue, moderation: Moderation) -> None:
    jobs = [await submitted(queue) for _ in range(3)]
    await moderation.amend(jobs[2].id, Amendment(place=1), by=ALICE)
    act_id = (await moderation.audit.latest())[0].id
    await moderation.undo(act_id, by="bob")
    assert await cuts(queue) == [1, 2, 3]
    with pytest.raises(ActUndone):
        await moderation.undo(act_id, by="bob")
    assert (await moderation.audit.latest())[0].act.type == "act.undone"
    assert {entry.id: entry.undone for entry in await moderation.audit.latest()}[act_id]


async def test_taking_back_again_and_again_gets_further(queue: Queue, moderation: Moderation) -> None:
    jobs = [await submitted(queue) for _ in range(3)]
    await moderation.amend(jobs[2].id, Amendment(place=1), by=ALICE)
    await moderation.hold(jobs[1].id, by=ALICE)
    await moderation.close(by=ALICE)
    await moderation.pause(by=ALICE)
    for _ in range(4):
        last = next(entry for entry in await moderation.audit.latest() if entry.act.undo and not entry.undone)
        await moderation.undo(last.id, by=ALICE)
    assert not any(entry.act.undo and not entry.undone for entry in await moderation.audit.latest())
    board = await queue.board()
    assert (board.paused, board.closed, await cuts(queue)) == (False, False, [1, 2, 3])


async def test_what_was_held_is_held_again_when_a_clearing_is_taken_back(queue: Queue, moderation: Moderation) -> None:
    await submitted(queue, Terms(held_for="word list: hold"))
    await moderation.clear(by=ALICE)
    await moderation.undo((await moderation.audit.latest())[0].id, by=ALICE)
    assert [job.held_for for job in await moderation.held()] == ["word list: hold"]
    assert await cuts(queue) == []


async def test_a_cancelled_job_comes_back_at_its_place_when_that_is_taken_back(
    queue: Queue, moderation: Moderation
) -> None:
    first, _ = await submitted(queue), await submitted(queue)
    await moderation.cancel(first.id, by=ALICE)
    await moderation.undo((await moderation.audit.latest())[0].id, by=ALICE)
    assert await cuts(queue) == [3, 2]


async def test_what_can_not_be_taken_back_any_more_stays_in_the_log_as_it_was(
    queue: Queue, moderation: Moderation
) -> None:
    job = await submitted(queue)
    await moderation.amend(job.id, Amendment(credit_s=5), by=ALICE)
    await queue.admit()
    act_id = (await moderation.audit.latest())[0].id
    with pytest.raises(JobNotWaiting):
        await moderation.undo(act_id, by=ALICE)
    assert not (await moderation.audit.latest())[0].undone
    for unknown in ("1-1", "nonsense", ""):
        with pytest.raises(ActNotFound):
            await moderation.undo(unknown, by=ALICE)


async def test_an_act_is_logged_in_the_same_step_and_only_if_it_changed_something(
    queue: Queue, moderation: Moderation, redis: store.Client
) -> None:
    job = await submitted(queue)
    await moderation.cancel(job.id, by=ALICE, reason="double")
    await moderation.cancel(job.id, by="bob")
    await moderation.open(by=ALICE)
    told = [json.loads(fields["act"]) for _, fields in await redis.xrange(store.AUDIT)]
    assert [(act["type"], act["by"], act["reason"]) for act in told] == [("job.cancelled", ALICE, "double")]


class Mover:
    """Does to a queue what moderators do, and to a list what the queue should do."""

    def __init__(self, redis: store.Client) -> None:
        self.queue = Queue(redis)
        self.moderation = Moderation(redis)
        self.model: list[str] = []

    async def move(self, index: int, place: int) -> None:
        job_id = self.model[index % len(self.model)]
        await self.moderation.amend(job_id, Amendment(place=place), by=ALICE)
        self.model.remove(job_id)
        self.model.insert(place - 1, job_id)


@hypothesis_settings(max_examples=40, deadline=None)
@given(
    count=st.integers(2, 12),
    moves=st.lists(st.tuples(st.integers(0, 11), st.integers(1, 13)), max_size=15),
)
def test_after_any_moves_the_order_is_the_one_that_was_asked_for(count: int, moves: list[tuple[int, int]]) -> None:
    async def story() -> None:
        redis = FakeAsyncRedis(server=FakeServer(), decode_responses=True)
        mover = Mover(redis)
        mover.model = [(await submitted(mover.queue)).id for _ in range(count)]
        for index, place in moves:
            await mover.move(index, place)
        board = await mover.queue.board(100)
        assert [job.id for job in board.waiting] == mover.model
        starts = [job.start_number for job in board.waiting]
        assert starts == sorted(set(starts))
        assert all(start > 0 for start in starts)
        for job in board.waiting:
            explained = sum(credit.seconds for credit in job.credits)
            assert job.requested_at - job.start_number == pytest.approx(explained, abs=0.1)
        await redis.aclose()

    asyncio.run(story())


async def test_many_moderators_at_once_never_break_the_order(queue: Queue, redis: store.Client) -> None:
    jobs = [await submitted(queue) for _ in range(8)]
    moderators = [Moderation(redis) for _ in range(4)]

    async def meddle(number: int) -> None:
        for turn in range(12):
            job = jobs[(number * 3 + turn) % len(jobs)]
            try:
                await moderators[number].amend(job.id, Amendment(place=turn % 5 + 1), by=f"mod{number}")
            except JobChanged:
                continue

    await asyncio.gather(*(meddle(number) for number in range(4)))
    waiting = (await queue.board(100)).waiting
    assert sorted(job.id for job in waiting) == sorted(job.id for job in jobs)
    scores = await redis.zrange(store.WAITING, 0, -1, withscores=True)
    assert [(job.id, pytest.approx(job.start_number, abs=1e-5)) for job in waiting] == scores
