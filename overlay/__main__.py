"""`python -m overlay`: the stage manager."""

import asyncio
import signal
import sys
from contextlib import suppress

from overlay.manager import StageManager
from sakuga import log
from sakuga.errors import StudioError
from sakuga.gateway import Gateway
from sakuga.settings import Settings


async def serve(settings: Settings) -> None:
    """Manage the stage until asked to stop."""
    async with Gateway(settings.gateway, key=settings.own_key) as gateway:
        task = asyncio.create_task(StageManager(gateway).run())
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        log.get_logger("stage").debug("stage.ready", gateway=settings.gateway)
        with suppress(asyncio.CancelledError):
            await task


def main() -> int:
    """Run with settings from the environment."""
    try:
        settings = Settings.load()
        log.configure(settings, "stage")
        asyncio.run(serve(settings))
    except StudioError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
