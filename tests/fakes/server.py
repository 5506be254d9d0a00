"""The gateway on a real socket, in a thread of its own."""

import threading
from typing import Self

import uvicorn

from api.__main__ import Server, listen
from api.app import create_app
from sakuga.settings import Settings


class GatewayThread:
    """Serves until the `with` block ends. Its socket listens from the start, so a first request just waits."""

    def __init__(self, settings: Settings) -> None:
        self._listener = listen(settings.model_copy(update={"api_port": 0}))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.app = create_app(settings)
        config = uvicorn.Config(self.app, log_config=None, access_log=False, timeout_graceful_shutdown=3)
        self._server = Server(config, self.app.state.studio.closing)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._thread.join()

    def stop(self) -> None:
        """Ask it to end; returns at once."""
        self._server.should_exit = True
