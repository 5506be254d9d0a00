"""Warmth: whether the studio wishes for a warm renderer, written by stage and bot and read by the workers."""

from dataclasses import dataclass

from sakuga import store

LONGEST_S = 86_400.0  # a GPU that is kept costs money: a wish that nobody renews ends

HEARD_S = 60.0
"""How long a wish for a cool renderer stands: all workers hear it within seconds, and the next show owes it nothing."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wished for; `until` is seconds since 1970 by the broker's clock."""

    warm: bool
    until: float


class Warmth:
    """Keeps the wish. Saying the same again only moves its end."""

    def __init__(self, redis: store.Client) -> None:
        self._redis = redis

    async def wish(self, *, warm: bool, seconds: float) -> Wish:
        """Wish for a warm renderer for so many seconds from now, or for a cool one, which is forgotten after a minute.

        It outlives the worker, so that one that is started again in the middle of a show goes on with it.
        """
        until = await store.clock(self._redis) + (seconds if warm else HEARD_S)
        fields = {"warm": "1" if warm else "0", "warm_until": f"{until:.3f}"}
        await self._redis.hset(store.STUDIO, mapping=fields)
        return Wish(warm, until)

    async def wished(self) -> Wish | None:
        """Return what is wished for at this moment; None if nobody wishes anything."""
        warm, until = await self._redis.hmget(store.STUDIO, "warm", "warm_until")
        if warm is None or not until or float(until) <= await store.clock(self._redis):
            return None
        return Wish(warm=warm == "1", until=float(until))

    async def forget(self) -> None:
        """End the wish, whatever it was: the show is over."""
        await self._redis.hdel(store.STUDIO, "warm", "warm_until")
