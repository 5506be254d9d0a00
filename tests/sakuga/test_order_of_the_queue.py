"""What the order of the queue promises, whoever asks for what and whenever."""

import asyncio

from fakeredis import FakeAsyncRedis, FakeServer
from hypothesis import given, settings
from hypothesis import strategies as st

from sakuga import store
from sakuga.ballot import VotePolicy
from sakuga.catalog import Catalog
from sakuga.job import Job, new_job_id
from sakuga.queue import Queue, Terms
from sakuga.votes import Votes
from tests.fakes.jobs import fields

CATALOG = Catalog()
ROLES = st.sampled_from([[], ["vip"], ["subscriber"], ["founder"], ["moderator"], ["subscriber", "vip"]])
ASKS = st.lists(
    st.tuples(
        st.floats(1_795_000_000, 1_795_010_000),  # when, in seconds since 1970
        ROLES,
        st.integers(0, 3000),  # bits
        st.integers(0, 3),  # who
        st.integers(0, 14),  # votes
    ),
    min_size=1,
    max_size=10,
)


async def waiting_after(asks: list[tuple[float, list[str], int, int, int]]) -> tuple[list[Job], store.Client]:
    redis = FakeAsyncRedis(server=FakeServer(), decode_responses=True)
    queue, votes, lanes = Queue(redis), Votes(redis), CATALOG.lanes
    for at, roles, bits, who, voters in sorted(asks, key=lambda ask: ask[0]):
        asked = fields(requested_by=f'{{"platform": "twitch", "id": "{who}"}}')
        terms = Terms(forced=True, requested_at=at, repeat_s=lanes.repeat_s, repeat_cap_s=lanes.repeat_cap_s)
        job, _ = await queue.submit(new_job_id(), asked, lanes.credits_for(roles, bits), terms)
        for voter in range(voters):
            await votes.upvote(job.id, f"twitch:{voter}", VotePolicy())
    return (await queue.board(100)).waiting, redis


@settings(max_examples=40, deadline=None)
@given(asks=ASKS)
def test_nobody_is_passed_by_who_asks_later_than_the_bound_that_the_job_states(
    asks: list[tuple[float, list[str], int, int, int]],
) -> None:
    async def story() -> None:
        waiting, redis = await waiting_after(asks)
        for place, ahead in enumerate(waiting):
            for behind in waiting[place + 1 :]:
                bound_s = CATALOG.most_credit_s - sum(credit.seconds for credit in behind.credits)
                assert ahead.requested_at - behind.requested_at <= bound_s + 1e-3
        await redis.aclose()

    asyncio.run(story())


@settings(max_examples=30, deadline=None)
@given(asks=ASKS)
def test_a_start_number_is_explained_by_its_credits_and_is_never_nothing(
    asks: list[tuple[float, list[str], int, int, int]],
) -> None:
    async def story() -> None:
        waiting, redis = await waiting_after(asks)
        for job in waiting:
            explained = job.requested_at - sum(credit.seconds for credit in job.credits)
            assert abs(job.start_number - explained) < 1e-3
            assert job.start_number > 0
            # Ahead of its time by what earlier jobs push it back, and by nothing else.
            pushed_s = sum(-credit.seconds for credit in job.credits if credit.seconds < 0)
            assert job.start_number <= job.requested_at + pushed_s + 1e-3
        await redis.aclose()

    asyncio.run(story())


@settings(max_examples=20, deadline=None)
@given(asks=ASKS)
def test_the_order_is_total_and_is_the_one_in_which_they_are_admitted(
    asks: list[tuple[float, list[str], int, int, int]],
) -> None:
    async def story() -> None:
        waiting, redis = await waiting_after(asks)
        queue = Queue(redis)
        assert [job.id for job in (await queue.board(100)).waiting] == [job.id for job in waiting]
        assert [job.id for job in waiting] == [
            job.id for job in sorted(waiting, key=lambda job: (job.start_number, job.id))
        ]
        await queue.configure(slots=len(waiting))
        await queue.admit()
        assert await redis.zrange(store.SLOTS, 0, -1) == [job.id for job in waiting]
        seconds, _ = await redis.time()
        scores = [score for _, score in await redis.zrange(store.SLOTS, 0, -1, withscores=True)]
        assert all(0 < score <= seconds * 1000 for score in scores), "what arq is given is never in the future"
        await redis.aclose()

    asyncio.run(story())


@settings(max_examples=15, deadline=None)
@given(rivals=st.lists(st.tuples(ROLES, st.integers(0, 5000)), min_size=1, max_size=12))
def test_nobody_starves_however_many_come_with_however_much(rivals: list[tuple[list[str], int]]) -> None:
    async def story() -> None:
        redis = FakeAsyncRedis(server=FakeServer(), decode_responses=True)
        queue, began = Queue(redis), 1_795_000_000.0
        terms = Terms(forced=True, requested_at=began)
        poor, _ = await queue.submit(new_job_id(), fields(), [], terms)
        for number, (roles, bits) in enumerate(rivals):
            late = Terms(forced=True, requested_at=began + CATALOG.most_credit_s + 1 + number)
            await queue.submit(new_job_id(), fields(), CATALOG.lanes.credits_for(roles, bits), late)
        assert (await queue.board(1)).waiting[0].id == poor.id
        await redis.aclose()

    asyncio.run(story())
