"""A running job's life: every change of status after admission, by compare-and-set."""

from collections.abc import Collection
from typing import Any

from sakuga import store
from sakuga.act import Act
from sakuga.budget import micro
from sakuga.clip import Clip
from sakuga.engine import Progress
from sakuga.errors import JobNotFound, SakugaError
from sakuga.event import EventType
from sakuga.job import RUNNING, Job, JobError, JobStatus, sources_of
from sakuga.queue import parse
from sakuga.store import KEPT

PREVIEW_KEPT_S = 120
FINISHING = 99.0  # per cent, until the clip is there
FRESH = {
    "handle": "",
    "drawing": "",
    "preview": "",
    "stage": "loading",
    "progress": 0,
    "started_at": "",
}  # before an attempt
BY_TIME = "time"  # what an attempt cost, if its renderer has not said it


class Lifecycle:
    """Writes what happens to the jobs that this worker holds.

    Each method returns whether the change was made: False means that the job is no longer what the caller believed
    (cancelled, ended, or taken over at a later attempt), and that the caller should let go of it.
    """

    def __init__(self, redis: store.Client) -> None:
        self._redis = redis
        self._transition = store.script(redis, "transition")
        self._ask = store.script(redis, "ask")

    async def clock(self) -> float:
        """Return the broker's time, the one clock of the studio, in seconds since 1970."""
        return await store.clock(self._redis)

    async def read(self, job_id: str) -> tuple[Job, bool]:
        """Return a job and whether somebody asked to stop it. Raises JobNotFound."""
        fields = await self._redis.hgetall(store.JOB_PREFIX + job_id)
        if not fields:
            raise JobNotFound(job_id=job_id, kept_days=KEPT.days)
        return parse(fields), fields.get("cancel") == "1"

    async def ask(self, begun: Job) -> float:
        """Write down that a render is asked for by an attempt, and return when that was first done for it."""
        return float(await self._ask(args=[begun.id, begun.attempt]))

    async def begin_attempt(self, begun: Job, *, usd_per_s: float = 0.0, asked_at: float | None = None) -> bool:
        """Write the number and the handle of a new attempt in one step, and let its progress begin at nothing.

        `begun` is the job as it should be; it had one attempt less. The handle is what another worker re-attaches by.
        Each second from when it was asked for, or from now on, is taken to cost `usd_per_s`, until the renderer says
        what it was.
        """
        before = begun.model_copy(update={"attempt": begun.attempt - 1})
        if await self._change(
            before,
            RUNNING,
            JobStatus.STARTING,
            event=EventType.JOB_RETRIED if before.attempt else None,
            extra=f',"attempt":{begun.attempt}',
            stamp="meter_at" if asked_at is None else f"meter_at@{asked_at:.6f}",
            cost=BY_TIME,
            fields={
                **FRESH,
                "attempt": begun.attempt,
                "handle": begun.handle or "",
                "meter_rate": micro(usd_per_s),
            },
        ):
            return True
        now, _ = await self.read(begun.id)  # a reply that was lost on the way is asked for again, and finds it done
        return bool(begun.handle) and (now.attempt, now.handle) == (begun.attempt, begun.handle)

    async def give_back_attempt(self, job: Job) -> bool:
        """Undo an attempt that was cut short by nobody's fault, as when the worker is asked to stop."""
        fields = {"attempt": max(0, job.attempt - 1), **FRESH}
        return await self._change(job, RUNNING, JobStatus.STARTING, cost=BY_TIME, fields=fields)

    async def progress(self, job: Job, report: Progress) -> bool:
        """Store a report. The first one of an attempt is the start of its render."""
        percent = min(round(report.fraction * 100, 1), FINISHING)  # the last one comes with the clip
        fields: dict[str, Any] = {"stage": report.stage, "progress": percent}
        if report.engine:
            fields["drawing"] = report.engine
        if report.preview:
            await self._redis.set(store.PREVIEW_PREFIX + job.id, report.preview, ex=PREVIEW_KEPT_S)
            fields["preview"] = report.sequence
        if await self._change(
            job,
            {JobStatus.RENDERING},
            event=EventType.JOB_PROGRESSED,
            extra=f',"progress":{percent},"stage":"{report.stage}"',
            fields=fields,
        ):
            return True
        return await self._change(
            job,
            sources_of(JobStatus.RENDERING),
            JobStatus.RENDERING,
            event=EventType.JOB_STARTED,
            extra=f',"attempt":{job.attempt}',
            stamp="started_at",
            fields=fields,
        )

    async def finish(self, job: Job) -> bool:
        """Say that the render is done and its files are being checked and stored."""
        return await self._change(
            job,
            {JobStatus.STARTING, JobStatus.RENDERING, JobStatus.FINISHING},
            JobStatus.FINISHING,
            event=EventType.JOB_FINISHING,
            fields={"stage": "encode", "progress": FINISHING},
        )

    async def succeed(self, job: Job, clip: Clip) -> bool:
        """End a job with its clip: status, clip and events in one step."""
        return await self._change(
            job,
            sources_of(JobStatus.SUCCEEDED),
            JobStatus.SUCCEEDED,
            event=EventType.JOB_SUCCEEDED,
            fields={"progress": 100, "clip_id": clip.id},
            clip=clip,
            cost=micro(clip.cost.usd) if clip.cost else "",
        )

    async def fail(self, job: Job, error: SakugaError) -> bool:
        """End a job without a clip."""
        reason = JobError(code=error.code, message=str(error))
        return await self._change(
            job,
            sources_of(JobStatus.FAILED),
            JobStatus.FAILED,
            event=EventType.JOB_FAILED,
            extra=f',"code":"{error.code}"',
            fields={"error": reason.model_dump_json()},
        )

    async def cancelled(self, job: Job) -> bool:
        """End a job whose render was stopped because somebody asked."""
        return await self._change(
            job,
            sources_of(JobStatus.CANCELLED),
            JobStatus.CANCELLED,
            event=EventType.JOB_CANCELLED,
        )

    async def requeue(self, job: Job) -> bool:
        """Bring a job that arq lost back to its place in the waiting room."""
        return await self._change(job, RUNNING, JobStatus.QUEUED, fields={"stage": "waiting", "progress": 0})

    async def hold(self, job: Job, reason: str, act: Act) -> bool:
        """Take a waiting job out of the order until a moderator has decided."""
        return await self._change(
            job, {JobStatus.QUEUED}, JobStatus.HELD, event=EventType.JOB_HELD, fields={"held_for": reason}, act=act
        )

    async def approve(self, job: Job, act: Act) -> bool:
        """Let a held job into the waiting room, at the place that its start number gives it."""
        return await self._change(
            job, {JobStatus.HELD}, JobStatus.QUEUED, event=EventType.JOB_APPROVED, fields={"held_for": ""}, act=act
        )

    async def reject(self, job: Job, error: SakugaError, act: Act) -> bool:
        """End a waiting or held job for what it asks."""
        reason = JobError(code=error.code, message=str(error))
        return await self._change(
            job,
            sources_of(JobStatus.REJECTED),
            JobStatus.REJECTED,
            event=EventType.JOB_REJECTED,
            fields={"error": reason.model_dump_json()},
            act=act,
        )

    async def _change(
        self,
        job: Job,
        allowed: Collection[JobStatus],
        status: JobStatus | None = None,
        *,
        event: EventType | None = None,
        extra: str = "",
        stamp: str = "",
        fields: dict[str, Any] | None = None,
        clip: Clip | None = None,
        act: Act | None = None,
        cost: int | str = "",
    ) -> bool:
        verdict = await self._transition(
            args=[
                job.id,
                f",{','.join(sorted(allowed))},",
                status or "",
                job.attempt,
                event or "",
                extra,
                stamp,
                clip.id if clip else "",
                clip.model_dump_json() if clip else "",
                clip.render_s if clip else "",
                act.model_dump_json() if act else "",
                cost,
                *(part for pair in (fields or {}).items() for part in pair),
            ],
        )
        return bool(verdict[0] == "ok")
