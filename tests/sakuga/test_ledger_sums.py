"""Whatever happens to jobs, all sums of the ledger are the same."""

import asyncio

from fakeredis import FakeAsyncRedis, FakeServer
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sakuga import store
from sakuga.engine import Cost
from sakuga.errors import RenderFailed
from sakuga.job import Job, JobStatus
from sakuga.queue import Terms
from sakuga.session import Sessions
from tests.fakes.jobs import clip, submitted
from tests.fakes.purse import FREE, RATE, Purse

ACTS = (
    "submit",
    "admit",
    "begin",
    "fail",
    "succeed",
    "succeed_with_a_bill",
    "cancel",
    "requeue",
    "give_back",
    "expire",
    "hold",
    "retry",
)


class Show(Purse):
    """A show in which anything may happen to any job."""

    def __init__(self, redis: store.Client) -> None:
        super().__init__(redis)
        self.jobs: list[Job] = []

    async def act(self, what: str, who: int) -> None:
        if what == "submit":
            terms = Terms(estimate=who * 11, expire_s=60, held_for="doubt" if who == 3 else "")
            self.jobs.append(await submitted(self.queue, terms, viewer=str(who)))
        elif what == "admit":
            await self.queue.admit()
        elif self.jobs:
            job = await self.now(self.jobs[who % len(self.jobs)])
            await getattr(self, f"to_{what}")(job)

    async def to_begin(self, job: Job) -> None:
        begun = job.model_copy(update={"attempt": job.attempt + 1, "handle": "render"})
        await self.lifecycle.begin_attempt(begun, usd_per_s=RATE)

    async def to_fail(self, job: Job) -> None:
        await self.lifecycle.fail(job, RenderFailed(reason="test"))

    async def to_succeed(self, job: Job, cost: Cost | None = None) -> None:
        await self.lifecycle.finish(job)
        await self.lifecycle.succeed(job, clip(id=job.id.replace("job", "clip"), job_id=job.id, cost=cost))

    async def to_succeed_with_a_bill(self, job: Job) -> None:
        await self.to_succeed(job, Cost(gpu="L4", seconds=1, usd=0.000123))

    async def to_cancel(self, job: Job) -> None:
        await self.queue.cancel(job.id)
        await self.lifecycle.cancelled(job)

    async def to_requeue(self, job: Job) -> None:
        await self.redis.zrem(store.SLOTS, job.id)
        await self.lifecycle.requeue(job)

    async def to_give_back(self, job: Job) -> None:
        await self.lifecycle.give_back_attempt(job)

    async def to_expire(self, job: Job) -> None:
        if await self.redis.zscore(store.DEADLINES, job.id) is not None:
            await self.redis.zadd(store.DEADLINES, {job.id: 1})
        await self.queue.expire()

    async def to_hold(self, job: Job) -> None:
        if job.status is JobStatus.QUEUED:
            await self.moderation.hold(job.id, by="alice")

    async def to_retry(self, job: Job) -> None:
        if job.terminal and job.status is not JobStatus.SUCCEEDED:
            again = await self.moderation.retry(job.id, by="alice")
            if again.id not in {known.id for known in self.jobs}:
                self.jobs.append(again)

    async def balanced(self) -> None:
        """Say that all sums are the same."""
        jobs = [await self.now(job) for job in self.jobs]
        spent = sum(job.spent for job in jobs)
        entries = [entry async for entry in self.ledger.entries()]
        keys = [key async for key in self.redis.scan_iter(store.SPENT_PREFIX + "session:*")]
        sessions = [int(await self.redis.get(key)) for key in keys]
        spenders = [key async for key in self.redis.scan_iter(store.SPENDERS_PREFIX + "*")]
        viewers = [amount for key in spenders for _, amount in await self.redis.zrange(key, 0, -1, withscores=True)]
        funds = await self.ledger.funds(FREE)
        assert {sum(entry.usd_micro for entry in entries), sum(sessions), sum(viewers), funds.total} == {spent}
        assert all(entry.usd_micro > 0 for entry in entries)
        assert all(job.spent >= 0 for job in jobs)
        reserved = int(await self.redis.hget(store.STUDIO, "reserved") or 0)
        assert reserved == sum(job.estimate for job in jobs if not job.terminal)
        assert funds.promised >= reserved >= 0


@hypothesis_settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(("submit", "admit", "begin", *ACTS)), st.integers(1, 5)), max_size=40))
def test_whatever_happens_all_sums_are_the_same_and_nothing_is_negative(acts: list[tuple[str, int]]) -> None:
    async def story() -> None:
        redis = FakeAsyncRedis(server=FakeServer(), decode_responses=True)
        show = Show(redis)
        await show.queue.configure(slots=3)
        for number, (what, who) in enumerate(acts):
            if number == len(acts) // 2:
                await Sessions(redis).begin(by="alice")
            await show.act(what, who)
        await show.balanced()
        await redis.aclose()

    asyncio.run(story())
