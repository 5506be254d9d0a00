"""The queue: the waiting room and its order, from acceptance until a slot is free."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from arq.constants import abort_jobs_ss, in_progress_key_prefix, job_key_prefix

from sakuga import store
from sakuga.errors import JobNotFound, JobNotWaiting, KeyReused, QueueFull
from sakuga.job import Job
from sakuga.lane import Credit
from sakuga.log import get_logger

log = get_logger("queue")

KEPT = timedelta(days=3)  # how long an ended job can be asked about
REQUEST_KEPT = timedelta(days=1)  # how long an idempotency key is remembered
RENDER_TASK = "render"
JSON_FIELDS = ("requested_by", "characters", "credits", "error")
OPTIONAL_FIELDS = ("handle", "drawing", "preview", "started_at", "finished_at", "clip_id")


def encode_task(document: dict[str, Any]) -> bytes:
    """Write an arq task or result as JSON: whoever can write to Redis must not be able to run code."""
    return json.dumps(document, default=repr).encode()


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


def _readable(hashes: Iterable[list[str]]) -> list[Job]:
    """Return the jobs of these hashes without those that can't be read: one must not hide all others."""
    jobs: list[Job] = []
    for fields in hashes:
        try:
            jobs.append(parse(_pairs(fields)))
        except ValueError as error:
            log.error("job.unreadable", job_id=_pairs(fields).get("id"), reason=type(error).__name__)  # noqa: TRY400
    return jobs


@dataclass(frozen=True, slots=True)
class Board:
    """The queue at one moment. `now` and the jobs' times are the broker's clock; `seconds_each` is by `Job.pace`."""

    slots: int
    paused: bool
    waiting_count: int
    now: float
    seconds_each: Mapping[str, float]
    running: list[Job]
    waiting: list[Job] = field(default_factory=list)


