"""`python -m api`: the gateway."""

import asyncio
import socket
import sys

import uvicorn

from api.app import create_app
from sakuga import log
from sakuga.errors import PortTaken, StudioError
from sakuga.settings import Settings

BACKLOG = 512
STUCK_S = 60  # a caller who takes nothing for so long is let go of: one who follows the events has a place of few


def listen(settings: Settings) -> socket.socket:
    """Return a socket that listens where the settings say. Raises PortTaken."""
    family = socket.AF_INET6 if ":" in settings.api_host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if sys.platform == "linux":  # counts for a window that stays closed, too, and is inherited by each connection
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STUCK_S * 1000)
    try:
        listener.bind((settings.api_host, settings.api_port))
    except OSError as error:
        listener.close()
        raise PortTaken(host=settings.api_host, port=settings.api_port) from error
    listener.listen(BACKLOG)
    return listener


class Server(uvicorn.Server):
    """Lets go of those who follow the events when it is asked to stop: they would keep it open."""

    def __init__(self, config: uvicorn.Config, closing: asyncio.Event) -> None:
        super().__init__(config)
        self._closing = closing

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop serving."""
        self._closing.set()
        await super().shutdown(sockets)


def main() -> int:
    """Run with settings from the environment."""
    try:
        settings = Settings.load()
        log.configure(settings, "gateway")
        app = create_app(settings)
        listener = listen(settings)
    except StudioError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
        lifespan="on",
        ws="none",
    )
    log.get_logger("gateway").debug("gateway.ready", url=settings.base_url)
    Server(config, app.state.studio.closing).run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
