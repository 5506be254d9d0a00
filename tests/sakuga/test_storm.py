"""Everybody at once: whatever moderators, viewers and workers do to the queue, no job and no money is lost."""

import asyncio
import json
from collections import Counter
from random import Random

import pytest

from sakuga import store
from sakuga.amendment import Amendment
from sakuga.ballot import VotePolicy
from sakuga.errors import RenderLost, SakugaError
from sakuga.job import RUNNING, JobStatus
from sakuga.lifecycle import Lifecycle
from sakuga.moderation import Moderation
from sakuga.queue import Queue, Terms
from sakuga.votes import Votes
from tests.fakes.jobs import submitted
from tests.fakes.valkey import Valkey

ENDS = {"job.succeeded", "job.failed", "job.cancelled", "job.rejected", "job.expired"}
OF_WORKERS = ["begin", "begin", "begin", "give_back", "fail"]
DECISIONS = ["hold", "approve", "reject", "cancel", "retry"]
SWITCHES = ["clear", "pause", "resume"]
VIEWERS = ["twitch:1", "twitch:viewer2"]
BANS = ["ban", "unban"]
OTHERS = ["submit", "submit", "submit", "submit_held", "admit", "admit", "move", "edit", "undo", "upvote", "ballot"]
OTHERS += ["expire"]
ACTS = [*OF_WORKERS, *DECISIONS, *SWITCHES, *BANS, *OTHERS]


class Crowd:
    """Does what comes to its mind. What the studio refuses is no matter."""

    def __init__(self, redis: store.Client, seed: int) -> None:
        self.redis = redis
        self.queue, self.moderation = Queue(redis), Moderation(redis)
        self.lifecycle, self.votes = Lifecycle(redis), Votes(redis)
        self._random = Random(seed)

    async def ids(self) -> list[str]:
        return sorted(key.removeprefix(store.JOB_PREFIX) for key in await self.redis.keys(store.JOB_PREFIX + "*"))

    async def act(self) -> None:
        what, ids = self._random.choice(ACTS), await self.ids()
        if what.startswith("submit") or not ids:
            terms = Terms(estimate=7, expire_s=50, active=4, repeat_s=60, repeat_cap_s=600)
            if what == "submit_held":
                terms = Terms(estimate=7, expire_s=50, held_for="doubt")
            await submitted(self.queue, terms, viewer=str(self._random.randrange(6)))
        elif what in OF_WORKERS:
            await self._work(what)
        elif what in DECISIONS:
            await getattr(self.moderation, what)(self._random.choice(ids), by="a")
        elif what in SWITCHES:
            await getattr(self.moderation, what)(by="a")
        elif what in BANS:
            await getattr(self.moderation, what)(self._random.choice(VIEWERS), by="a")
        else:
            await self._other(what, self._random.choice(ids))

    async def _other(self, what: str, job_id: str) -> None:
        who = self._random.choice(VIEWERS)
        match what:
            case "move":
                await self.moderation.amend(job_id, Amendment(place=self._random.randrange(1, 5)), by="a")
            case "edit":
                held_for = self._random.choice(["", "doubt"])
                edited = Amendment(fields={"prompt": "p", "estimate": 9}, held_for=held_for)
                await self.moderation.amend(job_id, edited, by="a")
            case "undo":
                for entry in (await self.moderation.audit.latest(30))[-1:]:
                    await self.moderation.undo(entry.id, by="a")
            case "upvote":
                await self.votes.upvote(job_id, who, VotePolicy())
            case "ballot":
                await self.votes.open(VotePolicy(), by="a")
                await self.votes.cast(who, "1")
                await self.votes.close(VotePolicy(), by="a")
            case "expire":
                await self.redis.zadd(store.DEADLINES, {job_id: 1}, xx=True)
                await self.queue.expire()
            case _:
                await self.queue.admit()

    async def _work(self, what: str) -> None:
        for job_id in (await self.redis.zrange(store.RUNNING, 0, -1))[:1]:
            job, stop = await self.lifecycle.read(job_id)
            if stop:
                await self.lifecycle.cancelled(job)
            elif what == "begin":
                begun = job.model_copy(update={"attempt": job.attempt + 1, "handle": "render"})
                await self.lifecycle.begin_attempt(begun, usd_per_s=0.5)
            elif what == "give_back":
                await self.lifecycle.give_back_attempt(job)
            else:
                await self.lifecycle.fail(job, RenderLost())
            if (await self.lifecycle.read(job_id))[0].terminal:
                await self.redis.zrem(store.SLOTS, job_id)

    async def run(self, acts: int) -> None:
        for _ in range(acts):
            try:
                await self.act()
            except SakugaError:
                continue


@pytest.mark.parametrize("seed", range(3))
async def test_each_job_is_in_one_set_ends_once_and_all_sums_are_right(valkey: Valkey, seed: int) -> None:
    redis = store.connect(valkey.url)
    crowd = Crowd(redis, seed)
    await crowd.queue.configure(slots=2)
    await asyncio.gather(*(crowd.run(60) for _ in range(5)))

    jobs = [(await crowd.queue.look(job_id))[0] for job_id in await crowd.ids()]
    assert len(jobs) > 20
    for name, statuses in (
        (store.WAITING, {JobStatus.QUEUED}),
        (store.HELD, {JobStatus.HELD}),
        (store.RUNNING, RUNNING),
    ):
        assert set(await redis.zrange(name, 0, -1)) == {job.id for job in jobs if job.status in statuses}
    for job in jobs:
        credit_s = sum(credit.seconds for credit in job.credits)
        assert job.requested_at - job.start_number == pytest.approx(credit_s, abs=0.05)
    assert int(await redis.hget(store.STUDIO, "reserved")) == sum(job.estimate for job in jobs if not job.terminal)
    spent = int(await redis.get(store.SPENT_PREFIX + "total") or 0)
    assert spent == sum(job.spent for job in jobs)
    assert spent == sum(int(line["usd_micro"]) for _, line in await redis.xrange(store.LEDGER))
    told = [(entry["type"], json.loads(entry["data"])) for _, entry in await redis.xrange(store.EVENTS)]
    ends = Counter(data["job_id"] for kind, data in told if kind in ENDS)
    assert ends == dict.fromkeys((job.id for job in jobs if job.terminal), 1)
    await redis.aclose()
