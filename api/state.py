"""The gateway's state: its open connections and what it keeps for a moment."""

import asyncio
import json
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Annotated, Any, Self

from fastapi import Depends, Request

from api.forecast import Forecast
from api.forecaster import Forecaster
from api.gate import Gate
from api.helper import Helper
from api.said import Said
from sakuga import store
from sakuga.catalog import Catalog
from sakuga.engine import EngineSpec
from sakuga.errors import StudioNotReady
from sakuga.events import Events
from sakuga.gallery import Gallery
from sakuga.latest import Latest
from sakuga.ledger import Ledger
from sakuga.lineage import Lineage
from sakuga.moderation import Moderation
from sakuga.playout import Playout
from sakuga.pots import Pots
from sakuga.presence import Presences
from sakuga.purse import Purses
from sakuga.queue import Queue
from sakuga.redemptions import Redemptions
from sakuga.retraction import Retractions
from sakuga.session import Sessions
from sakuga.settings import Settings
from sakuga.show import Shows
from sakuga.shredder import Shredder
from sakuga.storage import Storage
from sakuga.studio_file import StudioFile
from sakuga.votes import Votes
from sakuga.warmth import Warmth

FORECAST_KEPT_S = 0.5
SPECS_KEPT_S = 2.0
SEEN_WITHIN_S = 10.0
ANSWERS = 1000


@dataclass
class State:
    """Made once per process; routes take it as a dependency."""

    settings: Settings
    file: StudioFile
    storage: Storage
    redis: store.Client
    raw: store.Client
    queue: Queue
    moderation: Moderation
    retractions: Retractions
    shredder: Shredder
    presences: Presences
    sessions: Sessions
    shows: Shows
    lineage: Lineage
    pots: Pots
    votes: Votes
    ledger: Ledger
    redemptions: Redemptions
    purses: Purses
    gate: Gate
    helper: Helper
    gallery: Gallery
    playout: Playout
    warmth: Warmth
    events: Events
    forecaster: Forecaster
    streams: asyncio.Semaphore
    closing: asyncio.Event
    said: Said[Any] = field(default_factory=Said)  # on the stage; see api/stage.py
    answers: Latest[Any] = field(default_factory=lambda: Latest(ANSWERS))  # by job id; see api/status.py
    _specs: dict[str, EngineSpec] = field(default_factory=dict)
    _specs_until: float = 0.0
    _forecast: Forecast | None = None
    _forecast_until: float = 0.0
    _forecasting: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    def open(cls, settings: Settings, *, streams: int) -> Self:
        """Open what the routes need. Nothing is asked of the broker yet."""
        redis, storage = store.connect(settings.broker_url), Storage.open(settings)
        gate = Gate.open(settings)
        return cls(
            settings=settings,
            file=StudioFile(settings.studio_file),
            storage=storage,
            redis=redis,
            raw=store.connect(settings.broker_url, decode=False),
            queue=Queue(redis),
            moderation=Moderation(redis),
            retractions=Retractions(redis),
            shredder=Shredder(redis, storage),
            presences=Presences(redis),
            sessions=Sessions(redis),
            shows=Shows(redis),
            lineage=Lineage(redis),
            pots=Pots(redis),
            votes=Votes(redis),
            ledger=Ledger(redis),
            redemptions=Redemptions(redis),
            purses=Purses(redis),
            gate=gate,
            helper=Helper.open(settings, redis, gate),
            gallery=Gallery(redis),
            playout=Playout(redis),
            warmth=Warmth(redis),
            events=Events(redis),
            forecaster=Forecaster(redis),
            closing=asyncio.Event(),
            streams=asyncio.Semaphore(streams),
        )

    @property
    def catalog(self) -> Catalog:
        """What the studio file says now."""
        return self.file.catalog

    async def close(self) -> None:
        """Close the connections."""
        await self.gate.close()
        await self.helper.close()
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
        usual = next(iter(specs.values()), None)
        preset = self.catalog.presets_of(usual)[0] if usual else self.catalog.preset
        found = await self.forecaster.forecast(
            await self.queue.board(waiting), specs, (usual.name if usual else "", preset)
        )
        return replace(found, most_credit_s=self.catalog.most_credit_s)

    async def workers(self) -> list[dict[str, Any]]:
        """Return what the workers said of themselves that were seen a moment ago."""
        seconds, _ = await self.redis.time()
        names = await self.redis.zrangebyscore(store.WORKERS, seconds - SEEN_WITHIN_S, "+inf")
        documents = await self.redis.hmget(store.WORKER_DOCUMENTS, names) if names else []
        return [json.loads(document) for document in documents if document]

    async def recent_forecast(self) -> Forecast:
        """Return a forecast that is at most half a second old: polls must not each compute their own."""
        async with self._forecasting:  # who comes meanwhile waits for it, and makes none
            if self._forecast is None or monotonic() > self._forecast_until:
                self._forecast = await self.forecast()
                self._forecast_until = monotonic() + FORECAST_KEPT_S
            return self._forecast


async def _state(request: Request) -> State:  # async: FastAPI runs others in a thread
    state: State = request.app.state.studio
    return state


Studio = Annotated[State, Depends(_state)]
