"""The local renderer: engines on this PC's own card, in one child process that keeps a model in memory."""

import asyncio
import json
from collections.abc import AsyncIterator
from importlib.util import find_spec

from sakuga.engine import EngineSpec, Progress, RenderRequest, RenderResult
from sakuga.errors import (
    GpuMemoryExhausted,
    RendererUnavailable,
    RenderFailed,
    RenderLost,
    SakugaError,
    SettingsInvalid,
)
from sakuga.log import apart, get_logger
from sakuga.settings import Settings
from worker.renderers import Readiness, child
from worker.renderers.card import find_card
from worker.renderers.child import Child, Ready, Said
from worker.renderers.renders import Render, Renders

log = get_logger("renderer")

PATIENCE_S = 5.0, 20.0
"""Seconds that a child has to obey a cancel: twice the longest step so far, and no less or more than these."""
FRESH = GpuMemoryExhausted, RenderLost
"""Ends of a render after which its process should draw nothing more."""
NOTHING = Ready(engine=None, device=None)


class LocalRenderer:
    """Tells `python -m gpu serve` what to draw, one clip at a time; the others wait here.

    The child is started when it is first needed. It is ended, and a new one started for the next clip, when the card's
    memory was exhausted or the card answered no more, when it ignored a cancel, when it could not load its model in
    time, and when it said something unreadable.
    """

    name = "local"

    def __init__(self, settings: Settings) -> None:
        self._wanted = settings.engines
        self._weights = settings.weights.resolve()
        places = {
            "--weights": self._weights,
            "--media": settings.media_dir.resolve(),
            "--cache": settings.var_dir.resolve() / "cache",
        }
        self._place = [str(part) for pair in places.items() for part in pair]
        self._limit_s = settings.render_timeout.total_seconds()
        self._renders = Renders(settings.var_dir.resolve() / "renders", self.name)
        self._specs: list[EngineSpec] = []
        self._card: str | None = None
        self._turn = asyncio.Lock()  # whose holder may use the card; first come, first served
        self._child: Child | None = None
        self._listener: asyncio.Task[None] | None = None
        self._drawing: str | None = None
        self._ready = NOTHING
        self._warming: asyncio.Future[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def outlives(self, handle: str) -> bool:
        """Never: the child dies with us."""
        del handle
        return False

    async def specs(self) -> list[EngineSpec]:
        """Ask the engines of the settings what they are, or else those whose weights are here.

        Raises SettingsInvalid for an engine that doesn't exist, RendererUnavailable when none can be drawn with.
        """
        await self._renders.sweep()
        try:
            found = await child.specs(*(self._wanted or ["--present", "--weights", str(self._weights)]))
        except RenderFailed as error:
            raise SettingsInvalid(problem=f"SAKUGA_ENGINES: {error.data['reason']}.") from error
        if not found:
            how = ".venv/bin/python -m sakuga gpu weights --here ENGINE"
            reason = f"there are no weights in {self._weights}: {how} fetches some"
            raise RendererUnavailable(reason=reason)
        if any(spec.source for spec in found) and not (find_spec("torch") and find_spec("diffusers")):
            raise RendererUnavailable(reason="there is no torch here: make demo RENDERER=local installs it")
        if any(spec.gpus for spec in found):
            self._card = await find_card()
            if self._card is None:
                raise RendererUnavailable(reason="nvidia-smi finds no card, and on a CPU a clip would take hours")
        self._specs = found
        return found

    async def start(self, request: RenderRequest) -> str:
        """Queue a render and return its handle. Raises RendererUnavailable when there is nothing to draw with."""
        if not self._specs:
            await self.specs()
        handle, render = self._renders.begin(request.job_id)
        task = asyncio.create_task(self._drawn(handle, render, request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return handle

    async def watch(self, handle: str) -> AsyncIterator[Progress]:
        """Yield every report from the first on. Raises RenderLost."""
        async for progress in self._renders.find(handle).watch():
            yield progress

    async def result(self, handle: str) -> RenderResult:
        """Return the files. Raises RenderError: RenderLost when the child died, else what it said."""
        return await self._renders.find(handle).result()

    async def cancel(self, handle: str) -> None:
        """Stop a render within one step, or end the child when it doesn't obey."""
        render = self._renders.get(handle)
        if render is None or render.ended:
            return
        render.unwanted = True
        if self._drawing != handle or self._child is None:
            await render.finish(RenderLost())  # it is unwanted, which comes first
            return
        self._child.tell(json.dumps({"cancel": handle}))
        least, most = PATIENCE_S
        try:
            async with asyncio.timeout(min(max(2 * render.longest_pause_s, least), most)):
                await render.finished()
        except TimeoutError:
            await self._kill(reason="cancel ignored")
            await render.finished()

    async def release(self, handle: str) -> None:
        """Stop a render and remove its files."""
        await self.cancel(handle)
        await self._renders.forget(handle)

    async def warm(self) -> None:
        """Load the default engine, unless some engine is in memory. Returns when it is. Raises RenderError."""
        if not self._specs:
            await self.specs()
        async with self._turn:
            if self._ready.engine:
                return
            running = await self._running()
            self._warming = asyncio.get_running_loop().create_future()
            running.tell(json.dumps({"warm": self._specs[0].name}))
            try:
                async with asyncio.timeout(self._limit_s):
                    await self._warming
            except FRESH:
                await self._end_child()
                raise
            except TimeoutError as error:  # whoever waits for a turn here would wait for ever
                await self._kill(reason="not loaded in time")
                raise RendererUnavailable(reason="the model does not load") from error
            finally:
                self._warming = None

    async def cool(self) -> None:
        """End the child, after what waits here is drawn."""
        async with self._turn:
            await self._end_child()

    async def look(self) -> None:
        """Do nothing: what it needs was looked for by `specs`, and a child that dies is started again."""

    async def readiness(self) -> Readiness:
        """Return the card that was found, and whether the child last said that it has an engine in memory."""
        return Readiness(gpu=self._card, warm=self._ready.engine is not None)

    async def close(self) -> None:
        """End the child and forget all renders."""
        for render in self._renders.values():
            render.unwanted = True
        await self._end_child()
        for handle in list(self._renders):
            await self.release(handle)
        await asyncio.gather(*self._tasks)
        await self._end_child()  # one that was on its way

    async def _drawn(self, handle: str, render: Render, request: RenderRequest) -> None:
        async with self._turn:
            if render.unwanted:
                return
            try:
                running = await self._running()
            except SakugaError as error:
                await render.finish(error)
            if render.ended or render.unwanted:
                return
            self._drawing = handle
            order = {"render": request.model_dump(mode="json"), "handle": handle, "out": str(render.folder)}
            running.tell(json.dumps(order))
            try:
                end = await render.finished()
            finally:
                self._drawing = None
            if isinstance(end, FRESH) and self._child is running:
                await self._kill(reason=end.code)

    async def _running(self) -> Child:
        """Return the child, started if there is none."""
        if self._child is None or not self._child.alive:
            await self._end_child()
            self._child = await Child.start("serve", *self._place)
            self._listener = asyncio.create_task(self._listen(self._child), context=apart())
        return self._child

    async def _kill(self, *, reason: str) -> None:
        log.warning("renderer.killed", renderer=self.name, reason=reason)
        await self._end_child()

    async def _end_child(self) -> None:
        running, listener = self._child, self._listener
        if running and listener:
            await running.kill()
            await listener

    async def _listen(self, running: Child) -> None:
        """Take in what the child says until it ends."""
        end: SakugaError = RenderLost()
        try:
            async for said in running.said():
                await self._hear(said)
        except SakugaError as error:
            end = error
        render = self._renders.get(self._drawing or "")
        if not running.killed:
            drawn = {"job_id": render.job_id} if render else {}
            log.warning("renderer.died", renderer=self.name, status=running.status, **drawn)
        self._child, self._listener, self._ready = None, None, NOTHING
        if self._warming and not self._warming.done():
            self._warming.set_exception(RendererUnavailable(reason="the engine's process died"))
        if render:
            await render.finish(end)

    async def _hear(self, said: Said) -> None:
        if said.ready:
            self._ready = said.ready
        if self._warming and not self._warming.done():
            if said.warm and said.error:
                self._warming.set_exception(said.error.error())
            elif said.ready and said.ready.engine:
                self._warming.set_result(None)
        render = self._renders.get(said.handle)
        if render is None:
            return
        if said.progress:
            await render.report(said.progress)
        elif said.result:
            await render.finish(said.result.model_copy(update={"renderer": self.name}))
        elif said.error:
            await render.finish(said.error.error())
