"""The audit log: what moderators did, and taking it back."""

from sakuga import store
from sakuga.act import Act, Entry
from sakuga.errors import ActNotFound, ActUndone

LAST = 2**64 - 1  # of either half of a stream's id


class Audit:
    """Reads the log. The scripts that make a change write it in the same step."""

    def __init__(self, redis: store.Client) -> None:
        self._redis = redis

    async def latest(self, limit: int = 100, *, before: str | None = None) -> list[Entry]:
        """Return the newest acts, the newest first; with `before` those older than that one."""
        last = "+" if before is None else _before(before)
        found = await self._redis.xrevrange(store.AUDIT, max=last, count=limit) if last else []
        undone = await self._redis.smembers(store.UNDONE)
        return [_entry(entry_id, fields, undone) for entry_id, fields in found]

    async def find(self, entry_id: str) -> Entry:
        """Return one act that can be undone. Raises ActNotFound, ActUndone."""
        found = await self._redis.xrange(store.AUDIT, entry_id, entry_id) if _is_id(entry_id) else []
        if not found:
            raise ActNotFound(act_id=entry_id)
        [(_, fields)] = found
        entry = _entry(entry_id, fields, await self._redis.smembers(store.UNDONE))
        if entry.act.undo is None:
            raise ActNotFound(act_id=entry_id)
        if entry.undone:
            raise ActUndone(act_id=entry_id)
        return entry

    async def claim(self, entry: Entry) -> None:
        """Make an act ours to undo: of two who want to, one may. Raises ActUndone."""
        if not await self._redis.sadd(store.UNDONE, entry.id):
            raise ActUndone(act_id=entry.id)

    async def give_back(self, entry: Entry) -> None:
        """Say that an act could not be undone."""
        await self._redis.srem(store.UNDONE, entry.id)

    async def note(self, act: Act) -> None:
        """Write an act that changed nothing in the queue's own keys."""
        await self._redis.xadd(store.AUDIT, {"act": act.model_dump_json()}, maxlen=5000, approximate=True)


def _before(entry_id: str) -> str | None:
    """Return the highest id below that one, which may not exist; None if there is none."""
    milliseconds, sequence = (min(int(part), LAST) for part in entry_id.split("-"))
    if sequence:
        return f"{milliseconds}-{sequence - 1}"
    return f"{milliseconds - 1}-{LAST}" if milliseconds else None


def _is_id(text: str) -> bool:
    head, _, tail = text.partition("-")
    return all(part.isascii() and part.isdecimal() and int(part) <= LAST for part in (head, tail))


def _entry(entry_id: str, fields: dict[str, str], undone: set[str]) -> Entry:
    act = Act.model_validate_json(fields["act"])
    return Entry(id=entry_id, at=int(entry_id.partition("-")[0]) / 1000, undone=entry_id in undone, act=act)
