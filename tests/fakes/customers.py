"""A show whose viewers pay, and a platform that takes each word about a redemption once."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, TypeVar

from redis.exceptions import ConnectionError  # noqa: A004 - redis-py's name

from sakuga import store
from sakuga.errors import RenderFailed, SakugaError
from sakuga.job import Job, JobStatus, RequestedBy, new_job_id
from sakuga.lifecycle import Lifecycle
from sakuga.purse import Purses
from sakuga.queue import Queue
from sakuga.redemption import Outcome, Redeemed, Redemption, RedemptionState
from sakuga.redemptions import Redemptions
from sakuga.support import Support, SupportKind
from sakuga.terms import Terms
from tests.fakes.jobs import clip, fields
from tests.fakes.purse import Purse

Status = Literal["UNFULFILLED", "FULFILLED", "CANCELED"]
Answer = TypeVar("Answer")
TOLD: dict[Outcome, Status] = {"fulfilled": "FULFILLED", "refunded": "CANCELED"}


@dataclass
class FakePlatform:
    """Knows each redemption, and refuses a second word about one, as Twitch does."""

    redemptions: dict[str, Status] = field(default_factory=dict)
    refused: int = 0

    def tell(self, redemption_id: str, outcome: Outcome) -> None:
        """Take in what became of a redemption, unless that was said before."""
        if self.redemptions[redemption_id] == "UNFULFILLED":
            self.redemptions[redemption_id] = TOLD[outcome]
        else:
            self.refused += 1


class Customers(Purse):
    """Viewers who pay with bits and points, whatever becomes of their requests."""

    def __init__(self, redis: store.Client) -> None:
        super().__init__(redis)
        self.purses = Purses(redis)
        self.redemptions = Redemptions(redis)
        self.platform = FakePlatform()
        self.given: Counter[str] = Counter()
        self.ids: list[str] = []
        self.by_hand: set[str] = set()
        self.broker_up = asyncio.Event()
        self.broker_up.set()
        self._number = 0

    async def surely(self, call: Callable[[], Awaitable[Answer]]) -> Answer:
        """Say something again until the broker has answered, as programs do whose answers were lost."""
        while True:
            try:
                return await call()
            except ConnectionError:
                await self.broker_up.wait()

    def named(self, prefix: str) -> str:
        """Return a new id."""
        self._number += 1
        return f"{prefix}-{self._number}"

    def spends_points(self) -> Redeemed:
        """Let a viewer redeem the reward."""
        redeemed = Redeemed(platform="twitch", id=self.named("red"), reward_id="reward", cost=500)
        self.platform.redemptions[redeemed.id] = "UNFULFILLED"
        return redeemed

    async def asks(self, who: int, *, bits: int = 0, points: bool = False, again: int = 1, active: int = 1000) -> None:
        """Ask for a clip; one that is refused gets its bits as credit and is owed its points."""
        viewer = RequestedBy(platform="twitch", id=str(who), bits=bits)
        redeemed = self.spends_points() if points else None
        terms = Terms(
            active=active,
            expire_s=60,
            held_for="doubt" if who == 2 else "",
            bits=bits,
            bits_most=1500,
            hundred_bits_s=60,
            bits_cap_s=900,
            paid={"active": active + 1},
            redemption=redeemed,
        )
        key = self.named("message")
        self.given[viewer.viewer] += bits
        asked = fields(requested_by=viewer.model_dump_json())
        keys = [key, *(f"{key}, by another program" for _ in range(again - 1))]
        for known in keys:
            try:
                job, _ = await self.surely(partial(self.queue.submit, new_job_id(), asked, [], terms, key=known))
            except SakugaError as refusal:
                await self._turned_away(Support(id=key, kind="refused", viewer=viewer, amount=bits), redeemed, refusal)
                return
            if job.id not in self.ids:
                self.ids.append(job.id)

    async def _turned_away(self, support: Support, redeemed: Redeemed | None, refusal: SakugaError) -> None:
        viewer = support.viewer
        about = {"viewer": viewer.viewer, "name": viewer.name, "reason": refusal.code}
        for _ in range(2):  # a bot that did not hear the answer says it again
            await self.surely(lambda: self.purses.receive(support, name=viewer.name, bits=support.amount))
            if redeemed:
                await self.surely(lambda: self.redemptions.refund(redeemed, **about))

    async def supports(self, who: int, kind: SupportKind, bits: int) -> None:
        """Give something that is worth so many bits, told twice."""
        viewer = RequestedBy(platform="twitch", id=str(who))
        support = Support(id=self.named("support"), kind=kind, viewer=viewer, amount=bits)
        self.given[viewer.viewer] += bits
        for _ in range(2):
            await self.surely(lambda: self.purses.receive(support, name="somebody", bits=bits))

    async def settle(self, *, dies: bool = False) -> None:
        """Tell the platform of what is due; one who dies does not come to write that down."""
        for redemption in await self.redemptions.listed(RedemptionState.DUE):
            assert redemption.outcome
            assert redemption.redemption_id not in self.by_hand
            self.platform.tell(redemption.redemption_id, redemption.outcome)
            if dies:
                return
            await self.redemptions.settled("twitch", redemption.redemption_id, redemption.outcome)

    async def settle_by_hand(self) -> None:
        """Let the streamer give the points back that a job holds for longest."""
        for redemption in await self.redemptions.listed(RedemptionState.HELD, 1):
            self.by_hand.add(redemption.redemption_id)
            self.platform.tell(redemption.redemption_id, "refunded")
            await self.redemptions.settled("twitch", redemption.redemption_id, "refunded")

    async def happens(self, what: str, job: Job) -> None:
        """Let something happen to a job, if it still can."""
        match what:
            case "begin":
                await self.lifecycle.begin_attempt(
                    job.model_copy(update={"attempt": job.attempt + 1, "handle": "render"})
                )
            case "fail":
                await self.lifecycle.fail(job, RenderFailed(reason="test"))
            case "succeed":
                await self.lifecycle.finish(job)
                await self.lifecycle.succeed(job, clip(id=job.id.replace("job", "clip"), job_id=job.id))
            case "cancel":
                await self.queue.cancel(job.id)
                if (await self.lifecycle.read(job.id))[1]:
                    await self.lifecycle.cancelled(job)
            case "expire":
                await self.redis.zadd(store.DEADLINES, {job.id: 1}, xx=True)
                await self.queue.expire()
            case "requeue":
                await self.redis.zrem(store.SLOTS, job.id)
                await self.lifecycle.requeue(job)
            case _:  # retry, hold, approve, reject
                after = await getattr(self.moderation, what)(job.id, by="alice")
                if after.id not in self.ids:
                    self.ids.append(after.id)

    async def jobs(self) -> list[Job]:
        """Return all jobs that there ever were."""
        return [(await self.queue.look(job_id))[0] for job_id in self.ids]

    async def everything_is_paid_once(self) -> None:
        """Say that no bit is lost or doubled, and that each redemption is where its job says."""
        jobs = await self.jobs()
        carried: Counter[str] = Counter()
        for job in jobs:
            if not job.terminal or job.status is JobStatus.SUCCEEDED:
                carried[job.viewer] += job.bits
        for viewer, bits in self.given.items():
            purse = (await self.purses.of(viewer)).bits
            assert purse >= 0
            assert purse + carried[viewer] == bits, viewer
        by_redemption = {job.redemption: job for job in jobs if job.redemption}
        listed = [one for state in RedemptionState for one in await self.redemptions.listed(state, 10_000)]
        assert sorted(one.redemption_id for one in listed) == sorted(self.platform.redemptions)
        for redemption in listed:
            self._stands_right(redemption, by_redemption.get(f"twitch:{redemption.redemption_id}"))

    def _stands_right(self, redemption: Redemption, job: Job | None) -> None:
        assert redemption.job_id == (job.id if job else None)
        told = self.platform.redemptions[redemption.redemption_id]
        if redemption.redemption_id in self.by_hand:
            assert (redemption.state, redemption.outcome, told) == (RedemptionState.SETTLED, "refunded", "CANCELED")
            return
        if job and not job.terminal:
            assert (redemption.state, redemption.outcome) == (RedemptionState.HELD, None)
            return
        owed: Outcome = "fulfilled" if job and job.status is JobStatus.SUCCEEDED else "refunded"
        assert redemption.state is not RedemptionState.HELD
        assert redemption.outcome == owed
        assert told == TOLD[owed] or (told == "UNFULFILLED" and redemption.state is RedemptionState.DUE)

    async def closes(self) -> None:
        """End the show: whatever lives is cancelled, and what is due is settled, by one who dies a few times first."""
        for job in await self.jobs():
            if not job.terminal:
                await self.happens("cancel", job)
        for _ in range(3):
            await self.settle(dies=True)
        await self.settle()
        assert await self.redemptions.listed(RedemptionState.DUE) == []
        assert await self.redemptions.listed(RedemptionState.HELD) == []
        assert "UNFULFILLED" not in self.platform.redemptions.values()


async def brought_to_end(redis: store.Client, job_id: str, *, made: bool) -> None:
    """Bring a job that waits through its render to its end, with a clip or without."""
    queue, lifecycle = Queue(redis), Lifecycle(redis)
    await queue.admit()
    job, _ = await queue.look(job_id)
    begun = job.model_copy(update={"attempt": 1, "handle": "render"})
    assert await lifecycle.begin_attempt(begun)
    if made:
        await lifecycle.finish(begun)
        assert await lifecycle.succeed(begun, clip(id=job_id.replace("job", "clip"), job_id=job_id))
    else:
        assert await lifecycle.fail(begun, RenderFailed(reason="test"))
