"""The show: in which style and with whom cuts are drawn that name none, as moderators set it until the stream ends."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sakuga import store
from sakuga.act import Act

FIELDS = {"style": "show_style", "characters": "show_characters"}  # of the studio's hash; see session.lua


@dataclass(frozen=True, slots=True)
class Show:
    """What moderators set. None leaves it to the studio file."""

    style: str | None = None
    characters: tuple[str, ...] | None = None


class Shows:
    """Keeps it. The end of a session takes it back."""

    def __init__(self, redis: store.Client) -> None:
        self._redis = redis
        self._script = store.script(redis, "set_show")

    async def now(self) -> Show:
        """Return what is set."""
        style, cast = await self._redis.hmget(store.STUDIO, *FIELDS.values())
        return Show(style or None, tuple(json.loads(cast)) if cast else None)

    async def put(self, changes: Mapping[str, str | Sequence[str] | None], *, by: str) -> bool:
        """Set `style` or `characters` or both, None for the studio file's, and return whether that changed anything.

        Undoing the act brings back what was set before, of these.
        """
        # What it was is filled in by the script: in between somebody else could have changed it.
        act = Act(type="show.set", by=by, detail={**changes, "was": None}, undo="show")
        return await self._put(act, {FIELDS[name]: _text(value) for name, value in changes.items()})

    async def put_back(self, was: Mapping[str, str], *, by: str) -> bool:
        """Set again what an act's detail says that it was before."""
        return await self._put(Act(type="show.set", by=by, reason="undone"), was)

    async def _put(self, act: Act, fields: Mapping[str, Any]) -> bool:
        return bool(
            await self._script(args=[act.model_dump_json(), *(part for pair in fields.items() for part in pair)])
        )


def _text(value: str | Sequence[str] | None) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)
