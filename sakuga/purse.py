"""The purse: bits that a viewer gave and that no clip was made of, for the next request."""

from dataclasses import dataclass
from typing import Any

from sakuga import store
from sakuga.support import Support

REMEMBERED_S = 86_400  # how long a support is known by its id
LISTED = 20  # changes of a purse that are kept; sakuga/lua/prelude.lua keeps as many


@dataclass(frozen=True, slots=True)
class Change:
    """Bits that came into a purse, or left it for a job. `at` is seconds since 1970 by the broker's clock."""

    at: float
    bits: int
    reason: str


@dataclass(frozen=True, slots=True)
class Purse:
    """What a viewer has in bits, with the newest changes first."""

    viewer: str
    bits: int
    changes: list[Change]


class Purses:
    """Fills and reads them. Jobs take bits out, and give them back, in the scripts that begin and end a job."""

    def __init__(self, redis: store.Client) -> None:
        self._redis = redis
        self._support = store.script(redis, "support")

    async def receive(self, support: Support, *, name: str, bits: int, refill: int = 0) -> int:
        """Put a support's bits into the purse of who gave it, tell of it by that name, and return the bits.

        `refill` is what it adds to the budget's limits, in millionths of a dollar. The same support again, within a
        day, changes nothing and returns what it brought. Nobody's bits go nowhere: who gave them is not known.
        """
        viewer = support.viewer.viewer
        told: list[Any] = [support.name, REMEMBERED_S, viewer, name, support.viewer.platform]
        return int(await self._support(args=[*told, support.kind, support.amount, bits if viewer else 0, refill]))

    async def of(self, viewer: str) -> Purse:
        """Return a viewer's purse; one that has never had anything in it is empty."""
        async with self._redis.pipeline() as pipe:
            pipe.hget(store.PURSES, viewer)
            pipe.lrange(store.PURSE_PREFIX + viewer, 0, LISTED - 1)
            bits, changes = await pipe.execute()
        return Purse(viewer, int(bits or 0), [_change(text) for text in changes])


def _change(text: str) -> Change:
    at, bits, reason = text.split(" ", 2)
    return Change(float(at), int(bits), reason)
