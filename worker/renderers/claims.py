"""Claims: which call draws which attempt of a job, so that none is paid for twice."""

from sakuga.engine import EngineSpec, RenderRequest
from sakuga.errors import SakugaError
from sakuga.log import get_logger
from worker.renderers.border import late, unanswered
from worker.renderers.call import Refusal, read
from worker.renderers.deployment import Deployment
from worker.renderers.strays import NOBODY, Strays

log = get_logger("modal")


class Claims:
    """A call claims its attempt when it begins, and ends if another has done so. We claim for it, as it may be late."""

    def __init__(self, deployment: Deployment, strays: Strays) -> None:
        self._deployment = deployment
        self._strays = strays

    async def take(self, spec: EngineSpec, request: RenderRequest) -> tuple[str, str]:
        """Return the id of a call that draws this, and the key of its attempt. Raises a RenderError.

        It is one of this job that goes on or went well though nobody holds it any more, or else a new one.
        """
        taken = await self._left_behind(request) or await self._begun(spec, request)
        self._strays.taken_over(request.job_id)
        return taken

    async def _begun(self, spec: EngineSpec, request: RenderRequest) -> tuple[str, str]:
        key = request.attempt_key
        try:
            mine = await self._deployment.spawn(spec, request)
        except SakugaError as error:
            if unanswered(error):  # it may have begun all the same
                self._strays.leave(key)
            raise
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
            if holder and await self._good(holder, key):
                log.info("render.found", call=holder)
                return holder, key
            if holder and not earlier:
                await self._deployment.unclaim(key)
        return None

    async def _good(self, call_id: str, key: str) -> bool:
        if call_id == NOBODY:
            return False
        try:
            return not isinstance(read(await self._deployment.answer(call_id, wait_s=0)), Refusal)
        except TimeoutError:
            return True
        except SakugaError as error:
            if late(error):
                await self._deployment.holder(key)  # Modal is there, so that it is a clip which takes its time to come
                return True
            if unanswered(error):
                raise
            return False
