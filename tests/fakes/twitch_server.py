"""The ground that the rooms of FakeTwitch stand on: a loopback port, and waiting for what happens."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Self

from aiohttp import web
from aiohttp.typedefs import Handler

STREAMER, BOT, MIKA, JO = "1000", "2000", "3000", "3001"
LOGINS = {STREAMER: "streamer", BOT: "animebot", MIKA: "mika", JO: "jo"}
CLIENT_ID, CLIENT_SECRET = "a-client", "a-client-secret"


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


def error(status: int, message: str) -> web.Response:
    return web.json_response({"error": "Error", "status": status, "message": message}, status=status)


def user(role: str, user_id: str) -> dict[str, str]:
    """Return an account as events tell of it: `<role>_id`, `<role>_login`, `<role>_name`."""
    login = LOGINS.get(user_id, f"user{user_id}")
    return {f"{role}_id": user_id, f"{role}_login": login, f"{role}_name": login.capitalize()}


class TwitchServer:
    """Opens and shuts the port. A room adds its routes, and calls `notice` whenever something changed."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self._port = 0
        self._runner: web.AppRunner | None = None
        self._door: web.TCPSite | None = None

    @property
    def url(self) -> str:
        """The address that stands in for all of Twitch's."""
        return f"http://127.0.0.1:{self._port}"

    def routes(self) -> Sequence[web.RouteDef]:
        """Return what is answered; each room adds its own to those of `super()`."""
        return []

    async def arrived(self, request: web.Request) -> None:
        """Look at a request before anybody answers it; a room may add to this."""

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.shut()

    async def open(self) -> None:
        """Begin to answer; at the same port as before."""

        @web.middleware
        async def first(request: web.Request, handler: Handler) -> web.StreamResponse:
            await self.arrived(request)
            return await handler(request)

        app = web.Application(middlewares=[first])
        app.router.add_routes(self.routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        self._door = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await self._door.start()
        self._port = self._runner.addresses[0][1]

    async def shut(self) -> None:
        """Go away: every connection breaks."""
        if self._runner and self._door:
            await self._door.stop()  # first, or who is dropped comes in again
            await self.hang_up()
            await self._runner.cleanup()
            self._runner = self._door = None

    async def hang_up(self) -> None:
        """Break the connections that stay open; a room that has some adds to this."""

    async def wait_for(self, predicate: Callable[[], object], *, within_s: float = 30) -> None:
        """Wait until something about this fake is so."""
        async with self._changed, asyncio.timeout(within_s):
            await self._changed.wait_for(predicate)

    async def notice(self) -> None:
        """Have everybody who waits look again."""
        async with self._changed:
            self._changed.notify_all()
