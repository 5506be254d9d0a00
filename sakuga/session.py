"""The stream session: from when to when the show is live."""

from dataclasses import dataclass
from typing import Literal

from ulid import ULID

from sakuga import store
from sakuga.act import Act

Rest = Literal["draw", "cancel"]  # what becomes of those that wait


@dataclass(frozen=True, slots=True)
class Session:
    """A session. Times are seconds since 1970 by the broker's clock."""

    id: str
    """Empty if none has ever begun."""
    live: bool
    began_at: float | None
    ended_at: float | None
    cancelled: int = 0
    """Jobs that this end of it ended."""


class Sessions:
    """Begins and ends them; at most one is live."""

    def __init__(self, redis: store.Client) -> None:
        self._script = store.script(redis, "session")
        self._redis = redis

    async def now(self) -> Session:
        """Return the session that is live, or the last one."""
        return _session(await self._redis.hmget(store.STUDIO, "session", "live", "session_began", "session_ended"))

    async def begin(self, *, by: str) -> Session:
        """Begin a session; one that is live goes on. Each has its own budget and counts its own jobs."""
        return await self._say("begin", Act(type="session.began", by=by))

    async def end(self, *, by: str, rest: Rest = "draw") -> Session:
        """End the session, if one is live. What waits or is held is still drawn, or cancelled in the same step.

        To cancel the rest once more cancels what has come since. What is being drawn is drawn to its end.
        """
        return await self._say("end", Act(type="session.ended", by=by), rest)

    async def _say(self, what: str, act: Act, rest: Rest = "draw") -> Session:
        *found, cancelled = await self._script(args=[what, f"ses_{ULID()}", act.model_dump_json(), rest])
        return _session(found, int(cancelled))


def _session(found: list[str | None], cancelled: int = 0) -> Session:
    session_id, live, began, ended = found
    return Session(
        id=session_id or "",
        live=live == "1",
        began_at=float(began) if began else None,
        ended_at=float(ended) if ended and live != "1" else None,
        cancelled=cancelled,
    )
