"""The outbox: replies on their way to chat, at the pace that the platform allows."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from bot.stumble import named
from sakuga.log import get_logger
from sakuga.replies import LONGEST, fitting

# Twitch allows 20 messages in 30 s, 100 as broadcaster or moderator, and mutes the bot for 30 min beyond;
# four fifths leave room for its clock and ours. https://dev.twitch.tv/docs/chat/#rate-limits
WINDOW_S = 30.0
PER_WINDOW = 16
PER_WINDOW_PRIVILEGED = 80
STALE_S = 90.0
RETRY_PAUSES_S = (1.0, 4.0, 10.0)
MOST_WAITING = 200
BETWEEN = " \u00b7 "
BUSY = 2  # replies behind the next one: from so many on they share a message

log = get_logger("bot")


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an attempt to send ended: `later` may work if tried again, `dropped` will not."""

    outcome: Literal["sent", "dropped", "later"]
    reason: str = ""


class Channel(Protocol):
    """Where replies go."""

    @property
    def privileged(self) -> bool:
        """Whether the higher pace is allowed."""

    async def deliver(self, text: str, reply_to: str) -> Delivery:
        """Send one reply; without a message that it answers, into the open chat."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A text, the id of the message that it answers, and the name of who wrote that."""

    text: str
    reply_to: str
    name: str = ""
    at: float = field(default_factory=time.monotonic)

    @property
    def addressed(self) -> str:
        """The text with the name in front, for a message that answers several."""
        return self.text if not self.name or self.text.startswith("@") else fitting(f"@{self.name} {self.text}")


class Outbox:
    """Keeps replies in order while the platform is away, for 90 s, and paces them; many at a time share a message."""

    def __init__(
        self,
        *,
        window_s: float = WINDOW_S,
        stale_s: float = STALE_S,
        retry_pauses_s: tuple[float, ...] = RETRY_PAUSES_S,
        busy: int = BUSY,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._window_s = window_s
        self._stale_s = stale_s
        self._retry_pauses_s = retry_pauses_s
        self._busy = busy
        self._sleep = sleep
        self._waiting: asyncio.Queue[Reply] = asyncio.Queue(MOST_WAITING)
        self._next: deque[Reply] = deque()  # before those that wait
        self._sent_at: deque[float] = deque()

    def put(self, text: str, reply_to: str, name: str = "") -> None:
        """Leave a reply to be sent."""
        try:
            self._waiting.put_nowait(Reply(text, reply_to, name))
        except asyncio.QueueFull:
            log.warning("chat.dropped", reason="outbox_full", reply_to=reply_to)

    async def run(self, channel: Channel) -> None:
        """Send what comes in until cancelled. What was surely not sent by then is for the next channel."""
        while True:
            reply = self._next.popleft() if self._next else await self._waiting.get()
            if time.monotonic() - reply.at > self._stale_s:
                log.warning("chat.dropped", reason="stale", reply_to=reply.reply_to)
                continue
            with self._kept(reply):
                await self._room(channel)
            await self._send(channel, self._shared(reply))

    async def _send(self, channel: Channel, reply: Reply) -> None:
        for pause_s in (*self._retry_pauses_s, None):
            with self._kept(reply):
                await self._room(channel)
            self._sent_at.append(time.monotonic())
            delivery = await self._delivered(channel, reply)
            if delivery.outcome == "sent":
                log.info("chat.replied", reply_to=reply.reply_to)
                return
            if delivery.outcome == "dropped" or pause_s is None:
                log.warning("chat.dropped", reason=delivery.reason, reply_to=reply.reply_to)
                return
            log.info("chat.delayed", reason=delivery.reason, pause_s=pause_s)
            with self._kept(reply):
                await self._sleep(pause_s)

    async def _delivered(self, channel: Channel, reply: Reply) -> Delivery:
        try:
            return await channel.deliver(reply.text, reply.reply_to)
        except Exception as error:  # noqa: BLE001 - an answer that nobody expected costs this reply, and no other
            log.error("chat.stumbled", where="deliver", error=named(error))  # noqa: TRY400 - it may hold a token
            return Delivery("dropped", "stumbled")

    @contextmanager
    def _kept(self, reply: Reply) -> Iterator[None]:
        """Put a reply back to the front if this is where the sending is cancelled."""
        try:
            yield
        except asyncio.CancelledError:
            self._next.appendleft(reply)
            raise

    def _shared(self, first: Reply) -> Reply:
        """Return the reply, together with those behind it while there are many and they fit into one message."""
        if self._next or self._waiting.qsize() < self._busy:
            return first
        text, count = first.addressed, 1
        while not self._waiting.empty():
            reply = self._waiting.get_nowait()
            if len(text) + len(BETWEEN) + len(reply.addressed) > LONGEST:
                self._next.append(reply)
                break
            text, count = text + BETWEEN + reply.addressed, count + 1
        return first if count == 1 else Reply(text, "", at=first.at)

    async def _room(self, channel: Channel) -> None:
        """Wait until one more message is allowed."""
        limit = PER_WINDOW_PRIVILEGED if channel.privileged else PER_WINDOW
        while True:
            now = time.monotonic()
            while self._sent_at and now - self._sent_at[0] >= self._window_s:
                self._sent_at.popleft()
            if len(self._sent_at) < limit:
                return
            await self._sleep(self._sent_at[0] + self._window_s - now)
