"""What the tests of the GPU half share: requests, and a child process as the renderers start it."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from gpu.engines.drawing.storyboard import Storyboard
from gpu.engines.rehearsal import Rehearsal
from sakuga.engine import RenderRequest

ROOT = Path(__file__).parents[2]


def ask(prompt: str = "girl with sword, neon rain", style: str = "neon", **more) -> RenderRequest:
    fields = {
        "job_id": "job_01",
        "number": 42,
        "attempt": 1,
        "engine": "rehearsal",
        "seed": 7,
        "width": 832,
        "height": 480,
        "num_frames": 9,
        "fps": 16.0,
        "requested_by": "Mika",
    }
    return RenderRequest(**(fields | {"prompt": prompt, "style": style} | more))


def board(**fields) -> Storyboard:
    plain = {
        "style": "anime",
        "subjects": ("girl",),
        "traits": frozenset(),
        "setting": "hill",
        "weather": "dust",
        "hour": "day",
        "action": "still",
        "seed": 1,
    }
    return Storyboard(**(plain | fields))


def draw(request: RenderRequest) -> list[np.ndarray]:
    return list(Rehearsal().render(request, lambda *_: None))


def fingerprint(frames: list[np.ndarray]) -> str:
    return hashlib.sha256(b"".join(frame.tobytes() for frame in frames)).hexdigest()


class Child:
    """`python -m gpu render`, with a stdin that stays open until it is closed."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "gpu", "render", "--out", str(folder)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def tell(self, line: str) -> None:
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def hear(self) -> dict:
        return json.loads(self.process.stdout.readline())

    def hear_all(self) -> list[dict]:
        return [json.loads(line) for line in self.process.stdout]

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Callable[[], Child]]:
    started: list[Child] = []

    def start() -> Child:
        started.append(Child(tmp_path))
        return started[-1]

    yield start
    for each in started:
        each.end()


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder for tests.fakes.weights: whoever writes a pipeline there first has written it for all."""
    import torch  # noqa: PLC0415 - most tests here do without

    torch.set_num_threads(1)  # of several, each would wait for the others at every small layer
    return tmp_path_factory.mktemp("weights")
