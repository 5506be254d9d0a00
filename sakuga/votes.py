"""Votes: ballots over waiting jobs, and votes for any of them."""

import json
from collections.abc import Sequence

from ulid import ULID

from sakuga import store
from sakuga.act import Act
from sakuga.ballot import CHOICES, Ballot, Choice, VotePolicy
from sakuga.errors import (
    BallotNotOpen,
    BallotOpen,
    BallotTooSmall,
    ChoiceUnknown,
    JobNotFound,
    JobNotWaiting,
    ViewerBanned,
)
from sakuga.store import KEPT

LOOKED_AT = 20  # waiting jobs: some may have won before


class Votes:
    """Counts votes. Each method is one atomic step, so any process may call it."""

    def __init__(self, redis: store.Client) -> None:
        self._redis = redis
        self._ballot = store.script(redis, "ballot")
        self._vote = store.script(redis, "vote")
        self._upvote = store.script(redis, "upvote")

    async def open(self, policy: VotePolicy, *, by: str, job_ids: Sequence[str] = ()) -> Ballot:
        """Open a ballot over these jobs, or over the next three behind the first. Raises BallotOpen, BallotTooSmall."""
        chosen = list(dict.fromkeys(job_ids)) or await self._next()
        act = Act(type="ballot.opened", by=by)
        verdict = await self._ballot(
            args=["open", f"bal_{ULID()}", policy.length_s, act.model_dump_json(), CHOICES, *chosen]
        )
        if verdict[0] == "open":
            raise BallotOpen(closes_at=round(float(verdict[1])))
        if verdict[0] == "few":
            raise BallotTooSmall(needed=2, found=int(verdict[1]))
        return await self.now()

    async def _next(self) -> list[str]:
        first = await self._redis.zrange(store.WAITING, 0, LOOKED_AT)
        return list(first[1:] if len(first) > CHOICES else first)

    async def now(self) -> Ballot:
        """Return the ballot that is open, or the last one. Raises BallotNotOpen if there never was one."""
        found = await self._redis.hgetall(store.BALLOT)
        if not found:
            raise BallotNotOpen
        jobs = json.loads(found["jobs"])
        votes = list((await self._redis.hgetall(store.BALLOT_VOTES)).values())
        async with self._redis.pipeline(transaction=False) as pipe:
            for job_id in jobs:
                pipe.hget(store.JOB_PREFIX + job_id, "number")
            numbers = await pipe.execute()
        return Ballot(
            id=found["id"],
            state=found["state"],
            opened_at=float(found["opened_at"]),
            closes_at=float(found["closes_at"]),
            winner=found["winner"] or None,
            choices=[
                Choice(job_id=job_id, number=int(number or 0), votes=votes.count(job_id))
                for job_id, number in zip(jobs, numbers, strict=True)
            ],
        )

    async def cast(self, viewer: str, choice: str) -> str:
        """Count a viewer's vote on the open ballot, by number or job id, and return the job that it is for.

        A viewer who votes again changes their vote. Raises BallotNotOpen, ChoiceUnknown, ViewerBanned.
        """
        verdict = await self._vote(args=[viewer, choice])
        if verdict[0] == "none":
            raise BallotNotOpen
        if verdict[0] == "banned":
            raise ViewerBanned(viewer=viewer)
        if verdict[0] == "unknown":
            raise ChoiceUnknown(choice=choice, choices=int(verdict[1]))
        return str(verdict[1])

    async def close(self, policy: VotePolicy, *, by: str, over: bool = False) -> bool:
        """Close the open ballot and give the winner its credit; with `over` only if its time is up."""
        act = "" if over else Act(type="ballot.closed", by=by).model_dump_json()
        verdict = await self._ballot(args=["close", policy.win_s, act, "" if over else "now"])
        return bool(verdict[0] == "ok")

    async def upvote(self, job_id: str, viewer: str, policy: VotePolicy) -> int:
        """Count a viewer's vote for a waiting job, once, and return how many it has.

        Raises JobNotFound, JobNotWaiting, ViewerBanned.
        """
        verdict = await self._upvote(args=[job_id, viewer, policy.upvote_s, policy.upvotes_cap_s])
        if verdict[0] == "unknown":
            raise JobNotFound(job_id=job_id, kept_days=KEPT.days)
        if verdict[0] == "conflict":
            raise JobNotWaiting(status=verdict[1])
        if verdict[0] == "banned":
            raise ViewerBanned(viewer=viewer)
        return int(verdict[1])

    async def keep_up(self, policy: VotePolicy) -> None:
        """Close a ballot whose time is up, and open the next one where the show wants that."""
        await self.close(policy, by="studio", over=True)
        if not policy.auto:
            return
        seconds, _ = await self._redis.time()
        state, closed_at = await self._redis.hmget(store.BALLOT, "state", "closes_at")
        due = state != "open" and seconds >= float(closed_at or 0) + policy.every_s
        if due and await self._redis.zcard(store.WAITING) >= CHOICES:
            try:
                await self.open(policy, by="studio")
            except (BallotOpen, BallotTooSmall):
                return
