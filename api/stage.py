"""GET and PUT /stage: what is on air."""

from time import monotonic
from typing import Annotated, Self

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.cache import etag_of, known
from api.documents import CLIP_ID, JOB_ID, POLL_RUNNING_MS, ClipDocument, Document, JobDocument, Time, time_of
from api.door import Caller, at_least, needs, reads
from api.errors import described
from api.forecast import Forecast
from api.state import State, Studio
from sakuga.clip import Clip
from sakuga.errors import ClipNotFound
from sakuga.role import Role
from sakuga.stage import WITH_CLIP, Stage, StageState

router = APIRouter(tags=["stage"])


class StageChange(BaseModel):
    """What to put on air."""

    model_config = ConfigDict(extra="forbid")

    state: StageState = Field(examples=["result"])
    clip_id: str | None = Field(
        default=None, max_length=64, description="For `result` and `gallery`.", examples=[CLIP_ID]
    )
    seconds: Annotated[float, Field(gt=0, le=3600)] | None = Field(
        default=None, description="How long it is planned to stay.", examples=[5.0625]
    )

    @model_validator(mode="after")
    def _clip_where_needed(self) -> Self:
        if (self.state in WITH_CLIP) != (self.clip_id is not None):
            msg = "result and gallery need a clip_id; the other states have none"
            raise ValueError(msg)
        return self


class StageDocument(Document):
    """What is on air, and all that an overlay shows around it."""

    state: StageState
    revision: int = Field(description="Grows with each change of what is on air.", examples=[7])
    since: Time
    until: str | None = Field(description="When the stage manager moves on, if it is planned.", examples=[None])
    server_time: Time
    clip: ClipDocument | None = Field(description="The clip on air, if there is one.")
    last_result: str | None = Field(description="The clip that was last shown as a result.", examples=[CLIP_ID])
    cooking: list[str] = Field(description="Ids of running jobs, oldest first.", examples=[[JOB_ID]])
    next: list[JobDocument] = Field(description="The first five that wait.")
    waiting_count: int = Field(examples=[9])
    seconds_each: float = Field(examples=[7.1])
    paused: bool
    poll_after_ms: int = Field(examples=[500])

    @classmethod
    def of(cls, stage: Stage, clip: Clip | None, forecast: Forecast) -> "StageDocument":
        """Describe the stage."""
        board = forecast.board
        return cls(
            state=stage.state,
            revision=stage.revision,
            since=time_of(stage.since),
            until=time_of(stage.until) if stage.until else None,
            server_time=time_of(board.now),
            clip=ClipDocument.of(clip) if clip else None,
            last_result=stage.last_result,
            cooking=[job.id for job in board.running],
            next=[JobDocument.waiting(job, place, forecast) for place, job in enumerate(board.waiting[:5], 1)],
            waiting_count=board.waiting_count,
            seconds_each=round(forecast.seconds_each(), 1),
            paused=board.paused,
            poll_after_ms=POLL_RUNNING_MS,
        )


@router.get(
    "/stage",
    dependencies=reads(),
    response_model=StageDocument,
    responses={**described(), 304: {"description": "Not changed since the ETag in If-None-Match."}},
    summary="What is on air",
)
async def stage(request: Request, studio: Studio) -> Response:
    """Return what is on air, what is being drawn and who is next: all that an overlay needs to begin."""

    async def look() -> _View:
        forecast = await studio.forecast(waiting=5)
        return _View(await _document(studio, forecast), forecast.board.now)

    view: _View = await studio.said.now(studio.events, look)
    headers = {"ETag": view.etag, "Cache-Control": "no-cache"}
    if known(request, view.etag):
        return Response(status_code=304, headers=headers)
    return Response(view.body(), media_type="application/json", headers=headers)


class _View:
    """The stage as it was looked at, written once. Its time goes on."""

    def __init__(self, document: StageDocument, now: float) -> None:
        self._now, self._looked_at = now, monotonic()
        self.etag = etag_of(document, apart_from=frozenset({"server_time"}))
        told = f'"server_time":"{document.server_time}"'
        self._before, _, self._after = document.model_dump_json().partition(told)

    def body(self) -> bytes:
        """Return the document with the broker's time of this moment."""
        server_time = time_of(self._now + monotonic() - self._looked_at)
        return f'{self._before}"server_time":"{server_time}"{self._after}'.encode()


@router.put(
    "/stage",
    dependencies=needs(Role.BOT),
    responses=described(400, 404, 413, 415, 422, 429),
    summary="Put something on air (the stage manager does)",
)
async def put_stage(change: StageChange, studio: Studio) -> StageDocument:
    """Change what is on air. The stage manager does this; saying the same again tells that it lives."""
    if change.clip_id is not None:
        await studio.gallery.get(change.clip_id)
    await studio.playout.show(change.state, change.clip_id, change.seconds)
    return await _document(studio)


@router.post("/stage/dump", responses=described(), summary="Black out the stage")
async def dump(caller: Annotated[Caller, at_least(Role.MODERATOR)], studio: Studio) -> StageDocument:
    """Take whatever is on air off it at once, until it is released. DELETE /clips/{clip_id} takes a clip out."""
    await studio.playout.dump(by=caller.by)
    return await _document(studio)


@router.post("/stage/release", responses=described(), summary="Go on after a dump")
async def release(caller: Annotated[Caller, at_least(Role.MODERATOR)], studio: Studio) -> StageDocument:
    """Give the stage back to its manager, which shows what is next."""
    await studio.playout.release(by=caller.by)
    return await _document(studio)


async def _document(studio: State, forecast: Forecast | None = None) -> StageDocument:
    now = await studio.playout.now()
    try:
        clip = await studio.gallery.get(now.clip_id) if now.clip_id else None
    except ClipNotFound:
        clip = None
    return StageDocument.of(now, clip, forecast or await studio.forecast(waiting=5))
