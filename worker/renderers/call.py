"""One function call at Modal: what its queue tells of it, in one order and without repetitions, and what it brought."""

import asyncio
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from sakuga.engine import Cost, Progress, RenderResult
from sakuga.errors import RenderFailed
from sakuga.log import get_logger
from worker.renderers.child import Failure
from worker.renderers.renders import Render

log = get_logger("modal")


class Word(BaseModel):
    """One item of the queue. A call that is preempted runs again from its start, under another name of the run."""

    run: str
    progress: Progress | None = None
    ended: bool = False


class Clip(BaseModel):
    """The answer of a render that went well. The paths in `result` are bare names."""

    result: RenderResult
    video: bytes
    poster: bytes


class Refusal(BaseModel):
    """The answer of one that did not. It has to be paid for as well."""

    error: Failure
    cost: Cost | None = None


class Claimed(BaseModel):
    """The answer of one that found another call drawing the same."""

    claimed_by: str = Field(min_length=1)


ANSWER: TypeAdapter[Clip | Refusal | Claimed] = TypeAdapter(Clip | Refusal | Claimed)


class Call(Render):
    """A render that is told of by items that may come late, twice, out of order, or never."""

    def __init__(self, folder: Path, call_id: str, key: str) -> None:
        super().__init__(folder)
        self.call_id = call_id  # changes when another call is found to draw the same
        self.key = key
        self.follower: asyncio.Task[None] | None = None
        self.told = asyncio.Event()  # set while its latest run has said its last word
        self._runs: list[str] = []
        self._last = 0  # number of the latest report in this run
        self._sequence = 0
        self._fraction = 0.0

    async def wait_on(self) -> None:
        """Say that it has not begun, if nothing was heard: it waits for a GPU, or for the model on it."""
        if not self._runs:
            await self._say(Progress(sequence=0, stage="loading", fraction=0.0))

    async def hear(self, item: Any) -> Progress | None:
        """Take in an item of the queue and return its report, if that was news.

        Reports are numbered anew over all runs, and the fraction never goes back.
        """
        try:
            word = Word.model_validate(item)
        except ValidationError as error:
            log.debug("progress.unreadable", problems=error.error_count())
            return None
        if not self._runs or word.run != self._runs[-1]:
            if word.run in self._runs:
                return None  # late words of a run that was taken away
            self._runs.append(word.run)
            self._last = 0
            self.told.clear()
        if word.ended:
            self.told.set()
        if word.progress is None or word.progress.sequence <= self._last:
            return None
        self._last = word.progress.sequence
        await self._say(word.progress)
        return word.progress

    async def _say(self, progress: Progress) -> None:
        self._sequence += 1
        self._fraction = max(self._fraction, progress.fraction)
        await self.report(progress.model_copy(update={"sequence": self._sequence, "fraction": self._fraction}))


def read(answer: Any) -> Clip | Refusal | Claimed:
    """Return what a call answered. Raises RenderFailed for what is none of it."""
    try:
        return ANSWER.validate_python(answer)
    except ValidationError as error:
        raise RenderFailed(reason="the answer from its container can't be read") from error


def keep(clip: Clip, folder: Path) -> RenderResult:
    """Write the files of a clip and return where they are. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    video, poster = folder / Path(clip.result.video_path).name, folder / Path(clip.result.poster_path).name
    video.write_bytes(clip.video)
    poster.write_bytes(clip.poster)
    paths = {"video_path": str(video), "poster_path": str(poster)}
    return clip.result.model_copy(update={**paths, "renderer": "modal"})
