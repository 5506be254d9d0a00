"""The farm as workers see it: a renderer whose renders go on when their worker is killed."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

from sakuga.engine import Cost, EngineSpec, Progress, RenderRequest, RenderResult
from sakuga.errors import RenderCancelled, RendererUnavailable, RenderFailed, RenderLost
from sakuga.settings import Settings
from tests.drill.farm import FPS, HEIGHT, REPORTS, USD_PER_S, WIDTH
from worker.renderers import Readiness

SPEC = EngineSpec(
    name="drill",
    summary="For the drill.",
    sizes=((WIDTH, HEIGHT),),
    fps=FPS,
    shortest_s=1,
    longest_s=8,
    default_s=1,
    frame_step=4,
    typical_s=1.5,
)
DONE = "done"


def socket_of(settings: Settings) -> Path:
    """Return where the farm of a studio listens: beside the broker's socket, whose path is short enough."""
    return settings.socket.with_name("farm.sock")


async def ask(socket: Path, what: str, **told: Any) -> Any:
    """Ask the farm one question. Raises OSError."""
    async with aclosing(asked(socket, what, **told)) as answers:
        return await anext(answers)


async def asked(socket: Path, what: str, **told: Any) -> AsyncIterator[Any]:
    """Ask the farm and yield each line of its answer. Raises OSError."""
    reader, writer = await asyncio.open_unix_connection(socket, limit=1 << 24)
    try:
        writer.write(json.dumps({"do": what, **told}).encode() + b"\n")
        async for line in reader:
            yield json.loads(line)
    finally:
        writer.close()


class FarmRenderer:
    """Speaks to the farm. It is named as the renderer of the own card, so that the studio file can set its price."""

    name = "local"

    def __init__(self, settings: Settings) -> None:
        self._socket = socket_of(settings)

    def outlives(self, handle: str) -> bool:
        return True

    async def specs(self) -> list[EngineSpec]:
        return [SPEC]

    async def start(self, request: RenderRequest) -> str:
        try:
            told = request.model_dump(include={"job_id", "attempt", "num_frames", "prompt", "seed"})
            return str(await ask(self._socket, "start", **told))
        except OSError as error:
            raise RendererUnavailable(reason="the farm is away") from error

    async def watch(self, handle: str) -> AsyncIterator[Progress]:
        async with aclosing(asked(self._socket, "watch", handle=handle)) as answers:
            async for said in answers:
                if said["end"] == "lost":
                    raise RenderLost
                yield Progress(sequence=said["step"], stage="denoise", fraction=said["step"] / (REPORTS + 1))

    async def result(self, handle: str) -> RenderResult:
        said = await ask(self._socket, "result", handle=handle)
        if said["end"] != DONE:
            raise {"failed": RenderFailed(reason="it broke"), "cancelled": RenderCancelled()}.get(
                said["end"], RenderLost()
            )
        return RenderResult(
            video_path=said["video"],
            poster_path=str(Path(said["video"]).with_suffix(".jpg")),
            width=WIDTH,
            height=HEIGHT,
            fps=FPS,
            num_frames=said["num_frames"],
            cost=Cost(gpu="farm", seconds=said["seconds"], usd=said["seconds"] * USD_PER_S),
        )

    async def cancel(self, handle: str) -> None:
        await self.release(handle)

    async def release(self, handle: str) -> None:
        await ask(self._socket, "release", handle=handle)

    async def warm(self) -> None:
        """Do nothing: a farm is always there."""

    async def cool(self) -> None:
        """Do nothing."""

    async def look(self) -> None:
        """Do nothing."""

    async def readiness(self) -> Readiness:
        return Readiness(gpu="farm", warm=True)

    async def close(self) -> None:
        """Do nothing: what runs goes on."""
