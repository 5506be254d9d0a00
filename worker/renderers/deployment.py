"""The app on Modal: all that a worker asks of it, in our words."""

from collections.abc import AsyncIterator, Awaitable, Callable
from time import time
from typing import Any, TypeVar

import modal

from sakuga.engine import MODAL_CLAIMS, MODAL_KEPT, MODAL_PROGRESS, EngineSpec, Kept, RenderRequest
from sakuga.errors import RendererNotDeployed, RenderLost
from sakuga.settings import Settings
from worker.renderers.border import FOREIGN, Border

LISTEN_S = 3600.0
"""Seconds for which a queue may be silent before its reader comes to an end."""

KEPT_S = 900.0
"""Seconds after which the app itself lets go of what is kept: three times as long as until that is asked for again."""

T = TypeVar("T")


class Deployment:
    """Every method raises a RenderError; RendererUnavailable after `answer_s`, if Modal can't be reached."""

    def __init__(self, settings: Settings, client: modal.Client | None, *, answer_s: float) -> None:
        self._app = settings.modal_app
        self._gpu = settings.modal_gpu
        self._limits = {"max_containers": settings.slots, "scaledown_window": int(settings.modal_idle.total_seconds())}
        self._answer_s = answer_s
        self._client = client  # the one that Modal's own settings describe, if None
        self._border = Border(app=self._app, timeout_s=settings.render_timeout.total_seconds())
        self._references: dict[str, Any] = {}  # what was looked up, which takes a question or two
        self._tuned: set[str] = set()

    async def spawn(self, spec: EngineSpec, request: RenderRequest) -> str:
        """Begin a call and return its id."""
        await self._tune(spec)
        job = request.model_dump(mode="json")
        return str((await self._ask(lambda: self._engine(spec).spawn.aio(job))).object_id)

    async def answer(self, call_id: str, *, wait_s: float, times: int = 1) -> Any:
        """Wait for the end of a call and return what it returned. Raises TimeoutError while it goes on.

        It may take `times` as long as other answers: a clip comes with it.
        """
        limit_s = wait_s + times * self._answer_s
        try:
            return await self._border.ask(self._call(call_id).get.aio(timeout=wait_s), limit_s=limit_s)
        except RendererNotDeployed as error:
            raise RenderLost from error

    async def stop(self, call_id: str, *, by_force: bool = False) -> None:
        """Cancel a call; by force its container, too, which then has to load its model again. Raises RenderLost."""
        try:
            await self._border.ask(
                self._call(call_id).cancel.aio(terminate_containers=by_force), limit_s=self._answer_s
            )
        except RendererNotDeployed as error:
            raise RenderLost from error

    async def items(self, key: str) -> AsyncIterator[Any]:
        """Yield what the queue holds of an attempt, from the first item on, and leave it there for other readers."""
        try:
            async for item in self._progress().iterate.aio(partition=key, item_poll_timeout=LISTEN_S):
                yield item
        except FOREIGN as error:
            raise self._border.translated(error) from error

    async def holder(self, key: str) -> str | None:
        """Return the call that has claimed an attempt."""
        found = await self._ask(lambda: self._claims().get.aio(key, None))
        return str(found) if found else None

    async def claim(self, key: str, call_id: str) -> str:
        """Claim an attempt for a call, unless another has it, and return the one that has it now."""
        if await self._ask(lambda: self._claims().put.aio(key, call_id, skip_if_exists=True)):
            return call_id
        return await self.holder(key) or call_id

    async def unclaim(self, key: str) -> None:
        """Let an attempt be claimed anew."""
        await self._ask(lambda: self._claims().pop.aio(key, None))

    async def clear(self, key: str) -> None:
        """Empty the queue of an attempt."""
        await self._ask(lambda: self._progress().clear.aio(partition=key))

    async def look(self, spec: EngineSpec) -> None:
        """Ask whether an engine is there, without what is remembered of it."""
        found: Any = modal.Cls.from_name(self._app, spec.class_name, client=self._client)
        await self._border.ask(found.hydrate.aio(), limit_s=self._answer_s)

    async def keep(self, spec: EngineSpec, containers: int) -> None:
        """Keep so many containers of an engine, whether there is work or not. A new deployment forgets it.

        Unless that is asked for again, the app lets go of them after `KEPT_S`: this PC may die, and they cost money.
        """
        if containers:
            until = time() + KEPT_S
            kept = Kept(app=self._app, class_name=spec.class_name, gpu=self._gpu, until=until)
            await self._ask(lambda: self._kept().put.aio(kept.key, kept.model_dump()))
        limits = {"min_containers": containers, **self._limits}
        await self._ask(lambda: self._engine(spec).autoscaler.update.aio(**limits))
        self._tuned.add(spec.name)

    async def _tune(self, spec: EngineSpec) -> None:
        """Give an engine's pool the limits of the settings, once.

        They are set on the pool itself. Calls with options of their own would have a pool of their own, which is cold;
        a GPU that overrides those of the engine can't be had otherwise.
        """
        if spec.name not in self._tuned:
            await self._ask(lambda: self._engine(spec).autoscaler.update.aio(**self._limits))
            self._tuned.add(spec.name)

    async def _ask(self, question: Callable[[], Awaitable[T]]) -> T:
        """Ask, and once more with new references: the app may have been deployed anew since they were looked up."""
        known = bool(self._references)
        try:
            return await self._border.ask(question(), limit_s=self._answer_s)
        except RendererNotDeployed:
            if not known:
                raise
            self._references.clear()
            self._tuned.clear()
            return await self._border.ask(question(), limit_s=self._answer_s)

    def _engine(self, spec: EngineSpec) -> Any:
        """Return the method that renders."""

        def look_up() -> Any:
            found = modal.Cls.from_name(self._app, spec.class_name, client=self._client)
            return (found.with_options(gpu=self._gpu) if self._gpu else found)().render

        return self._reference(spec.class_name, look_up)

    def _claims(self) -> Any:
        name = MODAL_CLAIMS
        return self._reference(name, lambda: modal.Dict.from_name(name, create_if_missing=True, client=self._client))

    def _kept(self) -> Any:
        name = MODAL_KEPT
        return self._reference(name, lambda: modal.Dict.from_name(name, create_if_missing=True, client=self._client))

    def _progress(self) -> Any:
        name = MODAL_PROGRESS
        return self._reference(name, lambda: modal.Queue.from_name(name, create_if_missing=True, client=self._client))

    def _reference(self, name: str, look_up: Callable[[], Any]) -> Any:
        if name not in self._references:
            self._references[name] = look_up()
        return self._references[name]

    def _call(self, call_id: str) -> Any:
        return modal.FunctionCall.from_id(call_id, client=self._client)
