"""The Modal renderer: each render is a function call on a rented GPU, which outlives us and is found by its handle."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from time import monotonic

from modal import Client
from ulid import ULID

from sakuga.engine import MODAL_LONGEST_S, EngineSpec, Progress, RenderRequest, RenderResult
from sakuga.errors import RendererUnavailable, RenderFailed, RenderLost, SakugaError, SettingsInvalid
from sakuga.log import get_logger
from sakuga.settings import Settings
from worker.renderers import AWAY, Readiness, child
from worker.renderers.answers import Answers
from worker.renderers.call import Call
from worker.renderers.claims import Claims
from worker.renderers.deployment import Deployment
from worker.renderers.patience import USUAL, Patience
from worker.renderers.renders import Renders
from worker.renderers.strays import Strays

log = get_logger("modal")

ENGINES = ("wan2.1-t2v-1.3b", "ltx-video-2b")
"""What is offered where the settings name nothing: both draw within seconds."""

AGAIN_S = 0.2

HANDLE = re.compile(r"(fc-[\w-]+)/([\w.-]+)")
"""The function call and the attempt key: all that is needed to find a render again."""


class ModalRenderer:
    """Starts calls of the deployed app, and follows each by one task until it has ended, for any number of watchers."""

    name = "modal"

    def __init__(self, settings: Settings, client: Client | None = None, patience: Patience = USUAL) -> None:
        """Open nothing yet. Raises SettingsInvalid for a time limit that the app does not keep to."""
        if settings.render_timeout.total_seconds() > MODAL_LONGEST_S:
            problem = f"SAKUGA_RENDER_TIMEOUT: Modal ends a drawing after {MODAL_LONGEST_S} s. Set it to that or less."
            raise SettingsInvalid(problem=problem)
        self._patience = patience
        self._engines = settings.engines or ENGINES
        self._gpu = settings.modal_gpu
        self._idle_s = settings.modal_idle.total_seconds()
        self._folder = settings.var_dir.resolve() / "renders"
        self._deployment = Deployment(settings, client, answer_s=patience.answer)
        self._strays = Strays(self._deployment, pause_s=patience.stray)
        self._claims = Claims(self._deployment, self._strays)
        self._answers = Answers(self._deployment, patience)
        self._own = str(ULID())  # two workers may follow one call, and each removes its own files
        self._specs: dict[str, EngineSpec] = {}
        self._calls: dict[str, Call] = {}
        self._released: set[str] = set()
        self._kept = False
        self._trouble: SakugaError | None = None  # what Modal said that was last asked to begin, or whether it could
        self._seen_s: float | None = None  # when a model was last known to be in memory

    def outlives(self, handle: str) -> bool:
        """Every one of ours does, until it is released: Modal runs on without us."""
        return HANDLE.fullmatch(handle) is not None and handle not in self._released

    async def specs(self) -> list[EngineSpec]:
        """Return the engines as the code here tells of them. Asks nothing of Modal."""
        await Renders(self._folder, self.name).sweep()
        found = await child.specs(*self._engines, *(("--gpu", self._gpu) if self._gpu else ()))
        self._specs = {spec.name: spec for spec in found}
        return found

    async def start(self, request: RenderRequest) -> str:
        """Return the handle of a call that draws this: one that nobody holds any more, or a new one."""
        spec = self._specs.get(request.engine)
        if spec is None:
            raise RenderFailed(reason=f"there is no engine {request.engine[:40]} here")
        try:
            handle = "/".join(await self._claims.take(spec, request))
        except AWAY as error:
            self._trouble = error
            raise
        self._trouble = None
        self._released.discard(handle)
        self._find(handle)
        return handle

    async def watch(self, handle: str) -> AsyncIterator[Progress]:
        """Yield every report from the first on. Raises RenderLost, RendererUnavailable."""
        call = self._find(handle)
        async for report in call.watch():
            yield report
        end = await call.finished()
        if isinstance(end, RenderLost | RendererUnavailable):
            raise end

    async def result(self, handle: str) -> RenderResult:
        """Return the files, waiting for them. Raises a RenderError."""
        return await self._find(handle).result()

    async def cancel(self, handle: str) -> None:
        """Stop a call; and its container, where that is not enough. Raises RendererUnavailable if it does not stop."""
        if not self.outlives(handle) or (call := self._find(handle)).ended:
            return
        call.unwanted = True
        stop_s = min(max(self._patience.stop, 1.5 * call.longest_pause_s), 3 * self._patience.stop)
        for by_force in (False, True):
            with suppress(RenderLost):  # its end says the same
                await self._deployment.stop(call.call_id, by_force=by_force)
            with suppress(TimeoutError):
                async with asyncio.timeout(stop_s):
                    await call.finished()
                    return
            log.warning("render.not_stopped", call=call.call_id, by_force=by_force)
        raise RendererUnavailable(reason="the render does not stop")

    async def release(self, handle: str) -> None:
        """Stop a call and forget it.

        Where Modal can't be told it goes on. The job's next attempt takes it over, or else it is stopped later.
        """
        if not self.outlives(handle):
            return
        call_id, _, key = handle.partition("/")
        try:
            await self.cancel(handle)
        except SakugaError:
            self._strays.leave(key, call_id)
        else:
            with suppress(SakugaError):  # Modal itself forgets both after a while
                await self._deployment.unclaim(key)
                await self._deployment.clear(key)
        self._released.add(handle)
        if call := self._calls.pop(handle, None):
            await _ended(call.follower)
        await asyncio.to_thread(shutil.rmtree, self._home(handle), ignore_errors=True)

    async def warm(self) -> None:
        """Keep one container of the default engine, with whatever options calls have."""
        await self._deployment.keep(self._first, 1)
        if not self._kept and not self._recent:
            self._seen_s = None
        self._kept = True

    async def cool(self) -> None:
        """Keep none: the last one goes when it was idle for as long as the settings say."""
        await self._deployment.keep(self._first, 0)
        self._kept = False

    async def look(self) -> None:
        """Look the default engine up, which begins nothing and costs nothing."""
        try:
            await self._deployment.look(self._first)
        except SakugaError as error:
            self._trouble = error
        else:
            self._trouble = None

    async def readiness(self) -> Readiness:
        """Return the GPU that is asked for first, and whether a model was seen there that can't have gone since.

        While Modal can't be used there is no GPU.
        """
        if self._trouble:
            return Readiness(gpu=None, warm=False, trouble=self._trouble, there=False)
        gpu = self._gpu or next((gpu for spec in self._specs.values() for gpu in spec.gpus), None)
        return Readiness(gpu=gpu, warm=self._recent or (self._kept and self._seen_s is not None))

    async def close(self) -> None:
        """Stop following. The calls go on, and whoever has their handles finds them."""
        await self._strays.close()
        for call in list(self._calls.values()):
            await _ended(call.follower)
        self._calls.clear()

    @property
    def _first(self) -> EngineSpec:
        return next(iter(self._specs.values()))

    @property
    def _recent(self) -> bool:
        return self._seen_s is not None and monotonic() - self._seen_s < self._idle_s

    def _home(self, handle: str) -> Path:
        return self._folder / f"{self.name}_{handle.replace('/', '_')}_{self._own}"

    def _find(self, handle: str) -> Call:
        """Return a call, which is followed from now on if it was not. Raises RenderLost if it is no handle of ours."""
        if not self.outlives(handle):
            raise RenderLost
        if handle not in self._calls:
            call_id, _, key = handle.partition("/")
            call = self._calls[handle] = Call(self._home(handle), call_id, key)
            call.follower = asyncio.create_task(self._follow(handle, call))
        return self._calls[handle]

    async def _follow(self, handle: str, call: Call) -> None:
        """Take in what a call tells until its end is known, whatever the queue keeps back."""
        listening = asyncio.create_task(self._listen(call))
        end: RenderResult | SakugaError = RenderLost()
        try:
            await call.wait_on()
            end = await self._answers.of(call)
            self._seen_s = monotonic()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._patience.last_word):
                    await call.told.wait()
        except SakugaError as error:
            end = error
        finally:
            await _ended(listening)
            if isinstance(end, RendererUnavailable) and self._calls.get(handle) is call:
                del self._calls[handle]  # who asks again looks again
            await call.finish(end)

    async def _listen(self, call: Call) -> None:
        while True:
            try:
                async for item in self._deployment.items(call.key):
                    news = await call.hear(item)
                    if news and news.stage != "loading":
                        self._seen_s = monotonic()
            except SakugaError as error:
                log.debug("progress.interrupted", call=call.call_id, code=error.code)
            await asyncio.sleep(self._patience.pause)


async def _ended(task: asyncio.Task[None] | None) -> None:
    """Cancel until it is heard: modal's client loses a cancel that arrives together with an error."""
    while task and not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=AGAIN_S)
