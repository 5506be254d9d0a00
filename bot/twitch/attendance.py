"""Attendance: stays in Twitch's chat, with one login after another."""

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
import twitchio

from bot.news import News
from bot.outbox import Outbox
from bot.presence import Presence
from bot.stumble import named
from bot.twitch import chat as twitch
from bot.twitch.counter import Counter
from bot.twitch.ears import Hearsay
from bot.twitch.subscriptions import NETWORK_ERRORS
from bot.twitch.tokens import TokenFile
from sakuga.chat import ChatPolicy
from sakuga.errors import LoginUnreachable
from sakuga.log import get_logger
from sakuga.settings import Settings

FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 30.0
LOCKED_OUT_PAUSE_S = 300.0
FORBIDDEN = 403  # a login that may not listen, or an account that the channel has banned
HELP = "docs/how-to/twitch.md"
AWAY = (*NETWORK_ERRORS, LoginUnreachable)

log = get_logger("bot")


class Attendance:
    """Logs in, and again with growing pauses whenever that fails or ends. A new login is noticed within seconds."""

    def __init__(
        self,
        settings: Settings,
        *,
        session: aiohttp.ClientSession,
        tokens: TokenFile,
        memory: Hearsay,
        hear: Callable[[News], None],
        chat: Callable[[], ChatPolicy],
        outbox: Outbox,
        counter: Counter,
        presence: Presence,
    ) -> None:
        self._settings = settings
        self._session = session
        self._tokens = tokens
        self._memory = memory
        self._hear = hear
        self._chat = chat
        self._outbox = outbox
        self._counter = counter
        self._presence = presence

    async def run(self) -> None:
        """Attend until cancelled."""
        pause_s = FIRST_PAUSE_S
        while True:
            if twitch.missing(self._settings, self._tokens):
                self._presence.is_now("logged_out", "Nobody is logged in: python -m sakuga login twitch")
                await logged_in(self._settings, self._tokens)
            try:
                entered = await self._once(pause_s)
            except Exception as error:  # noqa: BLE001 - it may cost this login, but no other chat and no job
                entered = False
                log.error("twitch.stumbled", error=named(error), retry_s=pause_s)  # noqa: TRY400 - it may hold a token
                self._presence.is_now("away", "The bot stumbled. Its log says over what.")
            if entered:
                pause_s = FIRST_PAUSE_S
            elif entered is None:
                pause_s = LOCKED_OUT_PAUSE_S
                log.error("bot.locked_out", help=HELP, retry_s=pause_s)
                self._presence.is_now("logged_out", "Twitch takes the login no more: python -m sakuga login twitch")
            await first(asyncio.sleep(pause_s), self._tokens.changed())
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _once(self, pause_s: float) -> bool | None:
        """Attend with one login; return False if Twitch could not be reached, None if it needs a person."""
        async with twitch.Chat(
            self._settings,
            session=self._session,
            tokens=self._tokens,
            memory=self._memory,
            hear=self._hear,
            chat=self._chat,
            told=self._presence.is_now,
        ) as chat:
            try:
                if not await chat.enter():
                    return None
            except twitchio.HTTPException as error:
                reason = error.extra.get("message")
                log.warning("twitch.refused", status=error.status, reason=reason, help=HELP, retry_s=pause_s)
                state = "revoked" if error.status == FORBIDDEN else "away"
                if state == "away" or self._presence.state != state:  # else it was said why
                    self._presence.is_now(state, "Twitch refused. The bot's log says why.")
                return False
            except AWAY as error:
                log.warning("twitch.unreachable", error=type(error).__name__, retry_s=pause_s)
                self._presence.is_now("away", "Twitch is not answering. It is asked again.")
                return False
            log.info("bot.ready", channel=chat.channel_id)
            names = {"account": chat.login_of("bot"), "channel": chat.login_of("channel")}
            self._presence.say(state="listening", detail=None, **names)
            await first(chat.deaf(), self._outbox.run(chat), self._counter.run(chat), self._tokens.changed())
            if self._presence.state == "listening":
                self._presence.is_now("away", "The connection to Twitch was lost. It is made anew.")
            return True


async def logged_in(settings: Settings, tokens: TokenFile) -> None:
    """Return when the bot has all that it needs to log in, and say what is missing until then."""
    while names := twitch.missing(settings, tokens):
        log.info("bot.quiet", missing=", ".join(names), help=HELP)
        await tokens.changed()


async def first(*ends: Awaitable[object]) -> None:
    """Return when one of them is done, or raise what it raised; the others are cancelled."""
    tasks = [asyncio.ensure_future(end) for end in ends]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
