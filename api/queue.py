"""GET /queue: who waits and who is being drawn."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.cache import answer
from api.documents import JobDocument, QueueDocument
from api.door import reads
from api.errors import described
from api.state import State, Studio

router = APIRouter(tags=["queue"])


@router.get(
    "/queue",
    dependencies=reads(),
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
    return answer(request, await queue_of(studio, limit))


async def queue_of(studio: State, limit: int) -> QueueDocument:
    """Return the queue with the first `limit` of those that wait."""
    forecast = await studio.forecast(waiting=limit)
    board = forecast.board
    return QueueDocument(
        open=not board.closed,
        paused=board.paused,
        draining=board.draining,
        held_count=board.held_count,
        slots=board.slots,
        waiting_count=board.waiting_count,
        seconds_each=round(forecast.seconds_each(), 1),
        running=[JobDocument.running(job, forecast) for job in board.running],
        waiting=[JobDocument.waiting(job, place, forecast) for place, job in enumerate(board.waiting, 1)],
    )
