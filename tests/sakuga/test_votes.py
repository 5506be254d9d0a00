"""What a chat does to the queue by voting."""

import pytest

from sakuga import store
from sakuga.ballot import VotePolicy
from sakuga.errors import (
    BallotNotOpen,
    BallotOpen,
    BallotTooSmall,
    ChoiceUnknown,
    JobNotFound,
    JobNotWaiting,
    ViewerBanned,
)
from sakuga.moderation import Moderation
from sakuga.queue import Queue
from sakuga.votes import Votes
from tests.fakes.jobs import submitted

POLICY = VotePolicy(win_s=300, length_s=60, upvote_s=15, upvotes_cap_s=40)


@pytest.fixture
def queue(redis: store.Client) -> Queue:
    return Queue(redis)


@pytest.fixture
def votes(redis: store.Client) -> Votes:
    return Votes(redis)


async def cuts(queue: Queue) -> list[int]:
    return [job.number for job in (await queue.board(100)).waiting]


async def test_a_ballot_is_over_the_three_behind_the_next_and_the_winner_gets_its_credit(
    queue: Queue, votes: Votes
) -> None:
    for _ in range(5):
        await submitted(queue)
    ballot = await votes.open(POLICY, by="alice")
    assert [choice.number for choice in ballot.choices] == [2, 3, 4]
    assert ballot.closes_at - ballot.opened_at == pytest.approx(60, abs=0.01)
    for viewer, choice in (("a", "2"), ("b", "2"), ("c", "1")):
        await votes.cast(viewer, choice)
    assert [choice.votes for choice in (await votes.now()).choices] == [1, 2, 0]
    assert await votes.close(POLICY, by="alice")
    assert await cuts(queue) == [3, 1, 2, 4, 5]
    job, _ = await queue.look(ballot.choices[1].job_id)
    assert [(credit.reason, credit.seconds) for credit in job.credits] == [("won a vote, 2 of 3", 300)]
    assert (await votes.now()).winner == job.id


async def test_a_viewer_has_one_vote_and_may_change_it(queue: Queue, votes: Votes) -> None:
    jobs = [await submitted(queue) for _ in range(3)]
    await votes.open(POLICY, by="alice")
    await votes.cast("a", "1")
    assert await votes.cast("a", jobs[2].id) == jobs[2].id
    assert [choice.votes for choice in (await votes.now()).choices] == [0, 0, 1]
    with pytest.raises(ChoiceUnknown, match="1 to 3"):
        await votes.cast("a", "4")


async def test_there_is_one_ballot_at_a_time_and_it_needs_something_to_choose_from(queue: Queue, votes: Votes) -> None:
    with pytest.raises(BallotNotOpen):
        await votes.cast("a", "1")
    await submitted(queue)
    with pytest.raises(BallotTooSmall):
        await votes.open(POLICY, by="alice")
    await submitted(queue)
    await votes.open(POLICY, by="alice")
    with pytest.raises(BallotOpen):
        await votes.open(POLICY, by="bob")


async def test_a_winner_that_has_begun_meanwhile_needs_no_credit(queue: Queue, votes: Votes) -> None:
    await queue.configure(slots=1)
    first, _ = await submitted(queue), await submitted(queue)
    await votes.open(POLICY, by="alice")
    await votes.cast("a", first.id)
    await queue.admit()
    await votes.close(POLICY, by="alice")
    assert (await votes.now()).winner is None
    assert (await queue.look(first.id))[0].credits == []


async def test_a_ballot_closes_when_its_time_is_up_and_the_next_opens_by_itself(
    queue: Queue, votes: Votes, redis: store.Client
) -> None:
    auto = POLICY.model_copy(update={"auto": True})
    await votes.keep_up(auto)
    for _ in range(3):
        await submitted(queue)
    await votes.keep_up(auto)
    assert (await votes.now()).state == "open"
    await votes.keep_up(auto)
    await redis.hset(store.BALLOT, "closes_at", "1")
    with pytest.raises(BallotNotOpen):
        await votes.cast("a", "1")
    await votes.keep_up(auto)
    assert (await votes.now()).state == "closed"
    kinds = [entry["type"] for _, entry in await redis.xrange(store.EVENTS)]
    assert kinds[-2:] == ["ballot.opened", "ballot.closed"]


async def test_votes_for_a_waiting_job_count_once_for_each_viewer_up_to_a_cap(queue: Queue, votes: Votes) -> None:
    await submitted(queue)
    job = await submitted(queue)
    assert [await votes.upvote(job.id, viewer, POLICY) for viewer in "aabcd"] == [1, 1, 2, 3, 4]
    job, place = await queue.look(job.id)
    assert place == 1
    assert [(credit.reason, credit.seconds, credit.by) for credit in job.credits] == [("4 votes", 40, "votes")]
    assert job.requested_at - job.start_number == pytest.approx(40, abs=1e-4)


async def test_votes_are_for_jobs_that_wait(queue: Queue, votes: Votes) -> None:
    with pytest.raises(JobNotFound):
        await votes.upvote("job_nobody", "a", POLICY)
    job = await submitted(queue)
    await queue.cancel(job.id)
    with pytest.raises(JobNotWaiting, match="cancelled"):
        await votes.upvote(job.id, "a", POLICY)


async def test_a_job_wins_once_or_there_would_be_no_bound(queue: Queue, votes: Votes) -> None:
    jobs = [await submitted(queue) for _ in range(7)]
    for _ in range(2):
        await votes.open(POLICY, by="alice")
        await votes.cast("a", "1")
        await votes.close(POLICY, by="alice")
    winners = [job for job in jobs if (await queue.look(job.id))[0].credits]
    assert [[credit.seconds for credit in (await queue.look(job.id))[0].credits] for job in winners] == [[300], [300]]
    with pytest.raises(BallotTooSmall):
        await votes.open(POLICY, by="alice", job_ids=[job.id for job in winners])


async def test_a_job_is_one_choice_however_often_it_is_named(queue: Queue, votes: Votes) -> None:
    job = await submitted(queue)
    with pytest.raises(BallotTooSmall):
        await votes.open(POLICY, by="alice", job_ids=[job.id, job.id])


async def test_who_is_banned_has_no_vote(queue: Queue, votes: Votes, redis: store.Client) -> None:
    job, _ = await submitted(queue), await submitted(queue)
    await votes.open(POLICY, by="alice")
    await Moderation(redis).ban("twitch:troll", by="alice")
    with pytest.raises(ViewerBanned):
        await votes.cast("twitch:troll", "1")
    with pytest.raises(ViewerBanned):
        await votes.upvote(job.id, "twitch:troll", POLICY)
