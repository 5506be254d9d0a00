"""The thermostat: brings the renderer to what the studio wishes, warm or cool, beside the renders."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from math import inf

from sakuga.errors import SakugaError, Unexpected
from sakuga.log import get_logger
from worker.renderers import Renderer

log = get_logger("upkeep")

PAUSES_S = (5.0, 15.0, 60.0, 300.0)  # before it is tried again; the last one from then on
AGAIN_S = 300.0  # a renderer may forget: a deployment resets what Modal was asked for
CLOSE_S = 4.0


class Thermostat:
    """Asks one renderer. `trouble` is what keeps it from what is wished for, if something does."""

    def __init__(self, renderer: Renderer, *, pauses_s: Sequence[float] = PAUSES_S, again_s: float = AGAIN_S) -> None:
        self._renderer = renderer
        self._pauses_s = pauses_s
        self._again_s = again_s
        self._wish: bool | None = None
        self._reached = False
        self._failures = 0
        self._due = 0.0
        self._asking: asyncio.Task[None] | None = None
        self.trouble: SakugaError | None = None

    def follow(self, wish: bool | None, *, busy: bool = False) -> None:  # noqa: FBT001 - the wish is all that there is
        """Ask the renderer for what is wished, unless that is done, under way, or failed a moment ago.

        Returns at once. Nothing is asked while nobody ever wished (None); a wish that was forgotten is one for cool.
        While jobs run or wait (`busy`) nothing is let go of: the next one would load the model again.
        """
        if (wish is None and self._wish is None) or (self._asking and not self._asking.done()):
            return
        wish = bool(wish)
        if wish is not self._wish:
            self._wish, self._reached, self._failures, self._due, self.trouble = wish, False, 0, 0.0, None
        if asyncio.get_running_loop().time() >= self._due and (wish or not busy):
            self._asking = asyncio.create_task(self._ask(warm=wish))

    async def close(self) -> None:
        """Let go of a GPU that was kept for this studio, within a few seconds: nobody is left who would."""
        if self._asking:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        if self._wish or (self._wish is False and not self._reached):  # or it was being let go of, and is still there
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await self._ask(warm=False)

    async def _ask(self, *, warm: bool) -> None:
        try:
            await (self._renderer.warm() if warm else self._renderer.cool())
        except SakugaError as error:
            self._failed(error, warm=warm)
        except Exception:  # a bug there must not be asked for without end
            log.exception("renderer.broke")
            self._failed(Unexpected(reference="renderer.broke"), warm=warm)
        else:
            if not self._reached:
                log.info("renderer.warmed" if warm else "renderer.cooled", renderer=self._renderer.name)
            self._reached, self._failures, self.trouble = True, 0, None
            self._due = asyncio.get_running_loop().time() + self._again_s if warm else inf

    def _failed(self, error: SakugaError, *, warm: bool) -> None:
        pause_s = self._pauses_s[min(self._failures, len(self._pauses_s) - 1)]
        if self.trouble is None or error.code != self.trouble.code:
            log.warning("renderer.not_warmed" if warm else "renderer.not_cooled", code=error.code, retry_s=pause_s)
        self._reached, self.trouble = False, error
        self._failures += 1
        self._due = asyncio.get_running_loop().time() + pause_s
