"""GET /events: everything that happens, as it happens."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.door import reads
from api.errors import described
from api.state import Studio
from sakuga.errors import StreamsExhausted

router = APIRouter(tags=["events"])

STREAMS = 64  # readers at a time
WAIT_S = 1.0  # between looks at whether the reader is still there
EVENT_ID = r"^[0-9]{1,15}-[0-9]{1,10}$"

After = Annotated[
    str | None, Query(pattern=EVENT_ID, description="Begin after this event; for clients without headers.")
]
LastEventId = Annotated[
    str | None,
    Header(alias="Last-Event-ID", pattern=EVENT_ID, description="The last event received; browsers send it."),
]


async def _place(studio: Studio) -> AsyncIterator[None]:
    if studio.streams.locked():
        raise StreamsExhausted(limit=STREAMS)
    async with studio.streams:
        yield


@router.get(
    "/events",
    response_class=EventSourceResponse,
    responses=described(422, 429),
    dependencies=[*reads(), Depends(_place)],
    summary="Follow what happens",
)
async def events(
    studio: Studio, after: After = None, last_event_id: LastEventId = None
) -> AsyncIterator[ServerSentEvent]:
    """Stream events as Server-Sent Events, from now on or after the one that is named. Polling works without it."""
    at = last_event_id or after or await studio.events.last_id()
    yield ServerSentEvent(comment="following", retry=1000)
    while not studio.closing.is_set():
        for event in await studio.events.after(at, wait_s=WAIT_S):
            at = event.id
            yield ServerSentEvent(id=event.id, event=event.type, data=event.data)
