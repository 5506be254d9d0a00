"""Several renderers as one: a render goes to the first that is there, and its handle says which has it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from time import monotonic

from sakuga.engine import EngineSpec, Progress, RenderRequest, RenderResult
from sakuga.errors import EngineUnknown, RenderLost, SakugaError
from sakuga.log import get_logger
from worker.renderers import AWAY, Readiness, Renderer

log = get_logger("renderer")

REMEMBERED_S = 75.0
"""Seconds for which one that was away is passed over unasked: longer than between two looks, each of which says anew.

To ask one that can't be reached takes 8 s, which every clip would wait for.
"""


class ChainRenderer:
    """Asks its renderers in order. None is passed over silently: the log's `renderer.fell_back` says which and why.

    A renderer that doesn't have the engine that was asked for draws with its own default, and only when none is there
    that has it; `Progress.engine`, `RenderResult.making` and `.renderer` say what drew. One that was away is not asked
    for the next clips: `look` asks again, beside the renders.
    """

    def __init__(self, renderers: Sequence[Renderer], *, remembered_s: float = REMEMBERED_S) -> None:
        self._renderers = {renderer.name: renderer for renderer in renderers}
        self._remembered_s = remembered_s
        self._away: dict[str, tuple[SakugaError, float]] = {}  # by name: why, and until when that is believed
        self._instead: dict[str, str] = {}  # by handle: the engine that draws, where it is not the one asked for
        self._specs: dict[str, list[EngineSpec]] = {}
        self.name = ",".join(self._renderers)

    def outlives(self, handle: str) -> bool:
        """Whether the renderer that has it does."""
        renderer, own = self._split(handle)
        return renderer is not None and renderer.outlives(own)

    async def specs(self) -> list[EngineSpec]:
        """Return the engines of all that are there, each once. Raises what the last one said when none is."""
        away: SakugaError | None = None
        for renderer in self._renderers.values():
            try:
                self._specs[renderer.name] = await renderer.specs()
            except AWAY as error:
                log.warning("renderer.away", renderer=renderer.name, code=error.code, reason=str(error))
                away = error
                self._note(renderer, error)
        found: dict[str, EngineSpec] = {}
        for name in self._renderers:  # in order
            for spec in self._specs.get(name, []):
                found.setdefault(spec.name, spec)
        if away and not found:
            raise away
        return list(found.values())

    async def start(self, request: RenderRequest) -> str:
        """Start it at the first renderer that takes it. Raises what the first one said when none does."""
        away: dict[str, SakugaError] = {}
        async with aclosing(self._order(request.engine, away)) as there:
            async for renderer in there:
                fitted = fit(request, self._specs[renderer.name])
                try:
                    handle = await renderer.start(fitted)
                except AWAY as error:
                    away[renderer.name] = error
                    self._note(renderer, error)
                    continue
                away.pop(renderer.name, None)
                self._note(renderer, None)
                engines = {"asked": request.engine, "engine": fitted.engine}
                self._tell(away, renderer, job_id=request.job_id, **engines, **_left_out(request, fitted))
                handle = f"{renderer.name}:{handle}"
                if fitted.engine != request.engine:
                    self._instead[handle] = fitted.engine
                return handle
        raise next(iter(away.values()))

    async def watch(self, handle: str) -> AsyncIterator[Progress]:
        """Yield what the renderer reports that has it. Raises RenderLost."""
        renderer, own = self._split(handle)
        if renderer is None:
            raise RenderLost
        async for progress in renderer.watch(own):
            yield progress.model_copy(update={"engine": self._instead.get(handle)})

    async def result(self, handle: str) -> RenderResult:
        """Return what was made, with the name of the renderer that made it. Raises what that one raises."""
        renderer, own = self._split(handle)
        if renderer is None:
            raise RenderLost
        result = await renderer.result(own)
        return result.model_copy(update={"renderer": result.renderer or renderer.name})

    async def cancel(self, handle: str) -> None:
        """Stop it where it is."""
        renderer, own = self._split(handle)
        if renderer:
            await renderer.cancel(own)

    async def release(self, handle: str) -> None:
        """Forget it where it is."""
        self._instead.pop(handle, None)
        renderer, own = self._split(handle)
        if renderer:
            await renderer.release(own)

    async def warm(self) -> None:
        """Warm the first that is there. Raises what the first one said when none is."""
        away: dict[str, SakugaError] = {}
        for renderer in self._renderers.values():
            try:
                await renderer.warm()
            except AWAY as error:
                away[renderer.name] = error
                self._note(renderer, error)
                continue
            self._tell(away, renderer)
            return
        raise next(iter(away.values()))

    async def cool(self) -> None:
        """Cool all of them. Raises what the first one said that could not."""
        failed: SakugaError | None = None
        for renderer in self._renderers.values():
            try:
                await renderer.cool()
            except SakugaError as error:
                failed = failed or error
        if failed:
            raise failed

    async def look(self) -> None:
        """Have all of them look, and remember which are there."""
        await asyncio.gather(*(self._look_at(renderer) for renderer in self._renderers.values()))

    async def readiness(self) -> Readiness:
        """Return that of the first one that is there, with the trouble of the first that is not."""
        why = {name: error for name in self._renderers if (error := self._known_away(name))}
        there = [renderer for name, renderer in self._renderers.items() if name in self._specs and name not in why]
        found = await next(iter(there or self._renderers.values())).readiness()
        return replace(found, trouble=next(iter(why.values()), found.trouble), there=bool(there))

    async def close(self) -> None:
        """Close all of them."""
        await asyncio.gather(*(renderer.close() for renderer in self._renderers.values()))

    async def _order(self, engine: str, away: dict[str, SakugaError]) -> AsyncGenerator[Renderer]:
        """Yield the renderers that are there, first those that have the engine; put the others into `away`.

        What one has that was away so far is asked when its turn comes, and not for every clip that goes to another.
        Those that were away a moment ago come last, for when nobody else took it.
        """
        without: list[Renderer] = []
        put_off: list[Renderer] = []
        for renderer in self._renderers.values():
            if error := self._known_away(renderer.name):
                away[renderer.name] = error
                put_off.append(renderer)
                continue
            if not await self._introduced(renderer, away):
                continue
            if engine in {spec.name for spec in self._specs[renderer.name]}:
                yield renderer
            else:
                without.append(renderer)
        for renderer in without:
            yield renderer
        for renderer in put_off:
            if await self._introduced(renderer, away):
                yield renderer

    async def _introduced(self, renderer: Renderer, away: dict[str, SakugaError]) -> bool:
        """Whether it is known what a renderer has; one that can't say is put into `away`."""
        if renderer.name not in self._specs:
            try:
                self._specs[renderer.name] = await renderer.specs()
            except AWAY as error:
                away[renderer.name] = error
                self._note(renderer, error)
                return False
        return True

    async def _look_at(self, renderer: Renderer) -> None:
        await renderer.look()
        trouble = (await renderer.readiness()).trouble
        if trouble or await self._introduced(renderer, {}):
            self._note(renderer, trouble)

    def _note(self, renderer: Renderer, why: SakugaError | None) -> None:
        self._away.pop(renderer.name, None)
        if why:
            self._away[renderer.name] = why, monotonic() + self._remembered_s

    def _known_away(self, name: str) -> SakugaError | None:
        why, until_s = self._away.get(name, (None, 0.0))
        return why if monotonic() < until_s else None

    def _tell(self, away: Mapping[str, SakugaError], taken: Renderer, **more: str) -> None:
        for name, why in away.items():
            log.warning("renderer.fell_back", code=why.code, passed_over=name, renderer=taken.name, **more)
        if not away and more.get("asked") != more.get("engine"):
            log.warning("renderer.fell_back", code=EngineUnknown.code, renderer=taken.name, **more)

    def _split(self, handle: str) -> tuple[Renderer | None, str]:
        name, _, own = handle.partition(":")
        return self._renderers.get(name), own


