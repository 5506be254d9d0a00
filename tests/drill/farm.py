"""`python -m tests.drill.farm SOCKET FOLDER`: a farm of renders that outlives every worker, and remembers each one.

It speaks JSON lines over a unix socket, one question a connection. A prompt that says "break" fails, one that says
"vanish" is lost at its first attempt. As on Modal an attempt is claimed: asked for twice, it is one render.
"""

import asyncio
import contextlib
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import av
import numpy as np

WIDTH, HEIGHT, FPS = 64, 48, 8
USD_PER_S = 0.01
REPORTS = 4  # while a render goes on
SHORTEST_S, LONGEST_S = 0.8, 3.0
SLOWEST_ANSWER_S = 0.2
FATES = {"break": "failed", "vanish": "lost"}
BAD_ENDS = frozenset({"failed", "lost", "cancelled"})


@dataclass
class Render:
    """One render, as long as the farm lives. Times are seconds since 1970."""

    handle: str
    job_id: str
    attempt: int
    began: float
    ended: float | None = None
    end: str = ""
    """done, failed, lost or cancelled; empty while it goes on."""
    released: bool = False
    step: int = 0
    num_frames: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def seconds(self) -> float:
        """How long it took, so far."""
        return (self.ended or time.time()) - self.began


class Farm:
    """All renders by handle, and which of them claims an attempt."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._renders: dict[str, Render] = {}
        self._claims: dict[tuple[str, int], Render] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, socket: Path) -> None:
        """Answer until killed."""
        server = await asyncio.start_unix_server(self._answer, socket, limit=1 << 20)
        async with server:
            await server.serve_forever()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = json.loads(await reader.readline())
        with contextlib.suppress(ConnectionError):
            match asked.pop("do"):
                case "watch":
                    await self._watch(asked["handle"], writer)
                case "start":
                    await self._start(asked, writer)
                case what:
                    await _say(writer, getattr(self, what)(**asked))
        writer.close()

    async def _start(self, asked: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        """Answer with the handle of a new render, or of the one that claims this attempt.

        The answer takes its time, and the render begins whether or not anybody is left to hear it.
        """
        attempt = asked["job_id"], asked["attempt"]
        render = self._claims.get(attempt)
        if render is None or render.released or render.end in BAD_ENDS:
            handle = f"farm-{len(self._renders)}"
            render = self._renders[handle] = self._claims[attempt] = Render(handle, *attempt, began=time.time())
            render.num_frames = asked["num_frames"]
            dice = Random(asked["seed"])
            await asyncio.sleep(dice.uniform(0, SLOWEST_ANSWER_S))
            if not render.end:
                self._begin(render, asked["prompt"], dice.uniform(SHORTEST_S, LONGEST_S))
        await _say(writer, render.handle)

    def _begin(self, render: Render, prompt: str, seconds: float) -> None:
        render.began = time.time()
        fate = next((end for word, end in FATES.items() if word in prompt), "done")
        if fate == "lost" and render.attempt > 1:
            fate = "done"
        task = asyncio.create_task(self._draw(render, fate, seconds))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def result(self, handle: str) -> dict[str, Any]:
        """Return how a render ended, and where its files are."""
        render = self._renders.get(handle)
        if render is None or render.released:
            return {"end": "lost"}
        video = self._folder / f"{render.num_frames}.mp4"
        if not video.exists():
            _film(video, render.num_frames)
        return {"end": render.end, "seconds": render.seconds, "num_frames": render.num_frames, "video": str(video)}

    def release(self, handle: str) -> None:
        """Stop a render, and forget its files."""
        render = self._renders.get(handle)
        if render:
            self._finish(render, "cancelled")
            render.released = True

    def log(self) -> list[dict[str, Any]]:
        """Return every render that there ever was."""
        return [
            {name: value for name, value in vars(render).items() if name != "changed"}
            for render in self._renders.values()
        ]

    async def _draw(self, render: Render, fate: str, seconds: float) -> None:
        for step in range(1, REPORTS + 1):
            await asyncio.sleep(seconds / REPORTS)
            if render.end:
                return
            render.step = step
            _tell(render)
            if fate != "done" and step == REPORTS // 2:
                break
        self._finish(render, fate)

    def _finish(self, render: Render, end: str) -> None:
        if not render.end:
            render.end, render.ended = end, time.time()
            _tell(render)

    async def _watch(self, handle: str, writer: asyncio.StreamWriter) -> None:
        render = self._renders.get(handle)
        while render and not render.released:
            changed = render.changed
            await _say(writer, {"step": render.step, "end": render.end})
            if render.end:
                return
            await changed.wait()
        await _say(writer, {"step": 0, "end": "lost"})


async def _say(writer: asyncio.StreamWriter, answer: object) -> None:
    writer.write(json.dumps(answer).encode() + b"\n")
    await writer.drain()


def _tell(render: Render) -> None:
    render.changed.set()
    render.changed = asyncio.Event()


def _film(path: Path, num_frames: int) -> None:
    """Write a real, tiny video and its poster."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(num_frames):
            picture = np.full((HEIGHT, WIDTH, 3), number * 5 % 255, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    path.with_suffix(".jpg").write_bytes(b"jpeg")


if __name__ == "__main__":
    asyncio.run(Farm(Path(sys.argv[2])).serve(Path(sys.argv[1])))