class Queue:
    """The waiting room. Each method is one atomic step in Redis, so any number of processes may call it."""

    def __init__(self, redis: store.Client) -> None:
        self._redis = redis
        self._submit = store.script(redis, "submit")
        self._admit = store.script(redis, "admit")
        self._look = store.script(redis, "look")
        self._peek = store.script(redis, "peek")
        self._board = store.script(redis, "board")
        self._move = store.script(redis, "move")
        self._cancel = store.script(redis, "cancel")

    async def submit(
        self,
        job_id: str,
        request: Mapping[str, str | int | float],
        credits: Iterable[Credit],  # noqa: A002 - the domain's word
        *,
        limit: int,
        retry_after_s: int = 60,
        key: str | None = None,
        fingerprint: str = "",
    ) -> tuple[Job, int | None]:
        """Put a job into the waiting room and return it with its place (1 is next, None when it waits no longer).

        `request` holds the job's own fields. With an idempotency `key` that was used for the same `fingerprint`,
        the first job is returned again. Raises QueueFull when `limit` jobs wait, KeyReused for another fingerprint.
        """
        granted = list(credits)
        seconds = sum(credit.seconds for credit in granted)
        fields = {**request, "credits": json.dumps([credit.model_dump() for credit in granted], ensure_ascii=False)}
        verdict, detail = await self._submit(
            keys=[
                store.JOB_PREFIX + job_id,
                store.WAITING,
                store.EVENTS,
                store.STUDIO,
                store.REQUEST_PREFIX + (key or job_id),
            ],
            args=[
                job_id,
                seconds,
                limit,
                fingerprint,
                int(REQUEST_KEPT.total_seconds()),
                store.WAKE,
                *(part for pair in fields.items() for part in pair),
            ],
        )
        if verdict == "full":
            raise QueueFull(waiting=int(detail), retry_after_s=retry_after_s)
        if verdict == "reused":
            raise KeyReused
        return await self.look(detail)

    async def look(self, job_id: str) -> tuple[Job, int | None]:
        """Return a job and its place among those that wait (1 is next), or None. Raises JobNotFound."""
        found = await self._look(keys=[store.JOB_PREFIX + job_id, store.WAITING], args=[job_id])
        if not found:
            raise JobNotFound(job_id=job_id, kept_days=KEPT.days)
        rank = found[1]
        return parse(_pairs(found[0])), None if rank is None else int(rank) + 1

    async def peek(self, job_id: str) -> tuple[int, int | None]:
        """Return a job's revision and its place: all that tells whether `look` would say something new.

        Raises JobNotFound.
        """
        found = await self._peek(keys=[store.JOB_PREFIX + job_id, store.WAITING], args=[job_id])
        if not found:
            raise JobNotFound(job_id=job_id, kept_days=KEPT.days)
        return int(found[0]), None if found[1] is None else int(found[1]) + 1

    async def board(self, limit: int = 0) -> Board:
        """Return the queue's figures, its running jobs and the first `limit` of those that wait."""
        slots, paused, count, now, history, running, waiting = await self._board(
            keys=[store.WAITING, store.RUNNING, store.STUDIO, store.HISTORY], args=[store.JOB_PREFIX, limit]
        )
        return Board(
            slots=int(slots),
            paused=paused == "1",
            waiting_count=int(count),
            now=float(now),
            seconds_each={pace: float(seconds) for pace, seconds in _pairs(history).items()},
            running=_readable(running),
            waiting=_readable(waiting),
        )

    async def admit(self) -> int:
        """Give the first waiting jobs the free slots and return how many were admitted. Any process may call it."""
        payload = encode_task({"t": None, "f": RENDER_TASK, "a": ["JOB_ID"], "k": {}, "et": 0})
        return int(
            await self._admit(
                keys=[store.WAITING, store.SLOTS, store.STUDIO, store.EVENTS, store.RUNNING],
                args=[store.JOB_PREFIX, job_key_prefix, payload, int(KEPT.total_seconds() * 1000), store.WAKE],
            )
        )

    async def credit(self, job_id: str, credit: Credit) -> int:
        """Give a waiting job more head start and return its new place. Raises JobNotFound, JobNotWaiting."""
        return await self._moved(job_id, credit.reason, "credit", credit.seconds)

    async def move(self, job_id: str, place: int, *, reason: str) -> int:
        """Move a waiting job to a place (1 is next) and return it. The seconds it took become a credit with `reason`.

        A place behind the last is the last. Raises JobNotFound, JobNotWaiting.
        """
        return await self._moved(job_id, reason, "place", max(0, place - 1))

    async def _moved(self, job_id: str, reason: str, kind: str, amount: float) -> int:
        verdict = await self._move(
            keys=[store.JOB_PREFIX + job_id, store.WAITING, store.EVENTS],
            args=[job_id, json.dumps(reason, ensure_ascii=False), kind, amount, store.JOB_PREFIX],
        )
        if verdict[0] == "unknown":
            raise JobNotFound(job_id=job_id, kept_days=KEPT.days)
        if verdict[0] == "conflict":
            raise JobNotWaiting(status=verdict[1])
        return int(verdict[1]) + 1

    async def cancel(self, job_id: str) -> str:
        """End a job: `cancelled` when it is done, `cancelling` while a worker stops it, else the end it already had.

        Raises JobNotFound.
        """
        verdict = await self._cancel(
            keys=[
                store.JOB_PREFIX + job_id,
                store.WAITING,
                store.SLOTS,
                in_progress_key_prefix + job_id,
                job_key_prefix + job_id,
                abort_jobs_ss,
                store.EVENTS,
                store.RUNNING,
            ],
            args=[job_id, int(KEPT.total_seconds()), store.WAKE],
        )
        if verdict[0] == "unknown":
            raise JobNotFound(job_id=job_id, kept_days=KEPT.days)
        return str(verdict[1] if verdict[0] == "ended" else verdict[0])

    async def configure(self, *, slots: int) -> None:
        """Say how many renders may run at a time."""
        await self._redis.hset(store.STUDIO, "slots", str(slots))
        await self._redis.publish(store.WAKE, "")

    async def pause(self, *, paused: bool) -> None:
        """Stop or go on admitting. What runs is not touched."""
        await self._redis.hset(store.STUDIO, "paused", "1" if paused else "0")
        await self._redis.publish(store.WAKE, "")
