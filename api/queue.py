"""GET /queue: who waits and who is being drawn. GET /catalog: what can be asked for."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.cache import answer
from api.documents import Document, JobDocument, QueueDocument
from api.errors import described
from api.state import Studio

router = APIRouter(tags=["queue"])


class StyleDocument(Document):
    """A style to ask for by name."""

    name: str = Field(examples=["neon"])
    title: str = Field(examples=["Neon rain"])
    summary: str = Field(examples=["A city at night, wet streets, signs."])


class EngineDocument(Document):
    """An engine to ask for by name."""

    name: str = Field(examples=["rehearsal"])
    summary: str = Field(examples=["Draws on the CPU, without a model."])
    shortest: float = Field(description="Seconds.", examples=[2.0])
    longest: float = Field(description="Seconds.", examples=[8.0])
    default: float = Field(description="Seconds.", examples=[5.0])


class CatalogDocument(Document):
    """What can be asked for."""

    title: str = Field(description="Name of the show.", examples=["Sakuga"])
    styles: list[StyleDocument]
    engines: list[EngineDocument]
    prompt_limit: int = Field(description="Characters.", examples=[300])


@router.get(
    "/queue",
    response_model=QueueDocument,
    responses={**described(422), 304: {"description": "Not changed since the ETag in If-None-Match."}},
    summary="The queue in its order",
)
async def queue(
    request: Request,
    studio: Studio,
    limit: Annotated[int, Query(ge=0, le=500, description="How many waiting jobs to list.")] = 100,
) -> Response:
    """Return the running jobs and the first that wait, each with its place, its ETA and the reasons for its place."""
    forecast = await studio.forecast(waiting=limit)
    board = forecast.board
    document = QueueDocument(
        paused=board.paused,
        slots=board.slots,
        waiting_count=board.waiting_count,
        seconds_each=round(forecast.seconds_each(), 1),
        running=[JobDocument.running(job, forecast) for job in board.running],
        waiting=[JobDocument.waiting(job, place, forecast) for place, job in enumerate(board.waiting, 1)],
    )
    return answer(request, document)


@router.get("/catalog", responses=described(), summary="Styles and engines")
async def catalog(studio: Studio) -> CatalogDocument:
    """Return the names that POST /generate takes."""
    return CatalogDocument(
        title=studio.catalog.title,
        styles=[
            StyleDocument(name=name, title=style.title, summary=style.summary)
            for name, style in studio.catalog.styles.items()
        ],
        engines=[
            EngineDocument(
                name=spec.name,
                summary=spec.summary,
                shortest=spec.shortest_s,
                longest=spec.longest_s,
                default=spec.default_s,
            )
            for spec in (await studio.specs()).values()
        ],
        prompt_limit=studio.catalog.limits.prompt_length,
    )
