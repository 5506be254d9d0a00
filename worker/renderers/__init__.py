"""Renderers: where an engine runs, behind one protocol."""

from collections.abc import AsyncIterator
from typing import Protocol

from sakuga.engine import EngineSpec, Progress, RenderRequest, RenderResult
from sakuga.settings import Settings


class Renderer(Protocol):
    """Starts renders, tells how they go, and stops them. Every method may raise RendererUnavailable."""

    name: str
    outlives_worker: bool  # whether a handle is still good when the process that got it has died

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

    async def close(self) -> None:
        """Stop everything that does not outlive this process."""


def open_renderer(settings: Settings) -> Renderer:
    """Return the renderer that the settings name."""
    from worker.renderers.rehearsal import RehearsalRenderer  # noqa: PLC0415 - only the chosen one is loaded

    return RehearsalRenderer(settings)
