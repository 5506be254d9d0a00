"""Twitch chat through twitchio: logging in, hearing and speaking."""

import asyncio
import logging
from collections.abc import Callable
from typing import Literal

import aiohttp
import twitchio
from twitchio.eventsub import ChatMessageSubscription, websockets
from twitchio.http import Route

from bot.line import Line, words
from bot.outbox import Delivery
from bot.recent import Recent
from bot.tokens import TokenFile, TokenPair
from sakuga.job import RequestedBy
from sakuga.log import get_logger
from sakuga.settings import Settings

# twitchio reconnects by itself, but waits up to 90 s between two tries, and never comes back from a socket that got
# no welcome or no subscription. After this long a new client takes over.
DEAF_S = 8.0
CHECK_S = 1.0
REDELIVERED_WITHIN_S = 1800.0
TOO_MANY_REQUESTS = 429
SERVER_ERRORS = 500
ROLES: dict[str, Literal["subscriber", "founder", "vip", "moderator", "broadcaster"]] = {
    "subscriber": "subscriber",
    "founder": "founder",
    "vip": "vip",
    "moderator": "moderator",
    "lead_moderator": "moderator",
    "broadcaster": "broadcaster",
}
NEEDED = ("twitch_client_id", "twitch_bot_id", "twitch_broadcaster_id")

log = get_logger("bot")


def missing(settings: Settings, tokens: TokenFile) -> list[str]:
    """Return the names of the settings that a login still needs; none when the bot can log in."""
    names = [name for name in NEEDED if not getattr(settings, name)]
    if not tokens.pairs():
        names += [name for name in ("twitch_access_token", "twitch_refresh_token") if not getattr(settings, name)]
    return [f"SAKUGA_{name.upper()}" for name in names]


def redirect(base: str) -> None:
    """Send everything that twitchio does to another server; it reads these three values at each call. For tests."""
    Route.BASE = f"{base}/helix/"
    Route.ID_BASE = f"{base}/"
    websockets.WSS = base.replace("http", "ws", 1) + "/ws"


def quieten() -> None:
    """Silence twitchio's loggers: its error lines hold request URLs, and those the client secret and refresh tokens."""
    logging.getLogger("twitchio").setLevel(logging.CRITICAL)


