"""A renderer in a process of its own, with Modal's settings from the environment, that dies of `kill -9` in a render.

`python -m tests.fakes.modal_worker FOLDER` says the handle or the code of an error, then each fraction that it hears.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from sakuga.errors import SakugaError
from sakuga.settings import Settings
from tests.fakes.renderer import SPEC
from tests.worker.renderers.conftest import QUICK, REQUEST
from worker.renderers.modal import ModalRenderer


def say(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def main(folder: Path) -> None:
    renderer = ModalRenderer(Settings(var_dir=folder), patience=QUICK)
    renderer._specs = {SPEC.name: SPEC}
    try:
        handle = await renderer.start(REQUEST)
    except SakugaError as error:
        say(error.code)
        return
    say(handle)
    async for report in renderer.watch(handle):
        say(report.fraction)
        if report.fraction:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
