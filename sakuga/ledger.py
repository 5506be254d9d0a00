"""The ledger: what was spent and for whom, what was added to the limits, and what is left of them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import date as calendar_date
from typing import Literal, cast

from sakuga import store
from sakuga.act import Act
from sakuga.budget import BudgetPolicy, Level, dollars, micro

DAY_S = 86400
PAGE = 500
KEY_KEPT = timedelta(days=1)  # how long a refill's key is remembered

# All amounts are whole millionths of a dollar.


@dataclass(frozen=True, slots=True)
class Pot:
    """What may be spent in a session or on a day, and what was. A `limit` of None is none."""

    spent: int
    refilled: int
    limit: int | None

    def left(self, promised: int) -> int | None:
        """Return what is neither spent nor promised; None without a limit."""
        return None if self.limit is None else max(0, self.limit + self.refilled - self.spent - promised)


@dataclass(frozen=True, slots=True)
class Funds:
    """The budget at one moment. `promised` is for jobs that have not ended; `total` was spent since the beginning."""

    level: Level
    session_id: str
    live: bool
    date: calendar_date
    promised: int
    total: int
    session: Pot
    day: Pot


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the ledger: `spent` by an attempt of a job, or `refilled` by bits or by a moderator."""

    id: str
    type: Literal["spent", "refilled"]
    usd_micro: int
    session_id: str
    viewer: str = ""
    job_id: str = ""
    attempt: int = 0
    by: str = ""
    reason: str = ""

    @property
    def at(self) -> float:
        """Seconds since 1970 by the broker's clock."""
        return int(self.id.partition("-")[0]) / 1000


class Ledger:
    """Reads what the scripts wrote: each that ends an attempt writes its cost in the same step."""

    def __init__(self, redis: store.Client) -> None:
        self._redis = redis
        self._budget = store.script(redis, "budget")
        self._refill = store.script(redis, "refill")

    async def funds(self, policy: BudgetPolicy) -> Funds:
        """Return what was spent and what is left."""
        return await self._look(policy, "")

    async def watch(self, policy: BudgetPolicy) -> Funds:
        """Return the same; a level that was crossed since the last watch is told as `budget.changed`, once."""
        return await self._look(policy, "watch")

    async def _look(self, policy: BudgetPolicy, how: str) -> Funds:
        session_limit, day_limit = micro(policy.session_usd), micro(policy.day_usd)
        level, session, live, now, *amounts = await self._budget(args=[session_limit, day_limit, policy.soft, how])
        promised, total, in_session, for_session, on_day, for_day = map(int, amounts)
        return Funds(
            level=cast("Level", level),
            session_id=session,
            live=bool(live),
            date=datetime.fromtimestamp(float(now), UTC).date(),
            promised=promised,
            total=total,
            session=Pot(in_session, for_session, session_limit or None),
            day=Pot(on_day, for_day, day_limit or None),
        )

    async def refill(self, amount: int, *, by: str, reason: str = "", key: str = "") -> bool:
        """Add to the limits of this session and this day; with a `key` that was used before, nothing is added.

        Returns whether it was added.
        """
        act = Act(type="budget.refilled", by=by, reason=reason, detail={"usd": dollars(amount)})
        told: list[str | int] = [amount, by, reason, act.model_dump_json(), key, round(KEY_KEPT.total_seconds())]
        return bool(await self._refill(args=told))

    async def latest(self, limit: int = 100, *, before: str | None = None) -> list[Entry]:
        """Return the newest entries, the newest first; with `before` those older than that one."""
        found = await self._redis.xrevrange(store.LEDGER, max=f"({before}" if before else "+", count=limit)
        return [_entry(entry_id, fields) for entry_id, fields in found]

    async def entries(self, *, session_id: str | None = None, day: calendar_date | None = None) -> AsyncIterator[Entry]:
        """Yield the entries that are kept, the oldest first: all, those of a session, or those of a day (UTC)."""
        first, last = "-", "+"
        if day is not None:
            begins = round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
            first, last = f"{begins}000", f"{begins + DAY_S - 1}999"
        while found := await self._redis.xrange(store.LEDGER, first, last, count=PAGE):
            for entry_id, fields in found:
                entry = _entry(entry_id, fields)
                if session_id is None or entry.session_id == session_id:
                    yield entry
            first = f"({found[-1][0]}"

    async def spenders(self, session_id: str, limit: int = 20) -> list[tuple[str, int]]:
        """Return the viewers whose jobs cost most in a session, with what they cost."""
        found = await self._redis.zrevrange(store.SPENDERS_PREFIX + session_id, 0, limit - 1, withscores=True)
        return [(viewer, int(amount)) for viewer, amount in found]


def _entry(entry_id: str, fields: dict[str, str]) -> Entry:
    return Entry(
        id=entry_id,
        type="refilled" if fields.get("type") == "refilled" else "spent",
        usd_micro=int(fields["usd_micro"]),
        session_id=fields.get("session", ""),
        viewer=fields.get("viewer", ""),
        job_id=fields.get("job_id", ""),
        attempt=int(fields.get("attempt", 0)),
        by=fields.get("by", ""),
        reason=fields.get("reason", ""),
    )
