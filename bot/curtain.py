"""The curtain: goes up when the stream begins, and down when it has been over for a while."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from bot.moderators import Moderators
from sakuga.chat import ChatPolicy
from sakuga.errors import GatewayRefused, GatewayUnreachable
from sakuga.gateway import Gateway
from sakuga.log import get_logger

NOTE = "curtain"
# While it is noted as rising or falling, nobody knows which half was done: both can be done again.
UP, RISING, FALLING = "up", "rising", "falling"
HELP = "docs/how-to/twitch.md"
PAUSES_S = (1.0, 2.0, 5.0, 10.0, 30.0)

log = get_logger("bot")


class Notes(Protocol):
    """Remembers a text by name."""

    def note(self, name: str, text: str) -> None:
        """Remember a text, or forget it if it is empty."""

    def noted(self, name: str) -> str:
        """Return the text of that name, empty if there is none."""


class Curtain:
    """Begins a session with the stream and ends it when that was off for the grace of the studio file.

    It only ends what it began: a session that somebody began by hand, without a stream, is left alone. What it began
    is noted, so that a bot that is started again in the middle of a stream neither begins anew nor forgets to end.
    """

    def __init__(
        self,
        gateway: Gateway,
        moderators: Moderators | None,
        notes: Notes,
        *,
        chat: Callable[[], ChatPolicy],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._gateway = gateway
        self._moderators = moderators
        self._notes = notes
        self._chat = chat
        self._sleep = sleep
        self._live: bool | None = None
        self._turning: asyncio.Task[None] | None = None

    @property
    def up(self) -> bool:
        """Whether it went up and has not come down yet."""
        return bool(self._notes.noted(NOTE))

    def turn(self, *, live: bool) -> None:
        """Hear whether the stream is live. Hearing the same again changes nothing."""
        if live == self._live or not self._chat().follow_stream:
            return
        self._live = live
        if self._turning:
            self._turning.cancel()
        self._turning = asyncio.create_task(self._raise() if live else self._lower(), name="curtain")

    async def settled(self) -> None:
        """Return when it hangs still."""
        while self._turning and not self._turning.done():
            await asyncio.wait([self._turning])

    async def close(self) -> None:
        """Leave it as it is."""
        if self._turning:
            self._turning.cancel()
            await asyncio.gather(self._turning, return_exceptions=True)

    async def _raise(self) -> None:
        if self._notes.noted(NOTE) == UP:
            log.info("stream.goes_on")
            return
        policy = self._chat()
        self._notes.note(NOTE, RISING)
        await self._do(self._gateway.begin_session, "begin")
        if policy.warm_when_live:
            await self._do(self._gateway.warm, "warm")
        if policy.open_when_live:
            await self._open()
        self._notes.note(NOTE, UP)
        log.info("stream.began", warm=policy.warm_when_live, open=policy.open_when_live)

    async def _lower(self) -> None:
        if not self.up:
            return
        grace_s = self._chat().offline_grace_s
        log.info("stream.offline", grace_s=grace_s)
        await self._sleep(grace_s)
        self._notes.note(NOTE, FALLING)
        await self._do(lambda: self._gateway.end_session(rest="cancel"), "end")
        await self._do(self._gateway.cool, "cool")
        self._notes.note(NOTE, "")
        log.info("stream.ended")

    async def _open(self) -> None:
        moderators = self._moderators
        if moderators is None:
            log.warning("stream.not_opened", reason="no moderator's key", help=HELP)
        else:
            await self._do(lambda: moderators.switch("open", by=""), "open")

    async def _do(self, act: Callable[[], Awaitable[object]], what: str) -> None:
        """Do something at the gateway, again and again while that is away. What it refuses is logged and left."""
        for number in range(1_000_000):
            try:
                await act()
            except GatewayRefused as error:
                if error.status < 500:  # noqa: PLR2004 - it will not change its mind
                    log.warning("stream.refused", what=what, reason=error.reason)
                    return
            except GatewayUnreachable:
                pass
            else:
                return
            await self._sleep(PAUSES_S[min(number, len(PAUSES_S) - 1)])
