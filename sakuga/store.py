"""The store: every Redis key by name, the connection, and the scripts that change things in one step."""

from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import BusyLoadingError, ConnectionError, TimeoutError  # noqa: A004 - redis-py's names

from sakuga.metric import SECONDS

PREFIX = "sakuga:"
WAITING = "sakuga:waiting"  # zset job id -> start number
HELD = "sakuga:held"  # zset job id -> start number: jobs that wait for a moderator
DEADLINES = "sakuga:deadlines"  # zset job id -> seconds since 1970 when it expires unless it has started
RUNNING = "sakuga:running"  # zset job id -> seconds since 1970 when admitted
SLOTS = "sakuga:slots"  # zset of arq: its queue, which is our slot table
STUDIO = "sakuga:studio"  # hash: number of the last cut, slots, engines, switches, warmth, session, money promised, url
EVENTS = "sakuga:events"  # stream
CLIPS = "sakuga:clips"  # zset clip id -> seconds since 1970 when finished; documents in the hash beside it
CLIP_DOCUMENTS = "sakuga:clips:documents"
CLIPS_TAKEN_OUT = "sakuga:clips:removed"  # hash clip id -> its id and number in JSON: its files are to go
STAGE = "sakuga:stage"  # hash
STAGE_MANAGER = "sakuga:stage:manager"  # lives while the stage manager does
ENDED = "sakuga:ended"  # list of the last 600 jobs that had a slot, in JSON, the newest first
ENGINES = "sakuga:engines"  # hash engine -> spec
WORKERS = "sakuga:workers"  # zset worker id -> seconds since 1970 when last seen
WORKER_DOCUMENTS = "sakuga:workers:documents"
KEYS = "sakuga:keys"  # hash SHA-256 of a key -> its id, name, role and times in JSON
KEYS_USED = "sakuga:keys:used"  # zset key id -> seconds since 1970 when last used, to the minute; 0 is never
WEBHOOKS = "sakuga:webhooks"  # zset webhook id -> seconds since 1970 when added
CHATS = "sakuga:chats"  # hash platform -> how its chat is heard, in JSON, with when that was said
METRICS = "sakuga:metrics"  # hash name and labels -> how many, how much, or how long; see sakuga/metric.py
WAKE = "sakuga:wake"  # channel: something may be started or stopped

AUDIT = "sakuga:audit"  # stream: what moderators did
UNDONE = "sakuga:audit:undone"  # set of entries of it
BANS = "sakuga:bans"  # hash viewer -> reason, by, at, until
LEDGER = "sakuga:ledger"  # stream: what each attempt cost, and what was added to the limits
BALLOT = "sakuga:ballot"  # hash: the ballot that is open, or the last one
BALLOT_VOTES = "sakuga:ballot:votes"  # hash viewer -> job id
PURSES = "sakuga:purses"  # hash viewer -> bits for the next request

POT = "sakuga:pot"  # hash: the pot that is open, or the last one
POT_LINES = "sakuga:pot:lines"  # hash viewer -> what they put into it, in JSON
POTS_POURED = "sakuga:pots:poured"  # list of what became of the last ten pots, in JSON, the newest first
NUMBERS = "sakuga:numbers"  # hash cut number -> the newest job with it

JOB_PREFIX = "sakuga:job:"  # hash
VIEWER_PREFIX = "sakuga:viewer:"  # zset job id -> seconds since 1970 when asked: a viewer's newest jobs
COOLDOWN_PREFIX = "sakuga:cooldown:"  # when a viewer last asked; lives until they may ask again
UPVOTES_PREFIX = "sakuga:upvotes:"  # set of viewers who voted for a waiting job
SPENT_PREFIX = "sakuga:spent:"  # millionths of a dollar: total, day:<days since 1970>, session:<id>
SPENDERS_PREFIX = "sakuga:spenders:"  # zset viewer -> millionths of a dollar that their jobs of a session cost
REFILLED_PREFIX = "sakuga:refilled:"  # millionths of a dollar that were added to the limit of a day (since 1970)
HELPER_PREFIX = "sakuga:helper:"  # millionths of a dollar that the prompt helper cost on a day (since 1970)
REQUEST_PREFIX = "sakuga:request:"  # hash job_id, fingerprint: what an idempotency key was used for
MESSAGE_PREFIX = "sakuga:message:"  # set of jobs that a chat message asked for; '' among them if it was taken back
LINK_PREFIX = "sakuga:link:"  # role and name in JSON, by the SHA-256 of a one-time code
PREVIEW_PREFIX = "sakuga:preview:"  # bytes
PURSE_PREFIX = "sakuga:purse:"  # list: last 20 changes of a viewer's purse, the newest first, as `time bits reason`
SUPPORT_PREFIX = "sakuga:support:"  # bits that a support brought, by platform:id
REDEMPTION_PREFIX = "sakuga:redemption:"  # hash, by platform:id
REDEMPTIONS_PREFIX = "sakuga:redemptions:"  # zset redemption -> seconds since 1970: held by a job, due, settled

WEBHOOK_PREFIX = "sakuga:webhook:"  # hash: where to, what, its secret, and how it is doing
WEBHOOK_DUE_PREFIX = "sakuga:webhook:due:"  # zset message id -> seconds since 1970 when it is tried next
WEBHOOK_DELIVERED_PREFIX = "sakuga:webhook:delivered:"  # zset message id -> seconds since 1970 when it arrived
WEBHOOK_DEAD_PREFIX = "sakuga:webhook:dead:"  # zset message id -> seconds since 1970 when it was given up
WEBHOOK_MESSAGES_PREFIX = "sakuga:webhook:messages:"  # hash message id -> message in JSON, of the three before

Client: TypeAlias = Any  # redis.asyncio.Redis: its own types join the blocking client's and can't be awaited

SCRIPTS = Path(__file__).parent / "lua"
KEPT = timedelta(days=3)  # how long an ended job can be asked about


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


async def clock(redis: Client) -> float:
    """Return the broker's time, the one clock of the studio, in seconds since 1970."""
    seconds, microseconds = await redis.time()
    return float(seconds) + float(microseconds) / 1e6


@cache
def _source(name: str) -> str:
    keys = {key: value for key, value in globals().items() if key.isupper() and str(value).startswith("sakuga:")}
    named = ", ".join(f'{key}="{value}"' for key, value in sorted(keys.items()))
    steps = ", ".join(map(str, SECONDS))
    given = f"local KEY, KEPT_S, STEPS_S = {{{named}}}, {round(KEPT.total_seconds())}, {{{steps}}}\n"
    return given + (SCRIPTS / "prelude.lua").read_text() + (SCRIPTS / f"{name}.lua").read_text()


def script(redis: Client, name: str) -> AsyncScript:
    """Return the script of that file, ready to be called."""
    return AsyncScript(redis, _source(name))
