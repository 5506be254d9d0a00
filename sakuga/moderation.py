"""Moderation: what moderators do to the queue. Each act is one atomic step and stands in the audit log."""

import json

from sakuga import store
from sakuga.act import Act, Entry
from sakuga.amendment import Amendment
from sakuga.audit import Audit
from sakuga.ban import Ban, known_as
from sakuga.errors import (
    ActNotFound,
    JobChanged,
    JobNotEnded,
    JobNotFound,
    JobNotWaiting,
    KeyReused,
    PromptRefused,
    SakugaError,
)
from sakuga.job import RUNNING, TERMINAL, WAITING, Job, JobStatus, new_job_id
from sakuga.lane import Credit, Lane
from sakuga.lifecycle import Lifecycle
from sakuga.playout import Playout
from sakuga.queue import REQUEST_KEPT, Queue, Terms, readable
from sakuga.show import Shows
from sakuga.store import KEPT

TRIES = 5  # of an act that somebody else's came before
OF_LANES = frozenset(Lane)  # reasons of credits for the lane itself


class Moderation:
    """Acts on the queue by name of who does them.

    What takes an act back is `final`: it can't be taken back in turn, so whoever goes on taking back gets further.
    """

    def __init__(self, redis: store.Client) -> None:
        self._redis = redis
        self._queue = Queue(redis)
        self._lifecycle = Lifecycle(redis)
        self._amend = store.script(redis, "amend")
        self._switch = store.script(redis, "switch")
        self._ban = store.script(redis, "ban")
        self.audit = Audit(redis)

    # --- one job -----------------------------------------------------------------------------------------------------

    async def amend(self, job_id: str, change: Amendment, *, by: str, revision: int | None = None) -> Job:
        """Change a waiting job and return it. With `revision` only if it is still at that one.

        Raises JobNotFound, JobNotWaiting, KeyReused, and JobChanged with its present state.
        """
        for _ in range(TRIES):
            job, _ = await self._queue.look(job_id)
            seen = job.revision if revision is None else revision
            if await self._amended(job, change, by, seen):
                return (await self._queue.look(job_id))[0]
            if revision is not None:
                break
        job, _ = await self._queue.look(job_id)
        raise JobChanged(status=job.status.value, revision=job.revision)

    async def _amended(self, job: Job, change: Amendment, by: str, seen: int) -> bool:
        now = await self._lifecycle.clock()
        granted = list(job.credits)
        fields = dict(change.fields or {})
        if change.lane is not None and change.lane is not job.lane:
            granted = [credit for credit in granted if credit.reason not in OF_LANES]
            granted += [credit.model_copy(update={"by": by, "at": now}) for credit in change.lane_credits]
            fields["lane"] = change.lane
        if change.credit_s:
            reason = change.reason or f"moderator {by}"
            granted.append(Credit(reason=reason[:60], seconds=change.credit_s, by=by, at=now))
        gained_s = sum(credit.seconds for credit in granted) - sum(credit.seconds for credit in job.credits)
        told = {
            "key": change.key,
            "fingerprint": change.fingerprint,
            "key_s": round(REQUEST_KEPT.total_seconds()),
            "credits": json.dumps([credit.model_dump() for credit in granted], ensure_ascii=False),
            "credit_s": gained_s,
            "place": -1 if change.place is None else max(0, change.place - 1),
            "reason": (change.reason or f"moderator {by}")[:60],
            "by": by,
            "held_for": change.held_for,
        }
        act = Act(
            type="job.amended",
            by=by,
            job_id=job.id,
            reason=change.reason,
            detail=change.named,
            undo=None if fields or change.final else "move_back",
        )
        verdict = await self._amend(
            args=[
                job.id,
                seen,
                json.dumps(told, ensure_ascii=False),
                act.model_dump_json(),
                *(part for pair in fields.items() for part in pair),
            ]
        )
        if verdict[0] == "unknown":
            raise JobNotFound(job_id=job.id, kept_days=KEPT.days)
        if verdict[0] == "conflict":
            raise JobNotWaiting(status=verdict[1])
        if verdict[0] == "reused":
            raise KeyReused
        return bool(verdict[0] == "ok")

    async def hold(self, job_id: str, *, by: str, reason: str = "", final: bool = False) -> Job:
        """Take a waiting job out of the order. One that is held already stays so. Raises JobNotFound, JobNotWaiting."""
        act = Act(type="job.held", by=by, job_id=job_id, reason=reason, undo=None if final else "approve")
        return await self._decided(job_id, JobStatus.HELD, act)

    async def approve(self, job_id: str, *, by: str, reason: str = "", final: bool = False) -> Job:
        """Let a held job wait for its turn; one that waits or runs stays so. Raises JobNotFound, JobNotWaiting."""
        act = Act(type="job.approved", by=by, job_id=job_id, reason=reason, undo=None if final else "hold")
        return await self._decided(job_id, JobStatus.QUEUED, act)

    async def reject(self, job_id: str, *, by: str, reason: str = "") -> Job:
        """End a held or waiting job for what it asks. Raises JobNotFound, JobNotWaiting."""
        act = Act(type="job.rejected", by=by, job_id=job_id, reason=reason, undo="retry")
        return await self._decided(job_id, JobStatus.REJECTED, act)

    async def _decided(self, job_id: str, wanted: JobStatus, act: Act) -> Job:
        for _ in range(TRIES):
            job, _ = await self._queue.look(job_id)
            if job.status is wanted or (wanted is JobStatus.QUEUED and job.status in RUNNING):
                return job
            if job.status not in WAITING:
                break
            if wanted is JobStatus.HELD:
                await self._lifecycle.hold(job, act.reason or f"held by {act.by}", act)
            elif wanted is JobStatus.QUEUED:
                await self._lifecycle.approve(job, act)
            elif wanted is JobStatus.REJECTED:
                refusal = PromptRefused(reason=act.reason or "a moderator decided so")
                await self._lifecycle.reject(job, refusal, act)
        raise JobNotWaiting(status=job.status.value)

    async def cancel(self, job_id: str, *, by: str, reason: str = "") -> str:
        """End a job wherever it is; see Queue.cancel. Raises JobNotFound."""
        job, _ = await self._queue.look(job_id)
        undo = "retry" if job.status in WAITING else None
        act = Act(type="job.cancelled", by=by, job_id=job_id, reason=reason, undo=undo)
        return await self._queue.cancel(job_id, act)

    async def retry(self, job_id: str, *, by: str, reason: str = "") -> Job:
        """Ask once more for what ended without a clip: with the same place in time, and no limits.

        What was rejected, or was held to its end, is held again. Asked for twice, it is the same job.
        Raises JobNotFound, JobNotEnded, and ViewerBanned until that is lifted.
        """
        job, _ = await self._queue.look(job_id)
        if job.status not in TERMINAL or job.status is JobStatus.SUCCEEDED:
            raise JobNotEnded(status=job.status.value)
        terms = Terms(
            forced=True,
            retry_of=job_id,
            requested_at=job.requested_at,
            held_for="rejected before" if job.status is JobStatus.REJECTED else job.held_for,
            estimate=job.estimate,
        )
        again, _ = await self._queue.submit(
            new_job_id(),
            job.wishes,
            job.credits,
            terms,
            act=Act(type="job.retried", by=by, job_id=job_id, reason=reason),
        )
        return again

    # --- the whole queue ---------------------------------------------------------------------------------------------

    async def held(self, limit: int = 200) -> list[Job]:
        """Return the jobs that wait for a decision, in the order in which they would be drawn."""
        ids = await self._redis.zrange(store.HELD, 0, limit - 1)
        return await self._jobs(ids)

    async def jobs_of(self, viewer: str, limit: int = 100) -> list[Job]:
        """Return a viewer's newest jobs that are still known, the newest first."""
        return await self._jobs(await self._redis.zrevrange(store.VIEWER_PREFIX + viewer, 0, limit - 1))

    async def _jobs(self, ids: list[str]) -> list[Job]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for job_id in ids:
                pipe.hgetall(store.JOB_PREFIX + job_id)
            found = await pipe.execute()
        return readable(fields for fields in found if fields)

    async def pause(self, *, by: str, final: bool = False) -> bool:
        """Let nobody begin until `resume`; what runs is not touched. Returns whether that changed anything."""
        return await self._switched(Act(type="queue.paused", by=by, undo=None if final else "resume"), paused=1)

    async def resume(self, *, by: str, final: bool = False) -> bool:
        """Go on after `pause`."""
        return await self._switched(Act(type="queue.resumed", by=by, undo=None if final else "pause"), paused=0)

    async def open(self, *, by: str, final: bool = False) -> bool:
        """Take requests again."""
        return await self._switched(
            Act(type="queue.opened", by=by, undo=None if final else "close"), closed=0, draining=0
        )

    async def close(self, *, by: str, final: bool = False) -> bool:
        """Take no more requests; what waits is still drawn."""
        return await self._switched(Act(type="queue.closed", by=by, undo=None if final else "open"), closed=1)

    async def drain(self, *, by: str) -> bool:
        """Take no more requests, draw what waits, and let go of the GPU after the last."""
        return await self._switched(Act(type="queue.drained", by=by, undo="open"), closed=1, draining=1)

    async def drained(self) -> bool:
        """Say that the last job of a queue that was drained has ended; returns whether it had been draining."""
        return bool(await self._switch(args=["", "draining", "0"]))

    async def _switched(self, act: Act, **fields: int) -> bool:
        return bool(
            await self._switch(args=[act.model_dump_json(), *(part for pair in fields.items() for part in pair)])
        )

    async def clear(self, *, by: str, reason: str = "") -> int:
        """End every job that waits or is held, and return how many those were. What runs is not touched."""
        ended = 0
        for job_id in [*await self._redis.zrange(store.WAITING, 0, -1), *await self._redis.zrange(store.HELD, 0, -1)]:
            act = Act(type="job.cancelled", by=by, job_id=job_id, reason=reason or "queue cleared", undo="retry")
            ended += await self._queue.cancel(job_id, act, waiting=True) == "cancelled"
        return ended

    # --- viewers -----------------------------------------------------------------------------------------------------

    async def ban(self, viewer: str, *, by: str, reason: str = "", until: float | None = None) -> tuple[Ban, list[str]]:
        """Keep a viewer out and stop what they have; return the ban and the jobs that were ended.

        A viewer is named as jobs name them, or by login, as in `twitch:mika`.
        """
        viewer = known_as(viewer)
        ban = Ban(viewer=viewer, reason=reason, by=by, at=await self._lifecycle.clock(), until=until)
        act = Act(type="ban.added", by=by, viewer=viewer, reason=reason, undo="unban")
        _, theirs = await self._ban(args=[viewer, ban.model_dump_json(), act.model_dump_json()])
        for job_id in theirs:
            await self.cancel(job_id, by=by, reason="viewer banned")
        return ban, list(theirs)

    async def unban(self, viewer: str, *, by: str) -> bool:
        """Let a viewer ask again, and return whether they had been kept out."""
        viewer = known_as(viewer)
        act = Act(type="ban.removed", by=by, viewer=viewer)
        changed, _ = await self._ban(args=[viewer, "", act.model_dump_json()])
        return bool(changed)

    async def bans(self) -> list[Ban]:
        """Return who is kept out, the newest first; bans that ran out are forgotten."""
        now = await self._lifecycle.clock()
        found: list[Ban] = []
        for viewer, text in (await self._redis.hgetall(store.BANS)).items():
            ban = Ban.model_validate_json(text)
            if ban.until is None or ban.until > now:
                found.append(ban)
            else:
                await self._ban(args=[viewer, "", "", text])  # unless somebody has banned them anew meanwhile
        return sorted(found, key=lambda ban: -ban.at)

    # --- taking back -------------------------------------------------------------------------------------------------

    async def undo(self, act_id: str, *, by: str) -> Entry:
        """Take an act back, once. Raises ActNotFound, ActUndone, and what the opposite act raises if it is too late."""
        entry = await self.audit.find(act_id)
        await self.audit.claim(entry)
        try:
            await self._undone(entry.act, by)
        except SakugaError:
            await self.audit.give_back(entry)
            raise
        await self.audit.note(Act(type="act.undone", by=by, job_id=entry.act.job_id, detail={"act_id": act_id}))
        return entry.model_copy(update={"undone": True})

    async def _undone(self, act: Act, by: str) -> None:
        match act.undo, act.job_id, act.viewer:
            case "move_back", str(job_id), _:
                await self.amend(job_id, Amendment(credit_s=-act.moved_s, reason=f"undone by {by}", final=True), by=by)
            case ("approve" | "hold") as way, str(job_id), _:
                await getattr(self, way)(job_id, by=by, reason="undone", final=True)
            case "retry", str(job_id), _:
                await self.retry(job_id, by=by, reason="undone")
            case ("pause" | "resume" | "open" | "close") as way, _, _:
                await getattr(self, way)(by=by, final=True)
            case "release", _, _:
                await Playout(self._redis).release(by=by)
            case "show", _, _:
                await Shows(self._redis).put_back(act.detail["was"], by=by)
            case "unban", _, str(viewer):
                await self.unban(viewer, by=by)
            case _:
                raise ActNotFound(act_id=act.type)
