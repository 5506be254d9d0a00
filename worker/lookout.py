"""The lookout: has the renderer look now and then whether it could begin, and says when it can't."""

import asyncio

from sakuga.errors import RendererUnavailable, SakugaError
from sakuga.log import get_logger
from worker.renderers import Readiness, Renderer

log = get_logger("renderer")

EVERY_S = 60.0
UNKNOWN = Readiness(gpu=None, warm=False)


class Lookout:
    """Looks once at the start and then every minute. A look may take 8 s, which nobody waits for."""

    def __init__(self, renderer: Renderer, *, every_s: float = EVERY_S) -> None:
        self._renderer = renderer
        self._every_s = every_s
        self._due = 0.0
        self._looking: asyncio.Task[None] | None = None
        self._told: str | None = None

    def follow(self) -> None:
        """Look, unless that is under way or was done a moment ago. Returns at once."""
        now = asyncio.get_running_loop().time()
        if now >= self._due and (self._looking is None or self._looking.done()):
            self._due = now + self._every_s
            self._looking = asyncio.create_task(self._look())

    async def found(self) -> Readiness:
        """Return how soon the renderer could begin, as far as it knows; one that can't say is not ready."""
        try:
            found = await self._renderer.readiness()
        except SakugaError as error:
            log.debug("renderer.silent", code=error.code)
            return UNKNOWN
        self._tell(found.trouble)
        return found

    async def close(self) -> None:
        """End a look that is under way."""
        if self._looking:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _look(self) -> None:
        try:
            await self._renderer.look()
        except Exception:  # a bug there must not end the care for everything else
            log.exception("renderer.broke")

    def _tell(self, trouble: SakugaError | None) -> None:
        code = trouble.code if trouble else None
        if trouble and code != self._told:
            log.warning("renderer.away", renderer=self._renderer.name, code=code, reason=sentence(trouble))
        elif self._told and not trouble:
            log.info("renderer.back", renderer=self._renderer.name)
        self._told = code


def sentence(trouble: SakugaError) -> str:
    """Return what is wrong with a renderer; the error's own sentence where that is not about a job without a clip."""
    if isinstance(trouble, RendererUnavailable):
        reason = str(trouble.data["reason"])
        return f"{reason[:1].upper()}{reason[1:]}. It is asked again every minute."
    return str(trouble)
