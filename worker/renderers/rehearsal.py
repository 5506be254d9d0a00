"""The rehearsal renderer: each render in a child process on this CPU, with no model."""

import asyncio
from collections.abc import AsyncIterator

from sakuga.engine import EngineSpec, Progress, RenderRequest, RenderResult
from sakuga.errors import RenderLost, SakugaError
from sakuga.settings import Settings
from worker.renderers import Readiness, child
from worker.renderers.child import Child
from worker.renderers.renders import Render, Renders


class RehearsalRenderer:
    """Runs `python -m gpu render` per job. The child ends when its standard input closes, so it never outlives us."""

    name = "rehearsal"

    def __init__(self, settings: Settings) -> None:
        self._pace_s = settings.rehearsal_seconds.total_seconds()
        self._renders = Renders(settings.var_dir.resolve() / "renders", self.name)
        self._children: dict[str, Child] = {}
        self._readers: set[asyncio.Task[None]] = set()

    def outlives(self, handle: str) -> bool:
        """Never: the child dies with us."""
        del handle
        return False

    async def specs(self) -> list[EngineSpec]:
        """Ask the engine what it is. Raises RendererUnavailable."""
        await self._renders.sweep()
        return [spec.model_copy(update={"typical_s": self._pace_s + 1.0}) for spec in await child.specs(self.name)]

    async def start(self, request: RenderRequest) -> str:
        """Start a child for this request and return its handle."""
        handle, render = self._renders.begin()
        try:
            process = self._children[handle] = await Child.start("render", "--out", str(render.folder))
        except (SakugaError, asyncio.CancelledError):
            await self._renders.forget(handle)
            raise
        process.tell(request.model_copy(update={"pace_s": self._pace_s}).model_dump_json())
        reader = asyncio.create_task(self._read(process, render))
        self._readers.add(reader)
        reader.add_done_callback(self._readers.discard)
        return handle

    async def watch(self, handle: str) -> AsyncIterator[Progress]:
        """Yield every report from the first on. Raises RenderLost."""
        async for progress in self._renders.find(handle).watch():
            yield progress

    async def result(self, handle: str) -> RenderResult:
        """Return the files. Raises RenderFailed, RenderLost, RenderCancelled."""
        return await self._renders.find(handle).result()

    async def cancel(self, handle: str) -> None:
        """End the child at once."""
        render = self._renders.get(handle)
        if render and not render.ended:
            render.unwanted = True
            await self._children[handle].kill()
            await render.finished()

    async def release(self, handle: str) -> None:
        """Remove a render's files."""
        await self.cancel(handle)
        self._children.pop(handle, None)
        await self._renders.forget(handle)

    async def warm(self) -> None:
        """Do nothing: there is no model."""

    async def cool(self) -> None:
        """Do nothing: there is no model."""

    async def look(self) -> None:
        """Do nothing: it is here."""

    async def readiness(self) -> Readiness:
        """Say that it could begin now."""
        return Readiness(gpu=None, warm=True)

    async def close(self) -> None:
        """End all children."""
        for handle in list(self._renders):
            await self.release(handle)

    async def _read(self, process: Child, render: Render) -> None:
        """Take in what the child says until it ends."""
        end: RenderResult | SakugaError = RenderLost()
        try:
            async for said in process.said():
                if said.progress:
                    await render.report(said.progress)
                elif said.result:
                    end = said.result.model_copy(update={"renderer": self.name})
                elif said.error:
                    end = said.error.error()
        except SakugaError as error:
            end = error
        await render.finish(end)
