"""The store: every Redis key by name, the connection, and the scripts that change things in one step."""

from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import BusyLoadingError, ConnectionError, TimeoutError  # noqa: A004 - redis-py's names

PREFIX = "sakuga:"
WAITING = "sakuga:waiting"  # zset job id -> start number
RUNNING = "sakuga:running"  # zset job id -> seconds since 1970 when admitted
SLOTS = "sakuga:slots"  # zset of arq: its queue, which is our slot table
STUDIO = "sakuga:studio"  # hash: number (of the last cut), slots, paused, engines (in order), warm, warm_until
EVENTS = "sakuga:events"  # stream
CLIPS = "sakuga:clips"  # zset clip id -> seconds since 1970 when finished; documents in the hash beside it
CLIP_DOCUMENTS = "sakuga:clips:documents"
STAGE = "sakuga:stage"  # hash
STAGE_MANAGER = "sakuga:stage:manager"  # lives while the stage manager does
HISTORY = "sakuga:history"  # hash engine/preset -> seconds that its renders take, smoothed
ENGINES = "sakuga:engines"  # hash engine -> spec
WORKERS = "sakuga:workers"  # zset worker id -> seconds since 1970 when last seen
WORKER_DOCUMENTS = "sakuga:workers:documents"
WAKE = "sakuga:wake"  # channel: something may be started or stopped

JOB_PREFIX = "sakuga:job:"  # hash
REQUEST_PREFIX = "sakuga:request:"  # hash job_id, fingerprint: what an idempotency key was used for
PREVIEW_PREFIX = "sakuga:preview:"  # bytes

Client: TypeAlias = Any  # redis.asyncio.Redis: its own types join the blocking client's and can't be awaited

SCRIPTS = Path(__file__).parent / "lua"


def connect(url: str, *, decode: bool = True, patience_s: float = 2.0) -> Client:
    """Return a client that tries again for about `patience_s` when the server is restarting.

    With `decode` replies are text, else bytes.
    """
    pause_s = 0.25
    return Redis.from_url(
        url,
        decode_responses=decode,
        socket_timeout=10,
        socket_connect_timeout=2,
        health_check_interval=15,
        retry=Retry(ExponentialBackoff(cap=pause_s, base=0.02), max(0, round(patience_s / pause_s))),
        retry_on_error=[ConnectionError, TimeoutError, BusyLoadingError],
    )


@cache
def _source(name: str) -> str:
    return (SCRIPTS / "prelude.lua").read_text() + (SCRIPTS / f"{name}.lua").read_text()


def script(redis: Client, name: str) -> AsyncScript:
    """Return the script of that file, ready to be called."""
    return AsyncScript(redis, _source(name))
