"""A studio that pays for what it draws."""

import json

from sakuga import store
from sakuga.budget import BudgetPolicy
from sakuga.engine import Cost
from sakuga.job import Job
from sakuga.ledger import Ledger
from sakuga.lifecycle import Lifecycle
from sakuga.moderation import Moderation
from sakuga.queue import Queue, Terms
from tests.fakes.jobs import clip, submitted

RATE = 0.5  # dollars a second: a few milliseconds are thousands of millionths
FREE = BudgetPolicy()
FREELY = Terms()


class Purse:
    """A studio that pays."""

    def __init__(self, redis: store.Client) -> None:
        self.redis = redis
        self.queue = Queue(redis)
        self.lifecycle = Lifecycle(redis)
        self.moderation = Moderation(redis)
        self.ledger = Ledger(redis)

    async def begun(self, job: Job, *, usd_per_s: float = RATE) -> Job:
        """Begin the next attempt of a job that has a slot."""
        now = await self.now(job)
        job = now.model_copy(update={"attempt": now.attempt + 1, "handle": f"render-{now.attempt + 1}"})
        assert await self.lifecycle.begin_attempt(job, usd_per_s=usd_per_s)
        return job

    async def drawing(self, terms: Terms = FREELY, viewer: str = "") -> Job:
        await self.queue.configure(slots=9)
        job = await submitted(self.queue, terms, viewer=viewer)
        await self.queue.admit()
        return await self.begun(job)

    async def now(self, job: Job) -> Job:
        return (await self.queue.look(job.id))[0]

    async def spent(self, job: Job) -> int:
        return (await self.now(job)).spent

    async def succeeded(self, job: Job, usd: float | None) -> None:
        cost = Cost(gpu="H100", seconds=4, usd=usd) if usd is not None else None
        await self.lifecycle.finish(job)
        made = clip(id=job.id.replace("job", "clip"), job_id=job.id, cost=cost)
        assert await self.lifecycle.succeed(job, made)

    async def events(self) -> list[dict[str, str]]:
        found = [fields for _, fields in await self.redis.xrange(store.EVENTS)]
        return [json.loads(fields["data"]) for fields in found if fields["type"] == "budget.changed"]
