"""Playout: the stage as it is stored, written by its manager and read by everybody."""

from sakuga import store
from sakuga.act import Act
from sakuga.stage import Stage, StageState

ALIVE_S = 10  # a stage manager that said nothing for this long is taken to be gone


class Playout:
    """Keeps what is on air."""

    def __init__(self, redis: store.Client) -> None:
        self._redis = redis
        self._show = store.script(redis, "show")
        self._dump = store.script(redis, "dump")

    async def show(self, state: StageState, clip_id: str | None, seconds: float | None) -> bool:
        """Put something on air, for so many seconds if that is planned. Return whether that changed anything."""
        changed = await self._show(
            args=[state, clip_id or "", "" if seconds is None else seconds, ALIVE_S],
        )
        return bool(changed)

    async def dump(self, *, by: str) -> str | None:
        """Black out the stage until `release`, and return the clip that was on it."""
        dumped = await self._dump(args=["dump", Act(type="stage.dumped", by=by, undo="release").model_dump_json()])
        return str(dumped) or None

    async def release(self, *, by: str) -> None:
        """Give the stage back to its manager."""
        await self._dump(args=["release", Act(type="stage.released", by=by).model_dump_json()])

    async def now(self) -> Stage:
        """Return what is on air."""
        fields = await self._redis.hgetall(store.STAGE)
        return Stage.model_validate({name: value or None for name, value in fields.items()})

    async def managed(self) -> bool:
        """Whether a stage manager is alive."""
        return bool(await self._redis.exists(store.STAGE_MANAGER))
