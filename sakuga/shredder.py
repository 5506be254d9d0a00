"""The shredder: removes the files of clips that were taken out of the gallery, or did not get into it."""

import asyncio

from redis.exceptions import RedisError

from sakuga import store
from sakuga.clip import Filed
from sakuga.errors import StorageUnavailable
from sakuga.log import get_logger
from sakuga.storage import Storage

EVERY_S = 30.0

log = get_logger("shredder")


class Shredder:
    """Removes what the scripts that take a clip out leave to it, until nothing is left. Several do no harm."""

    def __init__(self, redis: store.Client, storage: Storage) -> None:
        self._redis = redis
        self._storage = storage

    async def shred(self) -> int:
        """Remove the files of all clips that are to go, and return of how many. Raises StorageUnavailable."""
        found = await self._redis.hgetall(store.CLIPS_TAKEN_OUT)
        for clip_id, document in found.items():
            await self._storage.remove(Filed.model_validate_json(document))
            await self._redis.hdel(store.CLIPS_TAKEN_OUT, clip_id)
        return len(found)

    async def keep_up(self) -> None:
        """Do it every half a minute, for ever: whoever took a clip out may have died, or found the storage away."""
        while True:
            try:
                if count := await self.shred():
                    log.info("clips.shredded", count=count)
            except StorageUnavailable as error:
                log.warning("clips.not_shredded", code=error.code)
            except (RedisError, OSError):
                log.debug("shredder.put_off")
            await asyncio.sleep(EVERY_S)
