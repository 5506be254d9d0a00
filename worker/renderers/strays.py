"""Strays: renders at Modal that nobody wants any more, and that could not be told so at the time."""

import asyncio
from contextlib import suppress

from sakuga.errors import RenderLost, SakugaError
from sakuga.log import get_logger
from worker.renderers.deployment import Deployment

log = get_logger("modal")

NOBODY = "nobody"
"""Who claims an attempt that was given up before its call was heard of: should it still begin, it ends at once."""

TRIES = 40
"""Times that a stray is looked for, a minute apart: as long as one can draw, after it waited for its GPU."""


class Strays:
    """Calls each of them off once Modal can be told. The next attempt of its job has `pause_s` to take it over."""

    def __init__(self, deployment: Deployment, *, pause_s: float) -> None:
        self._deployment = deployment
        self._pause_s = pause_s
        self._hunts: dict[str, asyncio.Task[None]] = {}

    def leave(self, key: str, call_id: str | None = None) -> None:
        """Look after an attempt from now on. Its call may be unknown: a start that was not answered may have begun one.

        Returns at once.
        """
        if key not in self._hunts:
            log.warning("render.left_behind", attempt=key, call=call_id)
            hunt = self._hunts[key] = asyncio.create_task(self._hunt(key, call_id))
            hunt.add_done_callback(lambda _: self._hunts.pop(key, None))

    def taken_over(self, job_id: str) -> None:
        """Leave the attempts of a job alone again."""
        for key in [key for key in self._hunts if key.rpartition(".")[0] == job_id]:
            self._hunts.pop(key).cancel()

    async def close(self) -> None:
        """Look after none any more."""
        hunts = list(self._hunts.values())
        while pending := [hunt for hunt in hunts if not hunt.done()]:
            for hunt in pending:
                hunt.cancel()
            await asyncio.wait(pending, timeout=0.2)  # modal's client may lose a cancel

    async def _hunt(self, key: str, call_id: str | None) -> None:
        for _ in range(TRIES):
            await asyncio.sleep(self._pause_s)
            try:
                holder = await self._deployment.claim(key, NOBODY)
                for call in {call_id, holder} - {None, NOBODY}:
                    with suppress(RenderLost):
                        await self._deployment.stop(str(call))
            except SakugaError as error:
                log.debug("render.not_called_off", attempt=key, code=error.code)
                continue
            log.info("render.called_off", attempt=key, call=None if holder == NOBODY else holder)
            return
