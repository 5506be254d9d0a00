"""The bot's voice on YouTube: a channel for answers, of which each costs a part of the day's quota."""

from collections.abc import Callable

from bot.outbox import Delivery
from bot.youtube.api import YouTubeApi, YouTubeAway, YouTubeRefused
from bot.youtube.news import own_key
from bot.youtube.quota import Quota
from bot.youtube.tokens import YouTubeTokens

LONGEST = 200  # characters in a message of a live chat
QUOTA = frozenset({"quotaExceeded", "dailyLimitExceeded"})
HASTE = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "userRequestsExceedRateLimit"})
UNAUTHORIZED = 401
TOO_MANY_REQUESTS = 429


class Voice:
    """Says answers in the live chat that is being read, as the account that is logged in."""

    privileged = False

    def __init__(
        self,
        api: YouTubeApi,
        tokens: YouTubeTokens,
        quota: Quota,
        *,
        chat_id: Callable[[], str | None],
        heard: Callable[[str], bool],
    ) -> None:
        self._api = api
        self._tokens = tokens
        self._quota = quota
        self._chat_id = chat_id
        self._heard = heard

    async def deliver(self, text: str, reply_to: str) -> Delivery:
        """Say an answer into the open chat; YouTube has no threads. What is too long for it is cut."""
        del reply_to
        chat = self._chat_id()
        if chat is None:
            return Delivery("dropped", "no_chat")
        if not self._quota.take_for_speaking():
            return Delivery("dropped", "quota")
        try:
            said = await self._say(chat, fitting(text))
        except YouTubeAway as error:
            # Only what was surely not heard may be said again.
            return Delivery("later" if error.reason.startswith("Connect") else "dropped", error.reason)
        except YouTubeRefused as error:
            if error.reason in QUOTA:
                self._quota.exhaust()
            hasty = error.reason in HASTE or error.status == TOO_MANY_REQUESTS
            return Delivery("later" if hasty else "dropped", error.reason)
        if said is None:
            return Delivery("dropped", "logged_out")
        self._heard(own_key(said))  # or it would come back as somebody's words
        return Delivery("sent")

    async def _say(self, chat: str, text: str) -> str | None:
        token = await self._tokens.access()
        if token is None:
            return None
        try:
            return await self._api.say(chat, text, token=token)
        except YouTubeRefused as error:
            if error.status != UNAUTHORIZED:
                raise
        token = await self._tokens.access(anew=True)
        return None if token is None else await self._api.say(chat, text, token=token)


def fitting(text: str) -> str:
    """Return a text that is short enough for a live chat."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
