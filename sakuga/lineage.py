"""Lineage: the cut that a remix is made from."""

from dataclasses import dataclass

from sakuga import store
from sakuga.clip import Clip, clip_id_of
from sakuga.errors import ClipNotFound, RemixNotFound
from sakuga.gallery import Gallery
from sakuga.job import TERMINAL, Job, cut
from sakuga.playout import Playout
from sakuga.queue import parse
from sakuga.stage import StageState


@dataclass(frozen=True, slots=True)
class Parent:
    """What a remix takes over. `id` is that of the clip, or of the job where there is no clip yet."""

    id: str
    number: int
    prompt: str
    style: str
    characters: tuple[str, ...]
    seed: int

    @classmethod
    def of(cls, made: Clip | Job) -> "Parent":
        """Return what is taken over from a clip, or from a job on its way to one."""
        return cls(made.id, made.number, made.prompt, made.style, tuple(made.characters), made.seed)


class Lineage:
    """Finds what everybody may see: what waits or is drawn, and what hangs in the gallery.

    What is held, was turned down, withdrawn or taken out is not found: its words are not for everybody.
    """

    def __init__(self, redis: store.Client) -> None:
        self._redis = redis
        self._gallery = Gallery(redis)
        self._playout = Playout(redis)

    async def clip(self, clip_id: str) -> Parent:
        """Return what a remix of that clip takes over. Raises RemixNotFound."""
        try:
            return Parent.of(await self._gallery.get(clip_id))
        except ClipNotFound as error:
            raise RemixNotFound(what=clip_id) from error

    async def numbered(self, number: int) -> Parent:
        """Return what a remix of the newest cut with that number takes over. Raises RemixNotFound."""
        job_id = await self._redis.hget(store.NUMBERS, str(number))
        if job_id is None:
            raise RemixNotFound(what=cut(number))
        try:
            return await self.clip(clip_id_of(job_id))
        except RemixNotFound as error:
            fields = await self._redis.hgetall(store.JOB_PREFIX + job_id)
            job = parse(fields) if fields else None
            if job is None or job.status in TERMINAL or job.unseen:
                raise RemixNotFound(what=cut(number)) from error
            return Parent.of(job)

    async def latest(self) -> Parent:
        """Return what a remix of the clip on stage takes over, else of the newest. Raises RemixNotFound.

        While the stage is dumped there is none: the newest may be what it was dumped for.
        """
        stage = await self._playout.now()
        if stage.state is StageState.DUMPED:
            raise RemixNotFound(what="the clip on stage")
        if stage.clip_id:
            return await self.clip(stage.clip_id)
        for newest in await self._gallery.newest(1):
            return Parent.of(newest)
        raise RemixNotFound(what="the newest clip")
