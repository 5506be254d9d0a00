"""The supervisor: runs the studio's processes, starts again what dies, and stops all of them."""

import asyncio
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from time import monotonic

from sakuga.log import get_logger

log = get_logger("supervisor")

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
STEADY_S = 10.0  # a process that ran this long begins again without a pause
STOP_S = 8.0  # between asking and killing
SETUP_CODE = 2  # what our processes end with when a person has to mend something


class Supervisor:
    """Owns one child process per name."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = dict(environ)
        self._children: dict[str, asyncio.subprocess.Process] = {}
        self._stopping = asyncio.Event()
        self.failed: str | None = None

    async def keep(self, module: str, environ: Mapping[str, str] | None = None) -> None:
        """Run `python -m module` until we stop; start it again when it dies, at once or after a growing pause.

        `environ` is added to what every child is given.

        A child that ends with the code for wrong set-up stops the studio: starting it again can't help.
        """
        pause_s = FIRST_PAUSE_S
        while not self._stopping.is_set():
            began = monotonic()
            child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "sakuga.child", module),
                env={**self._environ, **(environ or {})},
                stdin=asyncio.subprocess.PIPE,  # never written to: it ends when we do
                start_new_session=True,
            )
            self._children[module] = child
            if self._stopping.is_set():
                child.terminate()
            code = await child.wait()
            if self._stopping.is_set():
                return
            if code == SETUP_CODE:
                self.failed = module
                self.stop()
                return
            log.warning("process.died", name=module, code=code)
            pause_s = FIRST_PAUSE_S if monotonic() - began > STEADY_S else min(LONGEST_PAUSE_S, pause_s * 2)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._stopping.wait()

    def stop(self) -> None:
        """Ask for the end; returns at once."""
        self._stopping.set()

    async def stopped(self) -> None:
        """Wait until somebody asked for the end, then stop every child: kindly first, for good after a while."""
        await self._stopping.wait()
        for child in self._children.values():
            if child.returncode is None:
                child.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_S):
                await asyncio.gather(*(child.wait() for child in self._children.values()))
        except TimeoutError:
            for name, child in self._children.items():
                if child.returncode is None:
                    log.warning("process.killed", name=name)
                    child.kill()
