"""The bot's ears at Twitch: each event of its subscriptions is passed on once, as news."""

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import twitchio

from bot.news import News, OnAir
from bot.twitch import heard
from bot.twitch.subscriptions import CHAT, Subscriptions
from sakuga.chat import ChatPolicy
from sakuga.log import get_logger

SPOKEN = 100  # of the bot's own words, the newest: as many as Twitch lets anybody say in 30 s

log = get_logger("bot")


class Hearsay(Protocol):
    """Remembers what was heard."""

    def heard(self, key: str) -> bool:
        """Remember an id, and return whether it was heard before."""


class Ears(Subscriptions):
    """Calls `hear` with news in the order in which they came, and `told(state, detail)` when the chat is closed to us.

    Each account has a socket of its own, and between the two Twitch keeps no order: a ban may come before the words
    that it was for. Those were spoken by somebody who may not ask any more by then, so nothing comes of them.
    """

    def __init__(
        self,
        *,
        memory: Hearsay,
        hear: Callable[[News], None],
        chat: Callable[[], ChatPolicy],
        told: Callable[[str, str], None],
        **options: Any,
    ) -> None:
        self._memory = memory
        self._hear = hear
        self._chat = chat
        self._told = told
        self.privileged = False
        # Where the streamer's account speaks for the bot, a viewer called "!clear" must not command with its rights.
        self._spoken: deque[str] = deque(maxlen=SPOKEN)
        super().__init__(**options)

    def on_air(self, *, live: bool) -> None:
        """Pass on whether the stream is live."""
        self._hear(OnAir(live))

    async def event_message(self, payload: twitchio.ChatMessage) -> None:
        """Pass a message on, unless it is the bot's own, or another channel's that shares the chat and may not."""
        source = payload.source_broadcaster
        from_here = source is None or source.id == self.channel_id
        if not from_here and not self._chat().shared_chat:
            return
        if payload.chatter.id == self.bot_id and self.bot_id != self.channel_id:
            self.privileged = "moderator" in heard.roles(payload)
            return
        if payload.chatter.id == self.bot_id and payload.text.endswith(tuple(self._spoken)):
            return  # in a thread Twitch puts the name of whom it answers in front
        self._once(payload.id, heard.line(payload, paid_here=from_here))

    async def event_message_delete(self, payload: twitchio.ChatMessageDelete) -> None:
        """Pass on that a message was deleted."""
        self._once(_id(payload), heard.message_retracted(payload))

    async def event_chat_clear_user(self, payload: twitchio.ChannelChatClearUserMessages) -> None:
        """Pass on that a viewer's messages went."""
        self._once(_id(payload), heard.viewer_retracted(payload))

    async def event_chat_clear(self, payload: twitchio.ChannelChatClear) -> None:
        """Pass on that the chat was cleared."""
        self._once(_id(payload), heard.chat_retracted(payload))

    async def event_ban(self, payload: twitchio.ChannelBan) -> None:
        """Pass on a ban or a time-out."""
        self._once(_id(payload), heard.banned(payload))

    async def event_unban(self, payload: twitchio.ChannelUnban) -> None:
        """Pass on that a ban was taken back."""
        self._once(_id(payload), heard.unbanned(payload))

    async def event_chat_notification(self, payload: twitchio.ChatNotification) -> None:
        """Pass on subscriptions, gifts and raids."""
        if support := heard.supported(payload):
            self._once(payload.id, support)

    async def event_custom_redemption_add(self, payload: twitchio.ChannelPointsRedemptionAdd) -> None:
        """Pass on what was paid for with channel points."""
        self._once(payload.id, heard.redeemed(payload))

    async def event_custom_power_up_redemption_add(self, payload: twitchio.CustomPowerupRedemptionAdd) -> None:
        """Pass on what was paid for with bits."""
        self._once(payload.id, heard.powered_up(payload))

    async def event_stream_online(self, payload: twitchio.StreamOnline) -> None:
        """Pass on that the stream began."""
        self.believe(live=True)
        self._once(_id(payload), OnAir(live=True))

    async def event_stream_offline(self, payload: twitchio.StreamOffline) -> None:
        """Pass on that the stream ended."""
        self.believe(live=False)
        self._once(_id(payload), OnAir(live=False))

    async def event_websocket_welcome(self, _: twitchio.WebsocketWelcome) -> None:
        """Log that a socket is open."""
        log.info("chat.connected")

    async def event_subscription_revoked(self, payload: twitchio.SubscriptionRevoked) -> None:
        """Tell why something is not heard any more: the login was withdrawn, or the bot was banned."""
        log.warning("chat.revoked", subscription=payload.type, reason=payload.reason.value)
        if payload.type == CHAT:
            self._told("revoked", payload.reason.value)
        else:
            self._subscribed.discard(payload.type)
            self._refused.add(payload.type)

    async def event_error(self, payload: twitchio.EventErrorPayload) -> None:
        """Log what one of the methods above stumbled over, without its text: that may hold a token."""
        log.error("chat.stumbled", where=payload.listener.__name__, error=type(payload.error).__name__)

    def _once(self, key: str, news: News) -> None:
        """Pass news on, unless they were heard before: Twitch may tell the same twice."""
        if self._memory.heard(f"twitch {key}"):
            log.info("chat.repeated", message_id=key)
        else:
            self._hear(news)


def _id(payload: Any) -> str:
    """Return the id of the notification itself, for events that have none of their own."""
    return str(payload.metadata.message_id)
