"""GET and PUT /renderer: where it is drawn, and whether a GPU is kept ready for a show."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.documents import Document, time_of
from api.door import needs, reads
from api.errors import described
from api.state import State, Studio
from sakuga.role import Role
from sakuga.warmth import LONGEST_S

router = APIRouter(tags=["renderer"])

A_SHOW_S = 6 * 3600.0


class RendererChange(BaseModel):
    """What the renderer should be."""

    model_config = ConfigDict(extra="forbid", strict=True)

    warm: bool = Field(description="Whether to keep a GPU with its model in memory. It costs money while it is kept.")
    seconds: float = Field(
        default=A_SHOW_S,
        ge=1,
        le=LONGEST_S,
        allow_inf_nan=False,
        description="How long to keep it, if nobody says it again.",
    )


class RendererDocument(Document):
    """The renderer, as its worker last told of it, and what is wished."""

    name: str | None = Field(description="Null while no worker is there.", examples=["modal"])
    engines: list[str] = Field(description="What runs there.", examples=[["wan2.1-t2v-1.3b"]])
    gpu: str | None = Field(description="The GPU, if there is one.", examples=["H100"])
    warm: bool = Field(description="Whether a render begins without loading weights first.")
    wanted: bool = Field(description="Whether it is wished to be warm. A worker sees to it within seconds.")
    until: str | None = Field(description="When that wish ends, UTC, RFC 3339.", examples=["2026-11-20T18:00:00.000Z"])
    trouble: str | None = Field(
        description="The code of what keeps it from drawing where it should, or from being as warm as it is wished.",
        examples=[None],
    )
    message: str | None = Field(description="What to do about `trouble`, in a sentence.", examples=[None])


@router.get("/renderer", dependencies=reads(), responses=described(), summary="Where it is drawn")
async def renderer(studio: Studio) -> RendererDocument:
    """Return the renderer, its engines and its GPU, whether it is warm, and whether it should be."""
    return await _document(studio)


@router.put(
    "/renderer",
    dependencies=needs(Role.BOT),
    responses=described(400, 413, 415, 422, 429),
    summary="Keep a GPU ready, or let go of it (stage and bot do)",
)
async def put_renderer(change: RendererChange, studio: Studio) -> RendererDocument:
    """Wish for a warm renderer or for a cool one. Saying the same again only moves the end of the wish.

    A warm one is let go of once no job runs or waits. The answer comes at once; the renderer follows. `trouble` says
    why, if it can't.
    """
    await studio.warmth.wish(warm=change.warm, seconds=change.seconds)
    return await _document(studio)


async def _document(studio: State) -> RendererDocument:
    wish = await studio.warmth.wished()
    told = next(iter(await studio.workers()), {})
    return RendererDocument(
        name=told.get("renderer"),
        engines=told.get("engines", []),
        gpu=told.get("gpu"),
        warm=told.get("warm", False),
        wanted=wish is not None and wish.warm,
        until=time_of(wish.until) if wish and wish.warm else None,
        trouble=told.get("trouble"),
        message=told.get("message"),
    )
