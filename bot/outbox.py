"""The outbox: replies on their way to chat, at the pace that the platform allows."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from sakuga.log import get_logger

# Twitch allows 20 messages in 30 s, 100 as broadcaster or moderator, and mutes the bot for 30 min beyond;
# four fifths leave room for its clock and ours. https://dev.twitch.tv/docs/chat/#rate-limits
WINDOW_S = 30.0
PER_WINDOW = 16
PER_WINDOW_PRIVILEGED = 80
STALE_S = 90.0
RETRY_PAUSES_S = (1.0, 4.0, 10.0)
MOST_WAITING = 200

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
        """Send one reply."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A text and the id of the message that it answers."""

    text: str
    reply_to: str
    at: float = field(default_factory=time.monotonic)


class Outbox:
    """Keeps replies in order while the platform is away, for 90 s, and paces them."""

    def __init__(
        self,
        *,
        window_s: float = WINDOW_S,
        stale_s: float = STALE_S,
        retry_pauses_s: tuple[float, ...] = RETRY_PAUSES_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._window_s = window_s
        self._stale_s = stale_s
        self._retry_pauses_s = retry_pauses_s
        self._sleep = sleep
        self._waiting: asyncio.Queue[Reply] = asyncio.Queue(MOST_WAITING)
        self._sent_at: deque[float] = deque()

    def put(self, text: str, reply_to: str) -> None:
        """Leave a reply to be sent."""
        try:
            self._waiting.put_nowait(Reply(text, reply_to))
        except asyncio.QueueFull:
            log.warning("chat.dropped", reason="outbox_full", reply_to=reply_to)

    async def run(self, channel: Channel) -> None:
        """Send what comes in until cancelled."""
        while True:
            reply = await self._waiting.get()
            if time.monotonic() - reply.at > self._stale_s:
                log.warning("chat.dropped", reason="stale", reply_to=reply.reply_to)
            else:
                await self._send(channel, reply)

    async def _send(self, channel: Channel, reply: Reply) -> None:
        for pause_s in (*self._retry_pauses_s, None):
            await self._pace(PER_WINDOW_PRIVILEGED if channel.privileged else PER_WINDOW)
            delivery = await channel.deliver(reply.text, reply.reply_to)
            if delivery.outcome == "sent":
                log.info("chat.replied", reply_to=reply.reply_to)
                return
            if delivery.outcome == "dropped" or pause_s is None:
                log.warning("chat.dropped", reason=delivery.reason, reply_to=reply.reply_to)
                return
            log.info("chat.delayed", reason=delivery.reason, pause_s=pause_s)
            await self._sleep(pause_s)

    async def _pace(self, limit: int) -> None:
        """Wait until one more message is allowed, and count it."""
        while True:
            now = time.monotonic()
            while self._sent_at and now - self._sent_at[0] >= self._window_s:
                self._sent_at.popleft()
            if len(self._sent_at) < limit:
                self._sent_at.append(now)
                return
            await self._sleep(self._sent_at[0] + self._window_s - now)
