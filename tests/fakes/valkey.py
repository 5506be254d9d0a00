"""A real Valkey that can be killed and brought back."""

import subprocess
from pathlib import Path
from typing import Self

from sakuga import broker
from sakuga.settings import Settings
from tests.fakes.keys import KEY


class Valkey:
    """The embedded server in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(var_dir=folder, rehearsal_seconds=0, key=KEY)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self.settings.broker_url

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.kill()

    async def start(self) -> None:
        self._process = await broker.ensure(self.settings)

    def kill(self) -> None:
        """End it at once, with whatever it has written by then."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    async def restart(self) -> None:
        self.kill()
        await self.start()
