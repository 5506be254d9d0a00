"""The gateway's state: its open connections and what it keeps for a moment."""

import asyncio
import json
from dataclasses import dataclass, field
from time import monotonic
from typing import Annotated, Any, Self

from fastapi import Depends, Request

from api.forecast import Forecast
from sakuga import store
from sakuga.catalog import Catalog
from sakuga.engine import EngineSpec
from sakuga.errors import StudioNotReady
from sakuga.events import Events
from sakuga.gallery import Gallery
from sakuga.job import pace
from sakuga.latest import Latest
from sakuga.playout import Playout
from sakuga.queue import Queue
from sakuga.settings import Settings
from sakuga.storage import Storage
from sakuga.warmth import Warmth

FORECAST_KEPT_S = 0.5
SPECS_KEPT_S = 2.0
SEEN_WITHIN_S = 10.0
ANSWERS = 1000


@dataclass
class State:
    """Made once per process; routes take it as a dependency."""

    settings: Settings
    catalog: Catalog
    storage: Storage
    redis: store.Client
    raw: store.Client
    queue: Queue
    gallery: Gallery
    playout: Playout
    warmth: Warmth
    events: Events
    streams: asyncio.Semaphore
    closing: asyncio.Event
    answers: Latest[Any] = field(default_factory=lambda: Latest(ANSWERS))  # by job id; see api/status.py
    _specs: dict[str, EngineSpec] = field(default_factory=dict)
    _specs_until: float = 0.0
    _forecast: Forecast | None = None
    _forecast_until: float = 0.0

    @classmethod
    def open(cls, settings: Settings, *, streams: int) -> Self:
        """Open what the routes need. Nothing is asked of the broker yet."""
        redis = store.connect(settings.broker_url)
        return cls(
            settings=settings,
            catalog=Catalog.load(settings.studio_file),
            storage=Storage.open(settings),
            redis=redis,
            raw=store.connect(settings.broker_url, decode=False),
            queue=Queue(redis),
            gallery=Gallery(redis),
            playout=Playout(redis),
            warmth=Warmth(redis),
            events=Events(redis),
            closing=asyncio.Event(),
            streams=asyncio.Semaphore(streams),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self.redis.aclose()
        await self.raw.aclose()

    async def specs(self) -> dict[str, EngineSpec]:
        """Return the engines that workers said they have, the default first. Raises StudioNotReady without one."""
        if not self._specs or monotonic() > self._specs_until:
            found = await self.redis.hgetall(store.ENGINES)
            told = json.loads(await self.redis.hget(store.STUDIO, "engines") or "[]")
            order = [self.catalog.engine, *told, *found]  # a hash of Redis keeps none
            names = dict.fromkeys(name for name in order if name in found)
            self._specs = {name: EngineSpec.model_validate_json(found[name]) for name in names}
            self._specs_until = monotonic() + SPECS_KEPT_S
        if not self._specs:
            raise StudioNotReady
        return self._specs

    async def forecast(self, *, waiting: int = 0) -> Forecast:
        """Return the forecast for the queue as it is now, with the first `waiting` jobs on its board."""
        try:
            specs = await self.specs()
        except StudioNotReady:
            specs = {}
        typical_s = {
            pace(spec.name, preset): spec.presets[preset].typical_s if preset in spec.presets else spec.typical_s
            for spec in specs.values()
            for preset in dict.fromkeys((*self.catalog.presets_of(spec), *spec.presets))
        }
        return Forecast(await self.queue.board(waiting), typical_s)

    async def workers(self) -> list[dict[str, Any]]:
        """Return what the workers said of themselves that were seen a moment ago."""
        seconds, _ = await self.redis.time()
        names = await self.redis.zrangebyscore(store.WORKERS, seconds - SEEN_WITHIN_S, "+inf")
        documents = await self.redis.hmget(store.WORKER_DOCUMENTS, names) if names else []
        return [json.loads(document) for document in documents if document]

    async def recent_forecast(self) -> Forecast:
        """Return a forecast that is at most half a second old: polls must not each compute their own."""
        if self._forecast is None or monotonic() > self._forecast_until:
            self._forecast = await self.forecast()
            self._forecast_until = monotonic() + FORECAST_KEPT_S
        return self._forecast


async def _state(request: Request) -> State:  # async: FastAPI runs others in a thread
    state: State = request.app.state.studio
    return state


Studio = Annotated[State, Depends(_state)]
