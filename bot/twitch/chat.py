"""Twitch chat through twitchio: logging in, hearing and speaking."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiohttp
import twitchio
from twitchio.eventsub import websockets
from twitchio.http import Route

from bot.news import News
from bot.outbox import Delivery
from bot.twitch.ears import Ears, Hearsay
from bot.twitch.identity import Identity
from bot.twitch.scopes import NEEDED, SEATS, Seat, lacking, wanted
from bot.twitch.tokens import Account, TokenFile
from sakuga.chat import ChatPolicy
from sakuga.errors import LoginLapsed, LoginRefused
from sakuga.log import get_logger
from sakuga.settings import Settings

# twitchio reconnects by itself, but waits up to 90 s between two tries, and never comes back from a socket that got
# no welcome or no subscription. After this long a new client takes over.
DEAF_S = 8.0
CHECK_S = 1.0
MEND_S = 60.0
GOODBYE_S = 2.0
TOO_MANY_REQUESTS = 429
SERVER_ERRORS = 500
NEEDED_SETTING = "SAKUGA_TWITCH_CLIENT_ID"

log = get_logger("bot")


def missing(settings: Settings, tokens: TokenFile) -> list[str]:
    """Return what the bot still needs to log in: a setting, accounts; nothing when it can."""
    setting = [] if settings.twitch_client_id else [NEEDED_SETTING]
    accounts = tokens.accounts()
    return setting + [f"a login of the {seat}" for seat in SEATS if seat not in accounts]


def redirect(base: str) -> None:
    """Send everything that twitchio does to another server; it reads these three values at each call. For tests."""
    Route.BASE = f"{base}/helix/"
    Route.ID_BASE = f"{base}/"
    websockets.WSS = base.replace("http", "ws", 1) + "/ws"


def quieten() -> None:
    """Silence twitchio's loggers: its error lines hold request URLs, and those the client secret and refresh tokens."""
    logging.getLogger("twitchio").setLevel(logging.CRITICAL)


class Chat(Ears):
    """One login. When it hears nothing any more it has to be replaced by a new one.

    Everything is done with the user tokens of the two accounts, which may be one, so no app token is needed, and a
    public client (without secret) works as well. What twitchio takes for its app token is the bot's, and it would
    renew that at each call after the first expiry (a bug of 3.3.2), so each call says whose token it needs.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        session: aiohttp.ClientSession,
        tokens: TokenFile,
        memory: Hearsay,
        hear: Callable[[News], None],
        chat: Callable[[], ChatPolicy] = ChatPolicy,
        told: Callable[[str, str], None] = lambda _, __: None,
    ) -> None:
        secret = settings.twitch_client_secret
        self._accounts = tokens.accounts()
        self._me, self._channel_id = (self._accounts[seat].user_id if seat in self._accounts else "" for seat in SEATS)
        self._identity = Identity(settings, session)
        self._granted: set[str] = set()
        self._admitted: set[str] = set()  # user ids
        self._token_file = tokens
        super().__init__(
            memory=memory,
            hear=hear,
            chat=chat,
            told=told,
            client_id=str(settings.twitch_client_id),
            client_secret=secret.get_secret_value() if secret else None,
            bot_id=self._me,
            session=session,
            fetch_client_user=False,
        )
        self.privileged = self._me == self._channel_id

    async def enter(self) -> bool:
        """Log both accounts in and begin to hear. Return False if that needs a person: a login lapsed, or is too small.

        Raises LoginUnreachable, aiohttp.ClientError, OSError, TimeoutError or TwitchioException if Twitch can't be
        reached.
        """
        bot = await self._admit("bot")
        if bot is None:
            return False
        await self._admit("channel")  # its part is off without it
        self._token_file.tell_once(lacking(self._granted, *SEATS))
        if not self._granted >= NEEDED:
            return False
        await self.login(token=bot.access_token, load_tokens=False, save_tokens=False)
        return True

    async def _admit(self, seat: Seat) -> Account | None:
        account = self._accounts.get(seat)
        if account is None:
            return None
        if account.user_id not in self.tokens:
            try:
                account = await self._identity.fresh(account, self._token_file)
            except (LoginLapsed, LoginRefused) as error:
                log.warning("token.refused", account=account.login, seat=seat, reason=str(error))
                return None
            await self.add_token(account.access_token, account.refresh_token)
            same = [seat for seat, old in self._accounts.items() if old.user_id == account.user_id]
            self._accounts.update(dict.fromkeys(same, account))
        self._admitted.add(account.user_id)
        self._granted.update(set(wanted(seat)) & set(account.scopes))
        return account

    @property
    def channel_id(self) -> str:
        """The user id of the channel."""
        return self._channel_id

    def login_of(self, seat: Seat) -> str:
        """Return the login name of an account; empty if it is not logged in."""
        account = self._accounts.get(seat)
        return account.login if account else ""

    def can(self, scope: str) -> bool:
        """Whether the account that a scope is wanted of has granted it."""
        return scope in self._granted

    @property
    def listening(self) -> bool:
        """Whether all that Twitch granted is heard, by a login that it still takes: twitchio drops others silently."""
        return self._me in self.tokens and self._admitted <= set(self.tokens) and super().listening

    async def deaf(self) -> None:
        """Return when this client has not been listening for eight seconds; mend what is missing once a minute."""
        deaf_s = unmended_s = 0.0
        while deaf_s < DEAF_S:
            await asyncio.sleep(CHECK_S)
            deaf_s = 0.0 if self.listening else deaf_s + CHECK_S
            unmended_s += CHECK_S
            if unmended_s >= MEND_S and not deaf_s:
                unmended_s = 0.0
                await self.mend()
        log.info("chat.lost")

    def dispatch(self, event: str, payload: Any = None) -> None:
        """Keep a renewed pair before twitchio uses it: it tells of it here, and the one before may work no more."""
        if isinstance(payload, twitchio.TokenRefreshedPayload):
            self._token_file.renew(payload.user_id, payload.token, payload.refresh_token)
            if payload.user_id == self._me:
                self._http._app_token = payload.token  # noqa: SLF001 - or it renews at each call without `token_for`
            log.info("token.refreshed")
        super().dispatch(event, payload)

    async def deliver(self, text: str, reply_to: str) -> Delivery:
        """Send one reply into the thread of a message, or without one into the chat."""
        if self._me not in self.tokens:  # twitchio would take another token
            return Delivery("dropped", "logged_out")
        channel = self.create_partialuser(self._channel_id)
        self._spoken.append(text)  # before it can come back
        try:
            await channel.send_message(text, sender=self._me, token_for=self._me, reply_to_message_id=reply_to or None)
        except twitchio.MessageRejectedError as error:
            return Delivery("dropped", error.code or "rejected")
        except twitchio.HTTPException as error:
            passing = error.status == TOO_MANY_REQUESTS or error.status >= SERVER_ERRORS
            return Delivery("later" if passing else "dropped", str(error.status))
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:  # the last: an answer without JSON
            return Delivery("later", type(error).__name__)
        return Delivery("sent")

    async def close(self, **_options: bool) -> None:
        """Close every connection. Tokens were saved when they came."""
        # A socket that is reconnecting would go on after `close`, subscribe, and hear beside its successor.
        sockets = self._open_sockets()
        for socket in sockets:
            for task in list(socket._connection_tasks):  # noqa: SLF001
                task.cancel()
        # Where the network is gone nobody answers a goodbye: twitchio waits 30 s for two of them.
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await asyncio.gather(*(socket.close() for socket in sockets))
        await super().close(save_tokens=False)
