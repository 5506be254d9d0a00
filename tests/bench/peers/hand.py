"""What a contender's two processes have in common; only the standard library, as each runs among its own packages."""

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

LONG = "long"  # how the name of a job begins that is still at it when its worker is killed
LONG_S = 600.0
BEAT_S = 2.0

Ask = Callable[[str], Awaitable[object]]


@dataclass(frozen=True)
class Told:
    """What a process is told: the server, the file that jobs write their beginning to, and the contender's options."""

    url: str
    marks: str
    options: dict[str, Any] = field(default_factory=dict)


@cache
def _opened(marks: str) -> int:
    return os.open(marks, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


async def job(told: Told, name: str, beat: Callable[[], Awaitable[object]] | None = None) -> None:
    """Do what every contender's job does: say when it began, and nothing else unless it is a long one."""
    os.write(_opened(told.marks), f"{name} {time.time()}\n".encode())
    if name.startswith(LONG):
        for _ in range(round(LONG_S / BEAT_S)):
            await asyncio.sleep(BEAT_S)
            if beat:
                await beat()


async def _ask(told: Told, asker: Callable[[Told], AbstractAsyncContextManager[Ask]]) -> None:
    """Ask for the jobs that each line of stdin names, and answer with the moments just before each was asked for."""
    async with asker(told) as ask:
        while line := await asyncio.to_thread(sys.stdin.readline):
            order = json.loads(line)
            asked = []
            for name in order["names"]:
                asked.append(time.time())
                await ask(name)
                if order["apart_s"]:
                    await asyncio.sleep(random.uniform(*order["apart_s"]))
            print(json.dumps(asked), flush=True)


def main(work: Callable[[Told], Awaitable[object]], asker: Callable[[Told], AbstractAsyncContextManager[Ask]]) -> None:
    """Be the worker or who asks, as the first argument says; the second holds what is told, in JSON."""
    role, document = sys.argv[1:]
    told = Told(**json.loads(document))

    async def run() -> None:
        await (work(told) if role == "work" else _ask(told, asker))

    asyncio.run(run())
