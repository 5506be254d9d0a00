"""Trying a job again: it comes back as what it was, and no better."""

import pytest

from sakuga import store
from sakuga.ballot import VotePolicy
from sakuga.job import Job, JobStatus
from sakuga.moderation import Moderation
from sakuga.queue import Queue, Terms
from sakuga.votes import Votes
from tests.fakes.jobs import submitted

ALICE = "alice"
DOUBT = Terms(held_for="word list: hold")


@pytest.fixture
def queue(redis: store.Client) -> Queue:
    return Queue(redis)


@pytest.fixture
def moderation(redis: store.Client) -> Moderation:
    return Moderation(redis)


def explained(job: Job) -> bool:
    head_start = sum(credit.seconds for credit in job.credits)
    return job.requested_at - job.start_number == pytest.approx(head_start, abs=1e-4)


@pytest.mark.parametrize("how", ["cancelled", "cleared", "expired"])
async def test_what_nobody_has_approved_is_held_again(
    queue: Queue, moderation: Moderation, redis: store.Client, how: str
) -> None:
    job = await submitted(queue, Terms(held_for="word list: hold", expire_s=60))
    if how == "cancelled":
        await moderation.cancel(job.id, by=ALICE)
    elif how == "cleared":
        await moderation.clear(by=ALICE)
    else:
        await redis.zadd(store.DEADLINES, {job.id: 1})
        await queue.expire()
    ended, _ = await queue.look(job.id)
    assert ended.terminal
    assert ended.unseen
    again = await moderation.retry(job.id, by=ALICE)
    assert (again.status, again.held_for) == (JobStatus.HELD, "word list: hold")


async def test_what_was_approved_needs_no_second_look(queue: Queue, moderation: Moderation) -> None:
    job = await submitted(queue, DOUBT)
    await moderation.approve(job.id, by=ALICE)
    await moderation.cancel(job.id, by=ALICE)
    assert not (await queue.look(job.id))[0].unseen
    assert (await moderation.retry(job.id, by=ALICE)).status is JobStatus.QUEUED


async def test_its_votes_count_on_and_explain_its_place(
    queue: Queue, moderation: Moderation, redis: store.Client
) -> None:
    votes, policy = Votes(redis), VotePolicy(upvote_s=15, upvotes_cap_s=50)
    job = await submitted(queue)
    for viewer in "abc":
        await votes.upvote(job.id, viewer, policy)
    await moderation.cancel(job.id, by=ALICE)
    job = await moderation.retry(job.id, by=ALICE)
    for viewer in "de":
        await votes.upvote(job.id, viewer, policy)
    job, _ = await queue.look(job.id)
    assert [(credit.reason, credit.seconds) for credit in job.credits] == [("5 votes", 50)]
    assert explained(job)


async def test_votes_at_another_price_still_add_up(queue: Queue, redis: store.Client) -> None:
    votes, job = Votes(redis), await submitted(queue)
    await votes.upvote(job.id, "a", VotePolicy(upvote_s=15))
    await votes.upvote(job.id, "b", VotePolicy(upvote_s=60))
    await votes.upvote(job.id, "c", VotePolicy(upvotes_cap_s=10))
    job, _ = await queue.look(job.id)
    assert [(credit.reason, credit.seconds) for credit in job.credits] == [("3 votes", 75)]
    assert explained(job)


async def test_clearing_leaves_alone_what_begins_meanwhile(
    queue: Queue, moderation: Moderation, redis: store.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await queue.configure(slots=1)
    first, second = [await submitted(queue) for _ in range(2)]
    listed = redis.zrange

    async def meanwhile(key: str, *where: int) -> list[str]:
        found: list[str] = await listed(key, *where)
        await queue.admit()
        return found

    with monkeypatch.context() as during:
        during.setattr(redis, "zrange", meanwhile)
        assert await moderation.clear(by=ALICE) == 1
    now = [(await queue.look(job.id))[0].status for job in (first, second)]
    assert now == [JobStatus.STARTING, JobStatus.CANCELLED]
    assert not await redis.hexists(store.JOB_PREFIX + first.id, "cancel")
