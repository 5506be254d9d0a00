"""Answers: what calls at Modal bring, over outages, slow lines, and clocks that are put right."""

import asyncio
from time import monotonic
from typing import Any

from sakuga.engine import RenderResult
from sakuga.errors import RenderFailed, RenderLost, SakugaError
from sakuga.log import get_logger
from worker.renderers.border import late, unanswered
from worker.renderers.call import Call, Claimed, Refusal, keep, read
from worker.renderers.deployment import Deployment
from worker.renderers.patience import Patience
from worker.renderers.strays import NOBODY

log = get_logger("modal")

LONGEST_ANSWER = 64
"""How many times as long as another answer one with a clip may take: 8 minutes."""
EARLY = 3
"""Times that a question for a result may come back too soon: the client keeps time by a clock that can be put right."""


class Answers:
    """Waits for the end of a call. A render that is paid for is not given up because something is slow."""

    def __init__(self, deployment: Deployment, patience: Patience) -> None:
        self._deployment = deployment
        self._patience = patience

    async def of(self, call: Call) -> RenderResult:
        """Return what a call brought, or what the one brought that drew in its place. Raises a SakugaError."""
        asked = {call.call_id, NOBODY}
        while isinstance(said := read(await self._answer(call)), Claimed):
            if said.claimed_by in asked:
                raise RenderLost
            asked.add(said.claimed_by)
            call.call_id = said.claimed_by
        if isinstance(said, Refusal):
            if said.cost:
                paid = {"gpu": said.cost.gpu, "gpu_s": said.cost.seconds, "usd": round(said.cost.usd, 4)}
                log.warning("render.paid_in_vain", call=call.call_id, code=said.error.code, **paid)
            raise said.error.error()
        try:
            return await asyncio.to_thread(keep, said, call.folder)
        except OSError as error:
            raise RenderFailed(reason=f"the clip can't be written: {error.strerror}") from error

    async def _answer(self, call: Call) -> Any:
        """Ask for the answer of a call until there is one, over interruptions that end and lines that are slow."""
        times, early, lost_s = 1, 0, None
        while True:
            asked_s = monotonic()
            try:
                return await self._deployment.answer(call.call_id, wait_s=self._patience.poll, times=times)
            except TimeoutError as error:
                early = early + 1 if monotonic() - asked_s < self._patience.poll / 2 else 0
                if early == EARLY:  # the function itself raised it
                    raise RenderFailed(reason="TimeoutError in its container") from error
                times, lost_s = 1, None
                await call.wait_on()
            except SakugaError as error:
                if not unanswered(error):
                    raise
                if late(error) and await self._reached(call):
                    times, lost_s = min(4 * times, LONGEST_ANSWER), None
                    continue
                lost_s = lost_s or asked_s
                if monotonic() - lost_s > self._patience.outage:
                    raise
                log.warning("renderer.lost", call=call.call_id, code=error.code)
                await asyncio.sleep(self._patience.pause)

    async def _reached(self, call: Call) -> bool:
        """Whether Modal answers to something small."""
        try:
            await self._deployment.holder(call.key)
        except SakugaError:
            return False
        return True
