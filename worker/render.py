"""The render task: one job from its slot to its end. It may be run again at any point and takes up where it stood."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from arq.worker import Retry
from redis.exceptions import RedisError

from sakuga.clip import Clip
from sakuga.engine import EngineSpec, RenderRequest, RenderResult
from sakuga.errors import (
    JobNotFound,
    RenderError,
    RenderFailed,
    RenderLost,
    RenderTimedOut,
    SakugaError,
    StorageUnavailable,
    Unexpected,
)
from sakuga.job import RUNNING, TERMINAL, Job, JobStatus
from sakuga.lifecycle import Lifecycle
from sakuga.log import about, get_logger
from sakuga.order import order
from sakuga.settings import Settings
from sakuga.storage import Storage
from sakuga.studio_file import StudioFile
from worker import gate
from worker.renderers import Renderer, drawn_at

log = get_logger("render")

START_S = 15.0
"""Seconds that a start may still take when nobody waits for it any more."""
PAUSES_S = (1.0, 4.0, 15.0, 40.0)
"""Before a clip is stored once more. To draw it anew would be paid for, and need the storage as well."""


class _LetGo(Exception):
    """The job was taken over or ended by somebody else."""


class RenderTask:
    """What arq calls for each admitted job, by name."""

    def __init__(
        self,
        *,
        lifecycle: Lifecycle,
        renderer: Renderer,
        specs: Mapping[str, EngineSpec],
        file: StudioFile,
        storage: Storage,
        settings: Settings,
        pauses_s: Sequence[float] = PAUSES_S,
    ) -> None:
        self._lifecycle = lifecycle
        self._renderer = renderer
        self._specs = specs
        self._file = file
        self._storage = storage
        self._attempts = settings.render_attempts
        self._timeout_s = settings.render_timeout.total_seconds()
        self._pauses_s = pauses_s

    async def run(self, _ctx: dict[str, Any], job_id: str) -> None:
        """Bring a job to its end. Broker errors make arq run it again, which re-attaches: nothing is lost by that."""
        with about(job_id=job_id):
            await self._run(job_id)

    async def _run(self, job_id: str) -> None:
        try:
            job, stop = await self._lifecycle.read(job_id)
            if job.status not in RUNNING:
                return
            with about(cut=job.cut):
                await (self._cancelled(job) if stop else self._render(job))
        except JobNotFound:
            return
        except RedisError as error:
            log.warning("job.interrupted", job_id=job_id, reason=type(error).__name__)
            raise Retry from error

    async def _render(self, job: Job) -> None:
        """Draw until there is a clip, no attempt is left, or the job is no longer ours."""
        again: Job | None = job
        while again:
            again = await self._drawn(again)

    async def _drawn(self, job: Job) -> Job | None:
        """Draw once, and return the job if it is to be drawn again."""
        failure: SakugaError | None = None
        try:
            if job.handle is None:
                job, failure = await self._begun(job)
            if failure is None:
                await self._finish(job, await self._watch(job))
                return None
        except _LetGo:
            await self._let_go(job)
            return None
        except asyncio.CancelledError:
            await self._interrupted(job)
            raise
        except RedisError:
            raise
        except SakugaError as error:
            failure = error
        except Exception as error:  # the edge of this process: a bug must not keep a slot
            log.exception("job.broke", job_id=job.id)
            failure = Unexpected(reference=f"{job.id} {type(error).__name__}")
        return await self._after(job, failure)

    async def _after(self, job: Job, failure: SakugaError) -> Job | None:
        await self._release(job)
        if isinstance(failure, RenderError) and failure.retryable and job.attempt < self._attempts:
            log.warning("job.retried", job_id=job.id, cut=job.cut, attempt=job.attempt, code=failure.code)
            return job.model_copy(update={"handle": None})
        if await self._lifecycle.fail(job, failure):
            log.warning("job.failed", job_id=job.id, cut=job.cut, attempt=job.attempt, code=failure.code)
        return None

    async def _begun(self, job: Job) -> tuple[Job, SakugaError | None]:
        """Begin one more attempt: start it, then write its number and its handle in one step.

        A start that failed is an attempt too, and is returned with its reason.
        """
        if job.attempt >= self._attempts:
            raise RenderLost
        begun = job.model_copy(update={"attempt": job.attempt + 1, "progress": 0.0, "status": JobStatus.STARTING})
        failure: SakugaError | None = None
        asked_at = await self._lifecycle.ask(begun)  # it may draw before its start is answered
        try:
            spec = self._specs.get(begun.engine)
            if spec is None:
                raise RenderFailed(reason=f"there is no engine {begun.engine} here")
            handle = await self._started(job, order(begun, self._file.catalog, spec))
            begun = begun.model_copy(update={"handle": handle})
        except SakugaError as error:
            failure = error
        written = False
        try:
            usd_per_s = self._usd_per_s(begun)
            written = await self._lifecycle.begin_attempt(begun, usd_per_s=usd_per_s, asked_at=asked_at)
        finally:
            if not written:
                await self._release(begun)
        if not written:
            raise _LetGo
        return begun, failure

    def _usd_per_s(self, begun: Job) -> float:
        """Return what a second of an attempt costs where it is drawn. A start that failed draws nowhere."""
        if not begun.handle:
            return 0.0
        spec = self._specs.get(begun.engine)
        return self._file.catalog.prices.of(drawn_at(self._renderer, begun.handle), spec).usd_per_s

    async def _started(self, job: Job, request: RenderRequest) -> str:
        """Start a render and return its handle. One whose start is cut off is not left to draw for nobody."""
        starting = asyncio.ensure_future(self._renderer.start(request))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            starting.add_done_callback(lambda start: start.cancelled() or start.exception())  # nobody else will look
            await self._abandoned(job, starting)
            raise

    async def _abandoned(self, job: Job, starting: asyncio.Future[str]) -> None:
        """Wait for a start, and stop what it began; unless that outlives us and whoever takes the job over finds it."""
        try:
            async with asyncio.timeout(START_S):
                handle = await asyncio.shield(starting)
            _, stop = await self._lifecycle.read(job.id)
            if stop or not self._renderer.outlives(handle):
                await self._renderer.release(handle)
        except (TimeoutError, RedisError, SakugaError) as error:
            log.warning("start.abandoned", job_id=job.id, reason=type(error).__name__)

    async def _watch(self, job: Job) -> RenderResult:
        """Follow a render to its end. To wait for a GPU and its model may take as long as to draw, and no longer."""
        assert job.handle  # noqa: S101 - attached
        drawing = False
        try:
            async with asyncio.timeout(self._timeout_s) as limit:
                async for report in self._renderer.watch(job.handle):
                    if not drawing and report.stage != "loading":
                        drawing = True
                        limit.reschedule(asyncio.get_running_loop().time() + self._timeout_s)
                    if report.fraction * 100 < job.progress or job.status is JobStatus.FINISHING:
                        continue  # told before somebody re-attached
                    if not await self._lifecycle.progress(job, report):
                        raise _LetGo
                return await self._renderer.result(job.handle)
        except TimeoutError:
            raise RenderTimedOut(timeout_s=self._timeout_s) from None

    async def _finish(self, job: Job, result: RenderResult) -> None:
        if not await self._lifecycle.finish(job):
            raise _LetGo
        await gate.check(result)
        job, _ = await self._lifecycle.read(job.id)
        clip = Clip.of(job, renderer=self._renderer.name, result=result, finished_at=await self._lifecycle.clock())
        await self._stored(clip, result)
        if not await self._lifecycle.succeed(job, clip):
            now, stop = await self._lifecycle.read(job.id)
            if stop or now.status in TERMINAL - {JobStatus.SUCCEEDED}:
                await self._storage.remove(clip)
            if now.status is not JobStatus.SUCCEEDED:
                raise _LetGo
        log.info("job.succeeded", job_id=job.id, cut=job.cut, attempt=job.attempt, **_summed_up(clip))
        await self._release(job)

    async def _stored(self, clip: Clip, result: RenderResult) -> None:
        for pause_s in (*self._pauses_s, None):
            try:
                await self._storage.put(clip, Path(result.video_path), Path(result.poster_path))
            except StorageUnavailable as error:
                if pause_s is None:
                    raise
                log.warning("clip.not_stored", job_id=clip.job_id, code=error.code, retry_s=pause_s)
                await asyncio.sleep(pause_s)
            else:
                return

    async def _cancelled(self, job: Job) -> None:
        await self._release(job)
        if await self._lifecycle.cancelled(job):
            log.info("job.cancelled", job_id=job.id, cut=job.cut)

    async def _let_go(self, job: Job) -> None:
        """Stop a render that is no longer wanted, and end its job if that is because somebody asked to stop it."""
        now, stop = await self._lifecycle.read(job.id)
        same = (now.attempt, now.handle) == (job.attempt, job.handle)
        if now.handle != job.handle or now.status not in RUNNING:  # a later attempt may have taken the render over
            await self._release(job)
        if now.status in RUNNING and stop and same:
            await self._cancelled(job)
        elif now.status in RUNNING:
            raise Retry  # if the job is still ours it is taken up as it stands now; if not, arq changes nothing

    async def _release(self, job: Job) -> None:
        if job.handle:
            await self._renderer.release(job.handle)

    async def _interrupted(self, job: Job) -> None:
        """Tell cancel, shutdown and take-over apart: all arrive as CancelledError, the job says which it is."""
        try:
            now, stop = await self._lifecycle.read(job.id)
            if stop and now.attempt == job.attempt:
                await self._cancelled(now)
            elif job.handle and not self._renderer.outlives(job.handle):
                await self._lifecycle.give_back_attempt(job)  # first: a shutdown waits for one second, not for a step
                await self._release(job)
        except (RedisError, SakugaError) as error:
            log.warning("job.interrupted", job_id=job.id, reason=type(error).__name__)


def _summed_up(clip: Clip) -> dict[str, Any]:
    """Return what the closing line of a job says of its clip."""
    told: dict[str, Any] = {"engine": clip.engine, "preset": clip.preset, "renderer": clip.renderer}
    if clip.cost:
        told |= {"gpu": clip.cost.gpu, "gpu_s": clip.cost.seconds, "usd": round(clip.cost.usd, 4)}
    return told | {"render_s": clip.render_s}
