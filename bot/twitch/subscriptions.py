"""What the bot is subscribed to at Twitch: asked for at the start, mended when something is lost, cleared up after."""

import math
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, Literal

import aiohttp
import twitchio
from twitchio import eventsub
from twitchio.eventsub import SubscriptionType, websockets
from twitchio.eventsub.subscriptions import SubscriptionPayload

from sakuga.log import get_logger

# Twitch sends a sign of life every ten seconds.
SILENT_S = 15.0
CHAT = "channel.chat.message"
# ValueError: twitchio reads every answer that calls itself JSON, also the empty one of a broken gateway of Twitch's.
NETWORK_ERRORS = (aiohttp.ClientError, OSError, TimeoutError, ValueError, twitchio.TwitchioException)
# What Helix says of a stream is minutes behind the event that it began or ended: asked too soon, it would end the show
# that has just begun.
HELIX_LAGS_S = 180.0
SERVER_ERRORS = 500
TOO_MANY_REQUESTS = 429

log = get_logger("bot")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A subscription, whose token it takes, and the scope that this must have."""

    payload: SubscriptionPayload
    of: Literal["bot", "channel"]
    scope: str = ""


class Subscriptions(twitchio.Client):
    """Listens to one channel with the tokens of two accounts, which may be one. Who logs in says who they are."""

    def __init__(self, **options: Any) -> None:
        self._subscribed: set[str] = set()
        self._refused: set[str] = set()
        self._live: bool | None = None
        self._believed_at = -math.inf  # when an event said so, in seconds of no particular clock
        super().__init__(**options)

    @property
    def channel_id(self) -> str:
        """The user id of the channel."""
        raise NotImplementedError

    @property
    def live(self) -> bool | None:
        """Whether the stream is live, if Twitch has told."""
        return self._live

    def can(self, scope: str) -> bool:
        """Whether the token of the account that it belongs to has a scope."""
        raise NotImplementedError

    def believe(self, *, live: bool) -> None:
        """Take an event's word for whether the stream is live: for some minutes it counts for more than Helix's."""
        self._live, self._believed_at = live, time.monotonic()

    def on_air(self, *, live: bool) -> None:
        """Take notice of whether the stream is live."""
        raise NotImplementedError

    def wanted(self) -> list[Wanted]:
        """Return what is worth hearing with the scopes that there are; the chat first."""
        channel = {"broadcaster_user_id": self.channel_id}
        reader = {**channel, "user_id": str(self.bot_id)}
        points, bits = "channel:manage:redemptions", "bits:read"
        everything = [
            Wanted(eventsub.ChatMessageSubscription(**reader), "bot"),
            Wanted(eventsub.ChatMessageDeleteSubscription(**reader), "bot"),
            Wanted(eventsub.ChatClearUserMessagesSubscription(**reader), "bot"),
            Wanted(eventsub.ChatClearSubscription(**reader), "bot"),
            Wanted(eventsub.ChatNotificationSubscription(**reader), "bot"),
            Wanted(eventsub.StreamOnlineSubscription(**channel), "bot"),
            Wanted(eventsub.StreamOfflineSubscription(**channel), "bot"),
            Wanted(eventsub.ChannelBanSubscription(**channel), "channel", "channel:moderate"),
            Wanted(eventsub.ChannelUnbanSubscription(**channel), "channel", "channel:moderate"),
            Wanted(eventsub.ChannelPointsRedeemAddSubscription(**channel), "channel", points),
            Wanted(eventsub.CustomPowerupRedeemAddSubscription(**channel), "channel", bits),
        ]
        return [wanted for wanted in everything if not wanted.scope or self.can(wanted.scope)]

    async def setup_hook(self) -> None:
        """Clear up, subscribe, and ask whether the stream is live; called by twitchio's `login`.

        Raises twitchio.HTTPException if Twitch does not let the bot read the chat, else what the network raises.
        """
        await self._sweep()
        for wanted in self.wanted():
            await self._listen(wanted)
        await self._look()

    async def mend(self) -> None:
        """Subscribe to what Twitch could not give before, and look whether an event about the stream was missed."""
        try:
            for wanted in self.wanted():
                if wanted.payload.type not in self._subscribed | self._refused:
                    await self._listen(wanted)
        except NETWORK_ERRORS as error:
            log.info("chat.not_mended", error=type(error).__name__)
        await self._look()

    @property
    def listening(self) -> bool:
        """Whether all that Twitch granted comes through sockets that show signs of life."""
        oldest = datetime.now() - timedelta(seconds=SILENT_S)  # noqa: DTZ005 - twitchio's own clock
        alive = [s for s in self._open_sockets() if s.connected and s._last_keepalive and s._last_keepalive > oldest]  # noqa: SLF001
        carried = {data["type"].value for socket in alive for data in socket._subscriptions.values()}  # noqa: SLF001
        return CHAT in self._subscribed and self._subscribed <= carried

    async def _listen(self, wanted: Wanted) -> None:
        kind = wanted.payload.type
        try:
            if await self._subscribe(wanted.payload, str(self.bot_id) if wanted.of == "bot" else self.channel_id):
                self._subscribed.add(kind)
        except twitchio.HTTPException as error:
            if kind == CHAT:
                raise
            log.warning("chat.not_heard", subscription=kind, status=error.status, reason=error.extra.get("message"))
            if error.status < SERVER_ERRORS and error.status != TOO_MANY_REQUESTS:
                self._refused.add(kind)

    async def _subscribe(self, payload: SubscriptionPayload, token_for: str) -> object:
        """Subscribe on the socket of a token. Return nothing if Twitch has such a subscription already."""
        if payload.type in {kind.value for kind in SubscriptionType}:
            return await self.subscribe_websocket(payload, as_bot=False, token_for=token_for)
        # twitchio 3.3.2 has a class for Power-ups, but no name for them in its list, and fails on that.
        sockets = self._websockets[token_for]
        if not sockets:
            socket = websockets.Websocket(client=self, token_for=token_for, http=self._http)
            await socket.connect(fail_once=True)
            sockets[str(socket.session_id)] = socket
        socket = next(iter(sockets.values()))
        data: Any = {
            "type": SimpleNamespace(value=payload.type),
            "version": payload.version,
            "condition": payload.condition,
            "transport": {"method": "websocket", "session_id": socket.session_id},
            "token_for": token_for,
        }
        answer = await self._http.create_eventsub_subscription(**data)
        for made in answer["data"]:
            socket._subscriptions[made["id"]] = data  # noqa: SLF001
        return answer

    async def _sweep(self) -> None:
        """Delete what earlier sockets left behind at Twitch: too many of those and nothing new is granted."""
        for owner in dict.fromkeys((str(self.bot_id), self.channel_id)):
            try:
                kept = await self.fetch_eventsub_subscriptions(token_for=owner)
                orphans = [
                    left.id
                    async for left in kept.subscriptions
                    if left.transport.method == "websocket" and left.status != "enabled"
                ]
                for orphan in orphans:
                    await self.delete_eventsub_subscription(orphan, token_for=owner)
            except NETWORK_ERRORS as error:
                log.info("chat.not_swept", error=type(error).__name__)
            else:
                if orphans:
                    log.info("chat.swept", count=len(orphans))

    async def _look(self) -> None:
        """Ask whether the stream is live, and tell when that is news."""
        try:
            streams = self.fetch_streams(
                user_ids=[self.channel_id], type="live", token_for=str(self.bot_id), max_results=1
            )
            live = bool([stream async for stream in streams])
        except NETWORK_ERRORS as error:
            log.info("stream.unknown", error=type(error).__name__)
            return
        if live != self._live and time.monotonic() - self._believed_at > HELIX_LAGS_S:
            self._live = live
            self.on_air(live=live)

    def _open_sockets(self) -> list[websockets.Websocket]:
        return [socket for sockets in self._websockets.values() for socket in sockets.values()]
