"""The porter: takes news in the order in which they came, and brings each to where it belongs."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from bot.errands import LOCKED_OUT, Errands
from bot.line import Line
from bot.memory import Memory
from bot.news import Deed, News, OnAir, Supported, read, written
from sakuga.errors import GatewayRefused, GatewayUnreachable
from sakuga.log import get_logger
from sakuga.support import SupportKind

MOST_UNHEARD = 200
LATE_S = 60.0  # a !skip that waited so long would end another cut than it was said of
PAUSES_S = (1.0, 2.0, 5.0, 10.0, 30.0)
PASSING = LOCKED_OUT | {"rate_limited"}
SERVER_ERRORS = 500

log = get_logger("bot")


class Desk(Protocol):
    """Answers lines."""

    async def hear(self, line: Line) -> bool | None:
        """Handle a line: True if it became a request, False if one was refused, None if it was none."""


class Curtain(Protocol):
    """Goes up and down with the stream."""

    def turn(self, *, live: bool) -> None:
        """Hear whether the stream is live."""


class Porter:
    """`hear` news from any platform; `run` brings them on, one after another, until cancelled.

    Lines are dropped when there are too many, or when they waited for long behind others that a slow gateway held up:
    they are told at once or never. Everything else is owed to the gateway:
    it is remembered before its turn comes, and forgotten when the gateway has taken it. While that is away, what is
    owed waits in order and the chat goes on; after a crash it is told by the next bot, within a day.
    """

    def __init__(
        self,
        desk: Desk,
        errands: Errands,
        *,
        curtain: Curtain,
        memory: Memory,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._desk = desk
        self._errands = errands
        self._curtain = curtain
        self._memory = memory
        self._sleep = sleep
        self._clock = clock
        self._news: asyncio.Queue[tuple[int, News, float]] = asyncio.Queue()
        self._lines = 0
        self._reached = memory.newest_owed()  # what comes later waits for its turn behind the lines before it
        self._behind = asyncio.Event()
        if self._reached:
            self._behind.set()

    def hear(self, news: News) -> None:
        """Take news. Bits that come with a line are owed until it is known whether a request took them."""
        number = 0
        if isinstance(news, Line):
            if self._lines >= MOST_UNHEARD and not news.viewer.bits:
                log.warning("chat.unheard", message_id=news.id)
                return
            self._lines += 1
            if news.viewer.bits:
                number = self._memory.owe(written(Supported(news.id, "cheer", news.viewer, news.viewer.bits)))
        elif not isinstance(news, OnAir):
            number = self._memory.owe(written(news))
        self._news.put_nowait((number, news, self._clock()))

    async def run(self) -> None:
        """Bring on what was heard and what is owed until cancelled."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._catch_up(), name="owed")
            while True:
                number, news, at = await self._news.get()
                try:
                    await self.take(news, number, late=self._clock() - at > LATE_S)
                except Exception:
                    log.exception("bot.stumbled", news=type(news).__name__)
                self._reached = max(self._reached, number)
                self._news.task_done()

    async def done(self) -> None:
        """Return when everything that was heard so far had its turn."""
        await self._news.join()

    async def take(self, news: News, number: int = 0, *, late: bool = False) -> None:
        """Bring one piece of news to where it belongs; `number` is that of what is owed for it, 0 for nothing.

        Of a late line only the bits count.
        """
        match news:
            case Line():
                self._lines -= 1
                accepted: bool | None = None
                try:
                    if late:
                        log.warning("chat.unheard", message_id=news.id)
                    else:
                        accepted = await self._desk.hear(news)
                finally:
                    if news.viewer.bits:  # also where they could not be remembered, as on a full disk
                        await self._bits(news, number, accepted=accepted)
            case OnAir():
                self._curtain.turn(live=news.live)
            case _:
                await self._tell(news, number)

    async def _bits(self, line: Line, number: int, *, accepted: bool | None) -> None:
        if accepted:
            self._memory.told(number)
        else:
            kind: SupportKind = "cheer" if accepted is None else "refused"
            await self._tell(Supported(line.id, kind, line.viewer, line.viewer.bits), number)

    async def _tell(self, deed: Deed, number: int) -> None:
        """Tell the gateway, unless something before it could not be told yet."""
        if not self._behind.is_set() and await self._told(deed):
            self._memory.told(number)
        else:
            self._behind.set()

    async def _catch_up(self) -> None:
        """Tell what could not be told at its time, in order, as soon as the gateway takes it."""
        failed = 0
        while True:
            await self._behind.wait()
            owed = self._memory.owed()
            if owed is None or owed[0] > self._reached:
                self._behind.clear()
                continue
            number, text = owed
            if await self._told_again(text):
                self._memory.told(number)
                failed = 0
            else:
                await self._sleep(PAUSES_S[min(failed, len(PAUSES_S) - 1)])
                failed += 1

    async def _told_again(self, text: str) -> bool:
        try:
            return await self._told(read(text))
        except Exception:
            log.exception("news.lost")
            return True

    async def _told(self, deed: Deed) -> bool:
        """Tell the gateway; False if it has to be told again later."""
        try:
            await self._errands.run(deed)
        except GatewayUnreachable:
            log.info("news.late", news=type(deed).__name__)
            return False
        except GatewayRefused as error:
            if error.status >= SERVER_ERRORS or error.reason in PASSING:
                log.info("news.late", news=type(deed).__name__, reason=error.reason)
                return False
            log.warning("news.refused", news=type(deed).__name__, reason=error.reason)
        return True
