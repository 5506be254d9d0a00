"""The queue: the waiting room and its order, from acceptance until a slot is free."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from arq.constants import abort_jobs_ss, in_progress_key_prefix, job_key_prefix

from sakuga import store
from sakuga.act import Act
from sakuga.errors import JobNotFound, JobNotTheirs
from sakuga.job import Job
from sakuga.lane import Credit
from sakuga.log import get_logger
from sakuga.store import KEPT
from sakuga.terms import FREELY, SESSION, Terms, refuse, told

__all__ = ["REQUEST_KEPT", "SESSION", "Board", "Queue", "Terms", "encode_task", "parse", "readable"]

log = get_logger("queue")

REQUEST_KEPT = timedelta(days=1)  # how long an idempotency key is remembered
RENDER_TASK = "render"
JSON_FIELDS = ("requested_by", "characters", "credits", "error", "ensemble", "crowd")
OPTIONAL_FIELDS = ("handle", "drawing", "preview", "admitted_at", "started_at", "finished_at", "clip_id", "expires_at")


def encode_task(document: dict[str, Any]) -> bytes:
    """Write an arq task or result as JSON: whoever can write to Redis must not be able to run code."""
    return json.dumps(document, default=repr).encode()


TASK = encode_task({"t": None, "f": RENDER_TASK, "a": ["JOB_ID"], "k": {}, "et": 0})  # what arq is told to run
KEPT_MS = round(KEPT.total_seconds() * 1000)


def parse(fields: Mapping[str, str]) -> Job:
    """Return the job that a hash holds."""
    document: dict[str, Any] = dict(fields)
    for name in JSON_FIELDS:
        if name in document:
            document[name] = json.loads(document[name])
    for name in OPTIONAL_FIELDS:
        if document.get(name) == "":
            document[name] = None
    return Job.model_validate(document)


def _pairs(flat: list[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def readable(hashes: Iterable[Mapping[str, str]]) -> list[Job]:
    """Return the jobs of these hashes without those that can't be read: one must not hide all others."""
    jobs: list[Job] = []
    for fields in hashes:
        try:
            jobs.append(parse(fields))
        except ValueError as error:
            log.error("job.unreadable", job_id=fields.get("id"), reason=type(error).__name__)  # noqa: TRY400
    return jobs


@dataclass(frozen=True, slots=True)
class Board:
    """The queue at one moment. `now` and the jobs' times are the broker's clock."""

    slots: int
    paused: bool
    waiting_count: int
    now: float
    running: list[Job]
    waiting: list[Job] = field(default_factory=list)
    held_count: int = 0
    closed: bool = False
    draining: bool = False
    live: bool = False


