"""Pots: viewers' words gathered until a clock runs out, then poured once, however many processes want to."""

import json
from typing import Literal, cast

from ulid import ULID

from sakuga import store
from sakuga.errors import MessageRetracted, ViewerBanned
from sakuga.pot import Pot, PotLine, PotPolicy, Poured
from sakuga.queue import REQUEST_KEPT

Joined = Literal["opened", "joined", "again", "due"]
BETWEEN = ", "


class Pots:
    """Keeps the pot. Each method is one atomic step, so any gateway may call it."""

    def __init__(self, redis: store.Client) -> None:
        self._redis = redis
        self._script = store.script(redis, "pot")

    async def join(self, line: PotLine, policy: PotPolicy, *, room: int, key: str = "") -> Joined:
        """Put a viewer's line into the open pot in place of their last one, or open a pot with it.

        All lines together have room for so many characters. `again` says that this was done under the same key before;
        `due` that the pot has to be poured first, and then asked again. Raises ViewerBanned, MessageRetracted.
        """
        [verdict] = await self._script(
            args=[
                "join", f"pot_{ULID()}", line.viewer, line.model_dump_json(), len(line.words) + len(BETWEEN),
                room + len(BETWEEN), policy.most, policy.seconds, f"pot:{key}" if key else "",
                round(REQUEST_KEPT.total_seconds()),
            ]
        )  # fmt: skip
        if verdict == "banned":
            raise ViewerBanned(viewer=line.viewer)
        if verdict == "retracted":
            raise MessageRetracted
        return cast("Joined", verdict)

    async def now(self) -> Pot | None:
        """Return the pot that is open, or the last one for an hour; None if there is none."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hgetall(store.POT)
            pipe.hvals(store.POT_LINES)
            found, lines = await pipe.execute()
        if not found:
            return None
        told = sorted(map(json.loads, lines), key=lambda line: int(line["place"]))
        return Pot(
            id=found["id"],
            state=found["state"],
            opened_at=float(found["opened_at"]),
            closes_at=float(found["closes_at"]),
            lines=[PotLine.model_validate(line) for line in told],
            job_id=found.get("job_id") or None,
            reason=found.get("reason") or None,
        )

    async def past(self) -> list[Poured]:
        """Return what became of the last ten pots within an hour, the newest first."""
        return [Poured.model_validate_json(told) for told in await self._redis.lrange(store.POTS_POURED, 0, -1)]

    async def close(self, policy: PotPolicy) -> Pot | None:
        """Return the pot that has to be poured now, to which nobody can add any more; None if there is none."""
        [due] = await self._script(args=["close", policy.least, policy.seconds])
        pot = await self.now() if due else None
        return pot if pot and (pot.id, pot.state) == (due, "pouring") else None

    async def poured(self, pot: Pot, *, job_id: str = "", reason: str = "") -> Literal["ok", "over", "left"]:
        """Say what became of a pot: a job or, without one, the code of a refusal.

        `ok` is for the first who says it; `left` for a job with words of somebody who was taken out meanwhile.
        """
        whose = [line.viewer for line in pot.lines] if job_id else []
        [verdict] = await self._script(args=["poured", pot.id, job_id, reason, *whose])
        return cast('Literal["ok", "over", "left"]', verdict)

    async def leave(self, *names: str) -> int:
        """Take out what a viewer put in, named as in bans, or what came with a message (platform:id)."""
        return int((await self._script(args=["leave", *names]))[0])
