"""GET and PUT /stage: what is on air."""

from typing import Annotated, Self

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.cache import answer
from api.documents import CLIP_ID, StageDocument
from api.errors import described
from api.state import State, Studio
from sakuga.errors import ClipNotFound
from sakuga.stage import WITH_CLIP, StageState

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


@router.get(
    "/stage",
    response_model=StageDocument,
    responses={**described(), 304: {"description": "Not changed since the ETag in If-None-Match."}},
    summary="What is on air",
)
async def stage(request: Request, studio: Studio) -> Response:
    """Return what is on air, what is being drawn and who is next: all that an overlay needs to begin."""
    return answer(request, await _document(studio), apart_from=frozenset({"server_time"}))


@router.put(
    "/stage",
    responses=described(400, 404, 413, 415, 422),
    summary="Put something on air (the stage manager does)",
)
async def put_stage(change: StageChange, studio: Studio) -> StageDocument:
    """Change what is on air. The stage manager does this; saying the same again tells that it lives."""
    if change.clip_id is not None:
        await studio.gallery.get(change.clip_id)
    await studio.playout.show(change.state, change.clip_id, change.seconds)
    return await _document(studio)


async def _document(studio: State) -> StageDocument:
    now = await studio.playout.now()
    try:
        clip = await studio.gallery.get(now.clip_id) if now.clip_id else None
    except ClipNotFound:
        clip = None
    return StageDocument.of(now, clip, await studio.forecast(waiting=5))
