"""Claims: which call draws which attempt of a job, so that none is paid for twice."""

from sakuga.engine import EngineSpec, RenderRequest
from sakuga.errors import SakugaError
from sakuga.log import get_logger
from worker.renderers.border import unanswered
from worker.renderers.call import read
from worker.renderers.deployment import Deployment

log = get_logger("modal")

NOBODY = "nobody"
"""Who claims an attempt that was given up before its call was heard of: should it still begin, it ends at once."""


class Claims:
    """A call claims its attempt when it begins, and ends if another has done so. We claim for it, as it may be late."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    async def take(self, spec: EngineSpec, request: RenderRequest) -> tuple[str, str]:
        """Return the id of a call that draws this, and the key of its attempt. Raises a RenderError.

        It is one of this job that goes on or went well though nobody holds it any more, or else a new one.
        """
        return await self._left_behind(request) or await self._begun(spec, request)

    async def _begun(self, spec: EngineSpec, request: RenderRequest) -> tuple[str, str]:
        key, mine = request.attempt_key, await self._deployment.spawn(spec, request)
        try:
            holder = await self._deployment.claim(key, mine)
            if holder != mine:  # one of this attempt was on its way, and nobody knew of it
                await self._deployment.stop(mine)
                return holder, key
        except SakugaError as error:
            log.warning("render.not_claimed", call=mine, code=error.code)
        return mine, key

    async def _left_behind(self, request: RenderRequest) -> tuple[str, str] | None:
        """Look for calls whose worker died before their handle was written down, or that were given up unreached.

        Calls of earlier attempts that were never heard of are called off.
        """
        for attempt in range(request.attempt, 0, -1):
            key = request.model_copy(update={"attempt": attempt}).attempt_key
            earlier = attempt < request.attempt
            holder = await (self._deployment.claim(key, NOBODY) if earlier else self._deployment.holder(key))
            if holder and await self._good(holder):
                log.info("render.found", call=holder)
                return holder, key
            if holder and not earlier:
                await self._deployment.unclaim(key)
        return None

    async def _good(self, call_id: str) -> bool:
        if call_id == NOBODY:
            return False
        try:
            read(await self._deployment.answer(call_id, wait_s=0, times=2))
        except TimeoutError:
            return True
        except SakugaError as error:
            if unanswered(error):
                raise
            return False
        return True
