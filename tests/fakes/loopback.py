"""A server on loopback that can be frozen and go away: what the fakes of models and checkers stand on."""

import asyncio
from collections.abc import Sequence
from typing import Self

from aiohttp import web


class Loopback:
    """Answers `routes` while it is entered. Handlers await `going`, which `freeze` holds up."""

    def __init__(self) -> None:
        self.going = asyncio.Event()
        self.going.set()
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def base(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}"

    def routes(self) -> Sequence[web.RouteDef]:
        """Return what is answered."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_routes(self.routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.shut()

    async def shut(self) -> None:
        """Go away: nobody answers at the address any more."""
        self.going.set()
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    def freeze(self) -> None:
        """Take requests and answer none."""
        self.going.clear()

    def thaw(self) -> None:
        """Answer again."""
        self.going.set()
