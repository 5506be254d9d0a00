"""Presence: tells the gateway how the bot stands with a platform, so that console and health can say so."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from sakuga.errors import GatewayRefused, GatewayUnreachable
from sakuga.log import get_logger

EVERY_S = 30.0  # the gateway forgets after 90

log = get_logger("bot")


class Listener(Protocol):
    """Hears how a chat is."""

    async def tell_chat(self, platform: str, state: str, **particulars: Any) -> object:
        """Put the state of a chat."""


class Presence:
    """Remembers what was said last of each part and tells all of it: at once when it changes, else every 30 s."""

    def __init__(
        self, gateway: Listener, platform: str, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._gateway = gateway
        self._platform = platform
        self._sleep = sleep
        self._how: dict[str, Any] = {"state": "away"}
        self._changed = asyncio.Event()

    @property
    def state(self) -> str:
        """The state that was said last."""
        return str(self._how["state"])

    def say(self, **how: Any) -> None:
        """Say how some of it is now; None takes it back. Without a change nothing is told before its time."""
        fresh = {name: part for name, part in {**self._how, **how}.items() if part is not None}
        if fresh != self._how:
            self._how = fresh
            self._changed.set()

    def is_now(self, state: str, detail: str | None = None) -> None:
        """Say the state: listening, away, logged_out or revoked, and why if that needs saying."""
        self.say(state=state, detail=detail)

    async def run(self) -> None:
        """Tell until cancelled. A gateway that is away, or does not want to know, is told the next time."""
        while True:
            self._changed.clear()
            try:
                await self._gateway.tell_chat(self._platform, **self._how)
            except (GatewayRefused, GatewayUnreachable) as error:
                log.debug("chat.not_told", platform=self._platform, error=error.code)
            pause = asyncio.ensure_future(self._sleep(EVERY_S))
            change = asyncio.ensure_future(self._changed.wait())
            try:
                await asyncio.wait((pause, change), return_when=asyncio.FIRST_COMPLETED)
            finally:
                pause.cancel()
                change.cancel()
