"""The usher: looks after the waiting room. Late jobs expire, ballots close, and a drained queue lets go of its GPU."""

import asyncio

from redis.exceptions import RedisError

from sakuga import store
from sakuga.ledger import Ledger
from sakuga.log import get_logger
from sakuga.moderation import Moderation
from sakuga.queue import Queue
from sakuga.studio_file import StudioFile
from sakuga.votes import Votes
from sakuga.warmth import Warmth

log = get_logger("usher")

EVERY_S = 1.0


class Usher:
    """Goes round every second. Several workers have one each: every act is one atomic step, so that is no harm."""

    def __init__(self, redis: store.Client, file: StudioFile) -> None:
        self._queue = Queue(redis)
        self._moderation = Moderation(redis)
        self._votes = Votes(redis)
        self._warmth = Warmth(redis)
        self._ledger = Ledger(redis)
        self._file = file

    async def go_round(self) -> None:
        """Do what is due."""
        if late := await self._queue.expire():
            log.info("jobs.expired", count=late)
        await self._votes.keep_up(self._file.catalog.votes)
        await self._ledger.watch(self._file.catalog.budget)
        board = await self._queue.board()
        empty = not (board.waiting_count or board.held_count or board.running)
        if board.draining and empty and await self._moderation.drained():
            await self._warmth.wish(warm=False, seconds=0)
            log.info("queue.drained")

    async def keep_up(self) -> None:
        """Go round for ever."""
        while True:
            try:
                await self.go_round()
            except (RedisError, OSError):
                log.debug("usher.put_off")
            except Exception:  # one bad document must not end the care for all others
                log.exception("usher.broke")
            await asyncio.sleep(EVERY_S)
