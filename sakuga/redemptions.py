"""The redemptions that are known: those that a job holds, those in the outbox, and those that were settled."""

from sakuga import store
from sakuga.errors import RedemptionNotFound
from sakuga.redemption import Outcome, Redeemed, Redemption, RedemptionState, named


class Redemptions:
    """Reads and settles them. A job's own redemption changes in the scripts that begin and end the job."""

    def __init__(self, redis: store.Client) -> None:
        self._redis = redis
        self._script = store.script(redis, "redemption")

    async def refund(self, redeemed: Redeemed, *, viewer: str, name: str, reason: str) -> Redemption:
        """Say that a redemption is to be given back because its request was refused, and return how it is.

        One that is known already, as when a job holds it, stays as it is.
        """
        told: list[str | int] = [redeemed.platform, redeemed.id, redeemed.reward_id, viewer, name, redeemed.cost]
        return await self._say("refund", redeemed.name, *told, reason)

    async def settled(self, platform: str, redemption_id: str, outcome: Outcome) -> Redemption:
        """Write down what the platform was told, once, and return how it is. Raises RedemptionNotFound."""
        return await self._say("settle", named(platform, redemption_id), outcome)

    async def find(self, platform: str, redemption_id: str) -> Redemption:
        """Return a redemption. Raises RedemptionNotFound."""
        return _redemption(await self._redis.hgetall(store.REDEMPTION_PREFIX + named(platform, redemption_id)))

    async def listed(self, state: RedemptionState, limit: int = 100) -> list[Redemption]:
        """Return redemptions of a state: those that are settled the newest first, the others the oldest first."""
        listed = store.REDEMPTIONS_PREFIX + state
        newest_first = state is RedemptionState.SETTLED
        names = await self._redis.zrange(listed, 0, limit - 1, desc=newest_first)
        async with self._redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hgetall(store.REDEMPTION_PREFIX + name)
            found = await pipe.execute()
        return [_redemption(fields) for fields in found if fields.get("state") == state]

    async def _say(self, what: str, name: str, *told: str | int) -> Redemption:
        flat = await self._script(args=[what, name, *told])
        return _redemption(dict(zip(flat[::2], flat[1::2], strict=True)))


def _redemption(fields: dict[str, str]) -> Redemption:
    if not fields:
        raise RedemptionNotFound
    return Redemption.model_validate({name: value for name, value in fields.items() if value})
