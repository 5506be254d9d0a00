"""Warmth: whether the studio wishes for a warm renderer, written by stage and bot and read by the workers."""

from dataclasses import dataclass

from sakuga import store

LONGEST_S = 86_400.0  # a GPU that is kept costs money: a wish that nobody renews ends


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wished for; `until` is seconds since 1970 by the broker's clock, for a warm one."""

    warm: bool
    until: float | None = None


class Warmth:
    """Keeps the wish. Saying the same again only moves its end."""

    def __init__(self, redis: store.Client) -> None:
        self._redis = redis

    async def wish(self, *, warm: bool, seconds: float) -> Wish:
        """Wish for a warm renderer for so many seconds from now, or for a cool one."""
        until = await self._now() + seconds if warm else None
        fields = {"warm": "1" if warm else "0", "warm_until": "" if until is None else f"{until:.3f}"}
        await self._redis.hset(store.STUDIO, mapping=fields)
        return Wish(warm, until)

    async def wished(self) -> Wish | None:
        """Return what is wished for at this moment; None if nobody ever wished."""
        warm, until = await self._redis.hmget(store.STUDIO, "warm", "warm_until")
        if warm is None:
            return None
        if warm == "1" and float(until) > await self._now():
            return Wish(warm=True, until=float(until))
        return Wish(warm=False)

    async def _now(self) -> float:
        seconds, microseconds = await self._redis.time()
        return float(seconds) + float(microseconds) / 1e6