def _left_out(asked: RenderRequest, fitted: RenderRequest) -> dict[str, str]:
    """Return under `without` what the viewer asked for and the other engine can't draw, if there is something."""
    names = [adapter.name for adapter in asked.adapters if adapter not in fitted.adapters]
    names += [name for name in ("image", "video") if getattr(asked, name) and not getattr(fitted, name)]
    return {"without": ", ".join(names)} if names else {}


def fit(request: RenderRequest, specs: Sequence[EngineSpec]) -> RenderRequest:
    """Return a request as it is if its engine is among `specs`, else one of the same length for the first of them.

    Characters' LoRAs are left out then, since they fit one engine only.
    """
    if request.engine in {spec.name for spec in specs}:
        return request
    spec = specs[0]
    preset = request.preset if request.preset in spec.presets or not spec.presets else next(iter(spec.presets))
    recipe = spec.presets.get(preset)
    width, height = (recipe.size if recipe else None) or spec.sizes[0]
    length_s = min(max((request.num_frames - 1) / request.fps, spec.shortest_s), spec.longest_s)
    can_begin = request.mode in spec.modes
    return request.model_copy(
        update={
            "engine": spec.name,
            "preset": preset,
            "width": width,
            "height": height,
            "num_frames": spec.num_frames(length_s),
            "fps": spec.fps,
            "adapters": (),
            "image": request.image if can_begin else None,
            "video": request.video if can_begin else None,
        }
    )
