"""The event log: one Redis stream that everybody reads and only the scripts write."""

import json

from sakuga import store
from sakuga.event import Event, EventType


class Events:
    """Reads the log."""

    def __init__(self, redis: store.Client) -> None:
        self._redis = redis

    async def last_id(self) -> str:
        """Return the id of the newest event, to read on from."""
        newest = await self._redis.xrevrange(store.EVENTS, count=1)
        return str(newest[0][0]) if newest else "0-0"

    async def after(self, event_id: str, *, wait_s: float = 0, limit: int = 100) -> list[Event]:
        """Return up to `limit` events after that id, oldest first, waiting up to `wait_s` for the first one."""
        found = await self._redis.xread(
            {store.EVENTS: event_id}, count=limit, block=max(1, round(wait_s * 1000)) if wait_s else None
        )
        return [
            Event(id=entry_id, type=EventType(fields["type"]), data=json.loads(fields["data"]))
            for _, entries in found
            for entry_id, fields in entries
        ]
