"""A renderer whose every step is taken by the test."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np

from sakuga.engine import EngineSpec, Making, Progress, RenderRequest, RenderResult
from sakuga.errors import RenderCancelled, RenderLost, SakugaError
from worker.renderers import Readiness

SPEC = EngineSpec(
    name="rehearsal",
    summary="For tests.",
    sizes=((64, 48),),
    fps=8,
    shortest_s=1,
    longest_s=8,
    default_s=5,
    frame_step=4,
    typical_s=3,
)


class PuppetRenderer:
    """Renders go on when the test says so: `report`, `finish`, `break_with`. Handles live as long as this object.

    `made` is what its results say of themselves; `ready` and `asked` are how warm it is and was asked to be.
    """

    name = "puppet"

    def __init__(self, folder: Path, *, outlives_worker: bool = True) -> None:
        self.outlives_worker = outlives_worker
        self.folder = folder
        self.requests: list[RenderRequest] = []
        self.released: list[str] = []
        self.cancelled: list[str] = []
        self._renders: dict[str, asyncio.Queue[Progress | RenderResult | SakugaError]] = {}
        self._ends: dict[str, RenderResult | SakugaError] = {}
        self._started = asyncio.Condition()
        self.broken_start: SakugaError | None = None
        self.asked: list[str] = []
        self.broken_warmth: Exception | None = None
        self.ready = Readiness(gpu=None, warm=False)
        self.looks = 0
        self.made: dict[str, object] = {}

    def outlives(self, handle: str) -> bool:
        return self.outlives_worker

    async def specs(self) -> list[EngineSpec]:
        return [SPEC]

    async def start(self, request: RenderRequest) -> str:
        if self.broken_start:
            raise self.broken_start
        handle = f"puppet-{len(self.requests)}"
        self._renders[handle] = asyncio.Queue()
        async with self._started:
            self.requests.append(request)
            self._started.notify_all()
        return handle

    async def started(self, count: int) -> None:
        """Wait until so many renders were begun."""
        async with asyncio.timeout(10), self._started:
            await self._started.wait_for(lambda: len(self.requests) >= count)

    async def watch(self, handle: str) -> AsyncIterator[Progress]:
        if handle not in self._renders:
            raise RenderLost
        while handle not in self._ends:
            said = await self._renders[handle].get()
            if not isinstance(said, Progress):
                self._ends[handle] = said
                return
            yield said

    async def result(self, handle: str) -> RenderResult:
        if handle not in self._ends:
            raise RenderLost
        end = self._ends[handle]
        if isinstance(end, SakugaError):
            raise end
        return end

    async def cancel(self, handle: str) -> None:
        if handle in self._renders and handle not in self._ends:
            self.cancelled.append(handle)
            self._renders[handle].put_nowait(RenderCancelled())

    async def release(self, handle: str) -> None:
        await self.cancel(handle)
        self.released.append(handle)
        self._renders.pop(handle, None)

    async def warm(self) -> None:
        await self._bring("warm", warm=True)

    async def cool(self) -> None:
        await self._bring("cool", warm=False)

    async def look(self) -> None:
        async with self._started:
            self.looks += 1
            self._started.notify_all()

    async def looked(self, count: int) -> None:
        """Wait until it looked so many times."""
        async with asyncio.timeout(10), self._started:
            await self._started.wait_for(lambda: self.looks >= count)

    async def readiness(self) -> Readiness:
        return self.ready

    async def _bring(self, asked: str, *, warm: bool) -> None:
        async with self._started:
            self.asked.append(asked)
            self._started.notify_all()
        if self.broken_warmth:
            raise self.broken_warmth
        self.ready = replace(self.ready, warm=warm)

    async def was_asked(self, count: int) -> None:
        """Wait until it was asked to warm or cool so many times."""
        async with asyncio.timeout(10), self._started:
            await self._started.wait_for(lambda: len(self.asked) >= count)

    async def close(self) -> None:
        self._renders.clear()

    def report(self, handle: str, fraction: float) -> None:
        self._renders[handle].put_nowait(Progress(sequence=1, stage="denoise", fraction=fraction))

    def finish(self, handle: str) -> None:
        """End a render with a real, tiny video."""
        self._renders[handle].put_nowait(self._video(self.requests[int(handle.removeprefix("puppet-"))]))

    def break_with(self, handle: str, error: SakugaError) -> None:
        self._renders[handle].put_nowait(error)

    def forget(self, handle: str) -> None:
        """Be a machine that was taken away."""
        self._renders.pop(handle).put_nowait(RenderLost())

    def _video(self, request: RenderRequest) -> RenderResult:
        video, poster = self.folder / f"{request.job_id}.mp4", self.folder / f"{request.job_id}.jpg"
        with av.open(str(video), "w") as container:
            stream = container.add_stream("libx264", rate=round(request.fps))
            stream.width, stream.height, stream.pix_fmt = request.width, request.height, "yuv420p"
            for number in range(request.num_frames):
                picture = np.full((request.height, request.width, 3), number * 5 % 255, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode())
        poster.write_bytes(b"jpeg")
        return RenderResult(
            video_path=str(video),
            poster_path=str(poster),
            width=request.width,
            height=request.height,
            fps=request.fps,
            num_frames=request.num_frames,
            **({"making": Making(engine=request.engine, preset=request.preset)} | self.made),
        )
