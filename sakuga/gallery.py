"""The gallery: the index of all clips, newest first."""

from sakuga import store
from sakuga.act import Act
from sakuga.clip import Clip
from sakuga.errors import ClipNotFound
from sakuga.storage import Storage


class Gallery:
    """Reads the index. A clip enters it in the same step in which its job succeeds (see Lifecycle)."""

    def __init__(self, redis: store.Client) -> None:
        self._redis = redis
        self._remove = store.script(redis, "remove")

    async def get(self, clip_id: str) -> Clip:
        """Return a clip. Raises ClipNotFound."""
        document = await self._redis.hget(store.CLIP_DOCUMENTS, clip_id)
        if document is None:
            raise ClipNotFound(clip_id=clip_id)
        return Clip.model_validate_json(document)

    async def remove(self, clip: Clip, *, by: str, reason: str = "") -> bool:
        """Take a clip out of the gallery and off the stage; its files are the shredder's to remove."""
        act = Act(type="clip.removed", by=by, job_id=clip.job_id, reason=reason, detail={"clip_id": clip.id})
        return bool(await self._remove(args=[clip.id, act.model_dump_json()]))

    async def newest(self, limit: int, before: str | None = None) -> list[Clip]:
        """Return up to `limit` clips, newest first, from the one that follows `before`. Raises ClipNotFound."""
        start = 0
        if before is not None:
            rank = await self._redis.zrevrank(store.CLIPS, before)
            if rank is None:
                raise ClipNotFound(clip_id=before)
            start = int(rank) + 1
        clip_ids = await self._redis.zrevrange(store.CLIPS, start, start + limit - 1)
        documents = await self._redis.hmget(store.CLIP_DOCUMENTS, clip_ids) if clip_ids else []
        return [Clip.model_validate_json(document) for document in documents if document]

    async def rebuild(self, storage: Storage) -> int:
        """Write the index anew from the sidecars and return the number of clips.

        Cut numbers go on after the highest; in a stream that is on they are its own, and go on as they are.
        """
        listed = set(await self._redis.zrange(store.CLIPS, 0, -1))
        taken_out = await self._redis.hkeys(store.CLIPS_TAKEN_OUT)  # their files are on their way out
        clips = [clip async for clip in storage.sidecars() if clip.id not in taken_out]
        async with self._redis.pipeline(transaction=True) as pipe:
            for clip_id in listed - {clip.id for clip in clips}:  # one that finished meanwhile is not among them
                pipe.zrem(store.CLIPS, clip_id)
                pipe.hdel(store.CLIP_DOCUMENTS, clip_id)
            for clip in sorted(clips, key=lambda clip: -clip.finished_at):
                pipe.zadd(store.CLIPS, {clip.id: clip.finished_at})
                pipe.hset(store.CLIP_DOCUMENTS, clip.id, clip.model_dump_json())
                pipe.hsetnx(store.NUMBERS, str(clip.number), clip.job_id)
            await pipe.execute()
        highest = max((clip.number for clip in clips), default=0)
        number, live = await self._redis.hmget(store.STUDIO, "number", "live")
        if live != "1" and highest > int(number or 0):
            await self._redis.hset(store.STUDIO, "number", str(highest))
        return len(clips)