class Queue:
    """The waiting room. Each method is one atomic step in Redis, so any number of processes may call it."""

    def __init__(self, redis: store.Client) -> None:
        self._redis = redis
        self._submit = store.script(redis, "submit")
        self._admit = store.script(redis, "admit")
        self._look = store.script(redis, "look")
        self._peek = store.script(redis, "peek")
        self._board = store.script(redis, "board")
        self._cancel = store.script(redis, "cancel")
        self._expire = store.script(redis, "expire")
        self._restore = store.script(redis, "restore")

    async def submit(
        self,
        job_id: str,
        request: Mapping[str, str | int | float],
        credits: Iterable[Credit],  # noqa: A002 - the domain's word
        terms: Terms = FREELY,
        *,
        key: str | None = None,
        key_kept: timedelta = REQUEST_KEPT,
        fingerprint: str = "",
        act: Act | None = None,
    ) -> tuple[Job, int | None]:
        """Put a job into the waiting room and return it with its place (1 is next, None when it waits no longer).

        `request` holds the job's own fields. With a `key` that was used for the same `fingerprint` within `key_kept`,
        the first job is returned again, and so it is with a redemption that has a job. Bits of the viewer's purse are
        added to its own. Raises KeyReused for another fingerprint, and if it may not join: RedemptionSpent,
        MessageRetracted, RemixNotFound, QueueClosed, ViewerBanned, CoolingDown, ViewerBusy, QueueFull, BudgetSpent.
        """
        granted = list(credits)
        asked = {
            **told(request, terms, key or job_id, fingerprint),
            "credits": json.dumps([credit.model_dump() for credit in granted], ensure_ascii=False),
            "credit_s": sum(credit.seconds for credit in granted),
            "key_s": round(key_kept.total_seconds()),
            "act": act.model_dump_json() if act else "",
        }
        verdict, detail = await self._submit(
            args=[job_id, json.dumps(asked), *(part for pair in request.items() for part in pair)]
        )
        refuse(verdict, detail, request, terms)
        return await self.look(detail)

    async def check(
        self, request: Mapping[str, str | int | float], terms: Terms, *, key: str | None = None, fingerprint: str = ""
    ) -> str | None:
        """Say whether a request could join, before anything is done for it; return the job that it made before, if so.

        Raises what `submit` raises.
        """
        asked = {**told(request, terms, key or "", fingerprint), "dry": True}
        verdict, detail = await self._submit(args=["", json.dumps(asked)])
        refuse(verdict, detail, request, terms)
        return str(detail) or None

    async def look(self, job_id: str) -> tuple[Job, int | None]:
        """Return a job and its place among those that wait (1 is next), or None. Raises JobNotFound."""
        found = await self._look(args=[job_id])
        if not found:
            raise JobNotFound(job_id=job_id, kept_days=KEPT.days)
        rank = found[1]
        return parse(_pairs(found[0])), None if rank is None else int(rank) + 1

    async def peek(self, job_id: str) -> tuple[int, int | None]:
        """Return a job's revision and its place: all that tells whether `look` would say something new.

        Raises JobNotFound.
        """
        found = await self._peek(args=[job_id])
        if not found:
            raise JobNotFound(job_id=job_id, kept_days=KEPT.days)
        return int(found[0]), None if found[1] is None else int(found[1]) + 1

    async def board(self, limit: int = 0) -> Board:
        """Return the queue's figures, its running jobs and the first `limit` of those that wait."""
        studio, waiting_count, held_count, now, running, waiting = await self._board(args=[limit])
        told = _pairs(studio)
        return Board(
            slots=int(told.get("slots", 1)),
            paused=told.get("paused") == "1",
            closed=told.get("closed") == "1",
            draining=told.get("draining") == "1",
            live=told.get("live") == "1",
            waiting_count=int(waiting_count),
            held_count=int(held_count),
            now=float(now),
            running=readable(map(_pairs, running)),
            waiting=readable(map(_pairs, waiting)),
        )

    async def admit(self) -> int:
        """Give the first waiting jobs the free slots and return how many were admitted. Any process may call it."""
        return int(await self._admit(args=[job_key_prefix, TASK, KEPT_MS]))

    async def restore(self, job_id: str) -> bool:
        """Give a running job that arq lost its slot again; return whether it had lost it."""
        keys = [in_progress_key_prefix + job_id, job_key_prefix + job_id]
        return bool(await self._restore(args=[job_id, *keys, TASK, KEPT_MS]))

    async def expire(self) -> int:
        """End the jobs that waited for too long and return how many. Any process may call it."""
        return int(await self._expire())

    async def cancel(self, job_id: str, act: Act | None = None, *, waiting: bool = False) -> str:
        """End a job: `cancelled` when it is done, `cancelling` while a worker stops it, else the end it already had.

        With `waiting` only one that waits or is held; another is left as it is. Raises JobNotFound.
        """
        verdict = await self._cancel(
            args=[
                job_id,
                in_progress_key_prefix + job_id,
                job_key_prefix + job_id,
                abort_jobs_ss,
                act.model_dump_json() if act else "",
                "waiting" if waiting else "",
            ]
        )
        if verdict[0] == "unknown":
            raise JobNotFound(job_id=job_id, kept_days=KEPT.days)
        return str(verdict[1] if verdict[0] == "ended" else verdict[0])

    async def withdraw(self, job_id: str, viewer: str) -> str:
        """End a job for the viewer who asked for it, as `cancel` does. Raises JobNotFound, JobNotTheirs."""
        job, _ = await self.look(job_id)
        if not viewer or job.viewer != viewer:  # what nobody or many asked for is nobody's to take back
            raise JobNotTheirs
        return await self.cancel(job_id)

    async def configure(self, *, slots: int) -> None:
        """Say how many renders may run at a time."""
        await self._redis.hset(store.STUDIO, "slots", str(slots))
        await self._redis.publish(store.WAKE, "")
