"""The application: routes, errors and the guard, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from api import catalog, clips, errors, events, generate, health, pages, queue, renderer, stage, status
from api.guard import Guard
from api.state import State
from sakuga import __version__
from sakuga.settings import Settings

DESCRIPTION = """
The gateway of an anime studio that a live chat directs. `POST /generate` takes a request in; `GET /status/{job_id}`
tells how it is going until there is a clip; `GET /stage` tells what is on air.

Every error is `{"error": {"code", "message", "type", "param"}}`: the code is stable, the message says what to do.
Times are UTC in RFC 3339, durations are seconds.
"""
TAGS = [
    {"name": "jobs", "description": "Ask for a clip and follow it."},
    {"name": "queue", "description": "Who waits."},
    {"name": "catalog", "description": "What can be asked for."},
    {"name": "stage", "description": "What is on air."},
    {"name": "clips", "description": "What was made."},
    {"name": "events", "description": "Everything that happens."},
    {"name": "renderer", "description": "Where it is drawn, and whether a GPU is kept ready."},
    {"name": "health", "description": "Which parts are up."},
]


def create_app(settings: Settings) -> FastAPI:
    """Return the gateway for these settings. Raises StudioFileInvalid, StorageUnavailable."""
    studio = State.open(settings, streams=events.STREAMS)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await studio.close()

    app = FastAPI(
        title="Sakuga",
        version=__version__,
        summary="An anime studio that a live chat directs.",
        description=DESCRIPTION.strip(),
        openapi_tags=TAGS,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        license_info={"name": "GPL-3.0-or-later", "identifier": "GPL-3.0-or-later"},
    )
    app.state.studio = studio
    for room in (status, generate, queue, catalog, stage, clips, events, renderer, health):  # the most polled first
        app.include_router(room.router)
    errors.install(app)
    pages.install(app)
    app.add_middleware(Guard, settings=settings)
    return app
