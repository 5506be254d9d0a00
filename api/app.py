"""The application: routes, errors and the guard, put together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI
from redis.exceptions import RedisError

from api import (
    budget,
    catalog,
    chats,
    clips,
    errors,
    events,
    generate,
    health,
    inbound,
    jobs,
    login,
    metrics,
    moderation,
    pages,
    paid,
    pot,
    queue,
    renderer,
    retractions,
    schema,
    show,
    stage,
    status,
    streamerbot,
    webhooks,
)
from api.door import Door
from api.guard import Guard
from api.metrics import Meters
from api.state import State
from api.traffic import Traffic
from sakuga import __version__, chores, store
from sakuga.keys import Keys
from sakuga.settings import Settings

DESCRIPTION = """
The gateway of an anime studio that a live chat directs. `POST /generate` takes a request in; `GET /status/{job_id}`
tells how it is going until there is a clip; `GET /stage` tells what is on air.

Reading needs no key, unless the streamer wants one; each route that changes something says which role it needs. Send a
key as `Authorization: Bearer` or as `X-API-Key`.

Every error is `{"error": {"code", "message", "type", "param"}}`: the code is stable, the message says what to do.
Times are UTC in RFC 3339, durations are seconds.
"""
TAGS = [
    {"name": "jobs", "description": "Ask for a clip and follow it."},
    {"name": "queue", "description": "Who waits."},
    {"name": "moderation", "description": "What moderators do to the queue. Needs a moderator's key."},
    {"name": "show", "description": "When the stream is live, and what its chat votes for."},
    {"name": "budget", "description": "What it costs, and how much may be spent."},
    {"name": "paid", "description": "What viewers pay: channel points, support, and bits in their purse."},
    {"name": "catalog", "description": "What can be asked for."},
    {"name": "stage", "description": "What is on air."},
    {"name": "clips", "description": "What was made."},
    {"name": "events", "description": "Everything that happens."},
    {"name": "renderer", "description": "Where it is drawn, and whether a GPU is kept ready."},
    {"name": "keys", "description": "Who is calling, and how a browser logs in."},
    {"name": "webhooks", "description": "Which addresses hear of events, signed by Standard Webhooks."},
    {"name": "health", "description": "Which parts are up."},
]


def create_app(settings: Settings) -> FastAPI:
    """Return the gateway for these settings. Raises StudioFileInvalid, StorageUnavailable."""
    studio = State.open(settings, streams=events.STREAMS)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with suppress(RedisError):  # else `keys link` goes by its own settings
            await studio.redis.hset(store.STUDIO, "url", settings.base_url)
        pouring = asyncio.create_task(pot.keep_pouring(studio), name="pot")
        yield
        await chores.end([pouring])
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
    app.state.door = Door(settings, Keys(studio.redis))
    app.state.meters = Meters(studio)
    most_polled = (status, generate, pot, streamerbot, inbound, queue, stage)
    moderated = (jobs, moderation, retractions, show, budget, paid, webhooks)
    for room in (*most_polled, catalog, clips, events, renderer, health, chats, metrics, login, *moderated):
        app.include_router(room.router)
    app.include_router(jobs.decisions)
    errors.install(app)
    pages.install(app)
    schema.declare(app, keyless_reads=settings.keyless_reads)
    app.add_middleware(Guard, settings=settings)
    app.add_middleware(Traffic, registry=app.state.meters.registry)
    return app