class Chat(twitchio.Client):
    """One login. When it hears nothing any more it has to be replaced by a new one.

    Everything is done with the user token of the bot's account, so no app token is needed, and a public client
    (without secret) works as well. Sending by the app token would also refresh at each call after the first expiry,
    a bug of twitchio 3.3.2.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        session: aiohttp.ClientSession,
        tokens: TokenFile,
        heard: Recent,
        hear: Callable[[Line], None],
    ) -> None:
        secret = settings.twitch_client_secret
        self._me = str(settings.twitch_bot_id)
        self._channel_id = str(settings.twitch_broadcaster_id)
        self._token_file = tokens
        self._heard = heard
        self._hear = hear
        self.privileged = self._me == self._channel_id
        super().__init__(
            client_id=str(settings.twitch_client_id),
            client_secret=secret.get_secret_value() if secret else None,
            bot_id=self._me,
            session=session,
            fetch_client_user=False,
        )

    async def enter(self) -> bool:
        """Log in and begin to hear. Return False if Twitch takes none of the token pairs.

        Raises aiohttp.ClientError, OSError, TimeoutError or TwitchioException if Twitch can't be reached.
        """
        for pair in self._token_file.pairs():
            try:
                validated = await self.add_token(pair.access_token, pair.refresh_token)
            except twitchio.InvalidTokenException as error:
                if error.status >= SERVER_ERRORS:
                    raise
                log.warning("token.refused", status=error.status, reason=error.extra.get("message"))
                continue
            if validated.user_id == self._me:
                await self.login(token=pair.access_token, load_tokens=False, save_tokens=False)
                return True
            log.warning("token.mismatched", belongs_to=validated.user_id, expected=self._me)
            await self.remove_token(str(validated.user_id))
        return False

    @property
    def listening(self) -> bool:
        """Whether a socket is open that messages come through."""
        return any(socket.connected and socket.subscription_count for socket in self._open_sockets())

    async def deaf(self) -> None:
        """Return when this client has not been listening for eight seconds."""
        deaf_s = 0.0
        while deaf_s < DEAF_S:
            await asyncio.sleep(CHECK_S)
            deaf_s = 0.0 if self.listening else deaf_s + CHECK_S
        log.info("chat.lost")

    async def setup_hook(self) -> None:
        """Subscribe to the channel's chat; called by `login`."""
        chat = ChatMessageSubscription(broadcaster_user_id=self._channel_id, user_id=self._me)
        await self.subscribe_websocket(chat, token_for=self._me)

    async def event_message(self, payload: twitchio.ChatMessage) -> None:
        """Pass a message on, once, unless it is the bot's own or comes from another channel of a shared chat."""
        if payload.source_broadcaster and payload.source_broadcaster.id != self._channel_id:
            return
        roles = {ROLES[badge.set_id] for badge in payload.badges if badge.set_id in ROLES}
        if payload.chatter.id == self._me and self._me != self._channel_id:
            self.privileged = "moderator" in roles
            return
        if not self._heard.add(payload.id):
            log.info("chat.repeated", message_id=payload.id)
            return
        viewer = RequestedBy(
            platform="twitch",
            id=payload.chatter.id,
            login=payload.chatter.name or "",
            display_name=payload.chatter.display_name or "",
            roles=sorted(roles),
            bits=payload.cheer.bits if payload.cheer else 0,
        )
        text = words(
            ((fragment.type, fragment.text) for fragment in payload.fragments), is_reply=payload.reply is not None
        )
        people = [fragment.mention for fragment in payload.fragments if fragment.mention]
        mentioned = {str(person.name).lower(): f"twitch:{person.id}" for person in people}
        self._hear(Line(payload.id, text, viewer, mentioned))

    async def event_token_refreshed(self, payload: twitchio.TokenRefreshedPayload) -> None:
        """Keep a renewed pair at once: the one before it may work no more."""
        if payload.user_id == self._me:
            self._token_file.save(TokenPair(payload.token, payload.refresh_token))
            log.info("token.refreshed")

    async def event_websocket_welcome(self, _: twitchio.WebsocketWelcome) -> None:
        """Log that a socket is open."""
        log.info("chat.connected")

    async def event_subscription_revoked(self, payload: twitchio.SubscriptionRevoked) -> None:
        """Log why this client will hear nothing any more: the login was withdrawn, or the bot was banned."""
        log.warning("chat.revoked", reason=payload.reason.value)

    async def event_error(self, payload: twitchio.EventErrorPayload) -> None:
        """Log what one of the methods above stumbled over, without its text: that may hold a token."""
        log.error("chat.stumbled", where=payload.listener.__name__, error=type(payload.error).__name__)

    async def deliver(self, text: str, reply_to: str) -> Delivery:
        """Send one reply into the thread of a message, or without one into the chat."""
        channel = self.create_partialuser(self._channel_id)
        try:
            await channel.send_message(text, sender=self._me, token_for=self._me, reply_to_message_id=reply_to or None)
        except twitchio.MessageRejectedError as error:
            return Delivery("dropped", error.code or "rejected")
        except twitchio.HTTPException as error:
            passing = error.status == TOO_MANY_REQUESTS or error.status >= SERVER_ERRORS
            return Delivery("later" if passing else "dropped", str(error.status))
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return Delivery("later", type(error).__name__)
        return Delivery("sent")

    async def close(self, **_options: bool) -> None:
        """Close every connection. Tokens were saved when they came."""
        # A socket that is reconnecting would go on after `close`, subscribe, and hear beside its successor.
        for socket in self._open_sockets():
            for task in list(socket._connection_tasks):  # noqa: SLF001
                task.cancel()
        await super().close(save_tokens=False)

    def _open_sockets(self) -> list[websockets.Websocket]:
        return [socket for sockets in self._websockets.values() for socket in sockets.values()]
