"""Renderers: where an engine runs, behind one protocol."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

from sakuga.engine import EngineSpec, Progress, RenderRequest, RenderResult
from sakuga.errors import (
    QuotaExhausted,
    RendererNotDeployed,
    RendererUnauthorised,
    RendererUnavailable,
    SakugaError,
    SettingsInvalid,
)
from sakuga.settings import RendererName, Settings

AWAY = RendererUnavailable, RendererNotDeployed, RendererUnauthorised, QuotaExhausted
"""What a renderer raises that can't begin anything now, whatever it is asked for."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """How soon a render could begin: on which GPU, and whether its model is in memory already.

    `trouble` is why one can't begin where it should; `there` says whether one could begin all the same.
    """

    gpu: str | None
    warm: bool
    trouble: SakugaError | None = None
    there: bool = True


class Renderer(Protocol):
    """Starts renders, tells how they go, and stops them. Every method may raise RendererUnavailable."""

    name: str

    def outlives(self, handle: str) -> bool:
        """Return whether a handle is still good when the process that got it has died."""

    async def specs(self) -> list[EngineSpec]:
        """Return the engines that run here; the first is the default."""

    async def start(self, request: RenderRequest) -> str:
        """Start a render and return its handle at once."""

    def watch(self, handle: str) -> AsyncIterator[Progress]:
        """Yield reports until the render has ended; may be begun again. Raises RenderLost for an unknown handle."""

    async def result(self, handle: str) -> RenderResult:
        """Return what was made, waiting for it. Raises RenderFailed, RenderLost, RenderCancelled."""

    async def cancel(self, handle: str) -> None:
        """Stop a render and return when it has stopped. An unknown or ended one is left alone."""

    async def release(self, handle: str) -> None:
        """Forget a render and remove its files. An unknown handle is left alone."""

    async def warm(self) -> None:
        """Get ready for a show: keep a GPU with its model in memory. Returns once that is begun; may be repeated."""

    async def cool(self) -> None:
        """Let go of what `warm` asked for, once nothing runs. May be repeated."""

    async def look(self) -> None:
        """Find out by one cheap question whether a render could begin. `readiness` tells; nothing is raised for it."""

    async def readiness(self) -> Readiness:
        """Return how soon a render could begin, from what is known here: asks nobody."""

    async def close(self) -> None:
        """Stop everything that does not outlive this process."""


def open_renderer(settings: Settings) -> Renderer:
    """Return the renderer that the settings name, or a chain of those. Raises SettingsInvalid."""
    if settings.renderer == ["rehearsal"] and not set(settings.engines) <= {"rehearsal"}:
        problem = "SAKUGA_ENGINES: a rehearsal has the engine rehearsal only. Set SAKUGA_RENDERER to local or modal."
        raise SettingsInvalid(problem=problem)
    opened = [_open(name, settings) for name in settings.renderer]
    if len(opened) == 1:
        return opened[0]
    from worker.renderers.chain import ChainRenderer  # noqa: PLC0415 - as below

    return ChainRenderer(opened)


def drawn_at(renderer: Renderer, handle: str) -> str:
    """Return the name of the renderer that has a handle: of a chain, the one that its handle begins with."""
    return handle.partition(":")[0] if "," in renderer.name else renderer.name


def _open(name: RendererName, settings: Settings) -> Renderer:
    module = import_module(f"worker.renderers.{name}")  # only the chosen one is loaded
    opened: Renderer = getattr(module, f"{name.capitalize()}Renderer")(settings)
    return opened
