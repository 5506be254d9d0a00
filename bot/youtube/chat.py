"""YouTube's live chat: read as often as the day's quota allows, passed on as news, answered if that is wanted."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx

from bot.line import Line
from bot.memory import Memory
from bot.news import News, OnAir
from bot.outbox import MOST_WAITING, Outbox, Reply
from bot.presence import Listener, Presence
from bot.stumble import named
from bot.youtube.api import UNREADABLE, Item, LiveChat, YouTubeApi, YouTubeAway, YouTubeRefused, video_id
from bot.youtube.news import key_of, news_of, published
from bot.youtube.quota import LOOK_UP, READ, Quota
from bot.youtube.tokens import GoogleLogin, YouTubeTokens
from bot.youtube.voice import HASTE, QUOTA, TOO_MANY_REQUESTS, Voice
from sakuga.chat import ChatPolicy
from sakuga.log import get_logger
from sakuga.settings import Settings

FIRST_PAUSE_S, LONGEST_PAUSE_S = 2.0, 60.0
FIRST_IDLE_S, LONGEST_IDLE_S = 30.0, 240.0  # a look costs one unit
LOCKED_OUT_PAUSE_S = 300.0
LONGEST_SLEEP_S = 600.0  # a PC that slept itself must not miss the hour
EARLY_PAUSE_S = 120.0  # before the stream begins; what is saved is there when it has
LATE = timedelta(minutes=15)  # who asked so long ago is not served any more; takings-back still count
SLOW_S = 15.0  # from here on the pace is worth a word
ENDED = frozenset({"liveChatEnded", "liveChatDisabled", "liveChatNotFound"})
STALE = frozenset({"pageTokenInvalid", "invalidPageToken"})
NOT_FOUND = 404
NOTE = "youtube"
HELP = "docs/how-to/youtube.md"

log = get_logger("bot")


def missing(settings: Settings) -> list[str]:
    """Return the names of the settings that reading still needs; none when the chat can be read."""
    needed = ("youtube_api_key", "youtube_video")
    return [f"SAKUGA_{name.upper()}" for name in needed if not getattr(settings, name)]


class YouTube:
    """One video's live chat. What was said before the bot began is not passed on, and nothing is twice.

    What was paid and taken back while it was started again is: it goes on where the bot before it had read to.

    `on_air` says whether this video's beginning and end are the stream's: not where Twitch tells of them.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        http: httpx.AsyncClient,
        hear: Callable[[News], None],
        memory: Memory,
        gateway: Listener,
        chat: Callable[[], ChatPolicy],
        on_air: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._hear = hear
        self._memory = memory
        self._policy = chat
        self._on_air = on_air
        self._live: bool | None = None
        self._now = now
        self._sleep = sleep
        self._api = YouTubeApi(settings, http)
        self._video = video_id(settings.youtube_video or "")
        self._chat: LiveChat | None = None
        self._token: str | None = None
        self._began = now()
        self._since: datetime | None = None
        self._ahead: timedelta | None = None  # how far YouTube's clock is before ours
        self._spent_until: datetime | None = None
        self._away_s = self._idle_s = 0.0
        self._presence = Presence(gateway, "youtube")
        self.quota = Quota(settings.var_dir / "youtube-quota.json", settings.youtube_quota, now=now)
        self.tokens = YouTubeTokens(settings, GoogleLogin(settings, http), now=now)
        self.voice = Voice(self._api, self.tokens, self.quota, chat_id=self._chat_id, heard=memory.heard)
        self._outbox = Outbox(busy=MOST_WAITING + 1, sleep=sleep)  # a message is too short to be shared

    async def attend(self) -> None:
        """Read the chat and say what `answer` leaves, until cancelled. Without a key or a video it only waits."""
        if names := missing(self._settings):
            if len(names) == 1:
                log.info("youtube.quiet", missing=names[0], help=HELP)
            await asyncio.Event().wait()
        self._is("away", "The live chat is being looked for.")
        async with asyncio.TaskGroup() as group:
            group.create_task(self._outbox.run(self.voice))
            group.create_task(self._presence.run())
            group.create_task(self._read_on())

    def answer(self, text: str, message_id: str, name: str = "") -> None:
        """Leave an answer to be said, if the studio file lets the bot speak here and somebody is logged in."""
        if self._policy().youtube_replies and self._chat_id() and self.tokens.kept():
            self._outbox.put(Reply(text, message_id, name).addressed, message_id)

    def _chat_id(self) -> str | None:
        return self._chat.id if self._chat else None

    async def _read_on(self) -> None:
        while True:
            try:
                pause_s = await self._step()
            except YouTubeAway as error:
                pause_s = self._lost(error)
            except YouTubeRefused as error:
                pause_s = self._turned_down(error)
            except Exception as error:  # noqa: BLE001 - it may cost a reading, but no other chat and no job
                log.error("youtube.stumbled", error=named(error))  # noqa: TRY400 - its text may hold a token
                pause_s = self._lost(YouTubeAway(UNREADABLE))
            else:
                self._away_s = 0.0
            await self._sleep(pause_s)

    async def _step(self) -> float:
        """Make the next calls, and return the seconds until those after them."""
        if self._chat is None or not self._chat.live:
            pause_s = await self._find()
            if self._chat is None or pause_s:
                return pause_s
        return await self._read(self._chat)

    # --- the chat ----------------------------------------------------------------------------------------------------

    async def _find(self) -> float:
        """Look for the chat of the video, and return 0 if it is there, else the seconds until the next look."""
        if self._video is None:
            self._is("away", "SAKUGA_YOUTUBE_VIDEO holds no video: set it to the address of the live video.")
            return LOCKED_OUT_PAUSE_S
        if not self.quota.take(LOOK_UP):
            return self._spent()
        found = await self._api.live_chat(self._video)
        if found is None:
            return self._gone(f"There is no video {self._video}: check SAKUGA_YOUTUBE_VIDEO.")
        if found.at and self._ahead is None:
            self._ahead = found.at - self._now()
            self._began += self._ahead
        if found.id is None:
            return self._gone("The video has no live chat now. It is looked for again.")
        if self._chat is None:
            log.info("youtube.ready", channel=found.channel)
        if found.id != self._chat_id():
            self._token = None
            self._since = self._reached(found.id)
        self._chat, self._idle_s = found, 0.0
        self._turn(live=found.live)
        return 0.0

    async def _read(self, chat: LiveChat) -> float:
        """Read what is new in a chat, and return the seconds until the next call."""
        if not self.quota.take(READ):
            return self._spent()
        page = await self._api.page(str(chat.id), self._token)
        self._token = page.token
        for item in page.items:
            self._pass_on(item)
        newest = max([self._began, *filter(None, map(published, page.items))])
        self._memory.note(NOTE, f"{chat.id} {newest.isoformat()}")
        if page.offline or any(_kind(item) == "chatEndedEvent" for item in page.items):
            return self._gone("The stream is over.")
        pause_s = max(page.pause_s, self.quota.pause_s(self._policy().youtube_hours))
        if not chat.live:
            pause_s = max(pause_s, EARLY_PAUSE_S)
            self._is("listening", f"The stream has not begun. Until then the chat is read every {pause_s:.0f} s.")
            return pause_s
        self.quota.listened(pause_s)
        slow = f"Read every {pause_s:.0f} s, so that the quota lasts." if pause_s > SLOW_S else None
        self._is("listening", slow)
        return pause_s

    def _pass_on(self, item: Item) -> None:
        at = published(item)
        if at is None or at < min(self._since or self._began, self._began) or self._memory.heard(key_of(item)):
            return
        late = at < self._began or self._now() + (self._ahead or timedelta()) - at > LATE
        try:
            told = news_of(item)
        except ValueError as error:
            log.warning("youtube.unread", kind=_kind(item), error=type(error).__name__)
            return
        for news in told:
            if late and isinstance(news, Line):
                log.info("youtube.late", message_id=news.id)
            else:
                self._hear(news)

    def _reached(self, chat_id: str) -> datetime | None:
        """Return how far the bot before this one has read that chat, or None if it has not."""
        chat, _, at = self._memory.noted(NOTE).partition(" ")
        return datetime.fromisoformat(at) if chat == chat_id else None

    # --- when it does not work ---------------------------------------------------------------------------------------

    def _lost(self, error: YouTubeAway) -> float:
        self._away_s = min(max(self._away_s * 2, FIRST_PAUSE_S), LONGEST_PAUSE_S)
        log.warning("youtube.unreachable", error=error.reason, retry_s=self._away_s)
        self._is("away", "YouTube is not answering. It is asked again.")
        return self._away_s

    def _turned_down(self, error: YouTubeRefused) -> float:
        if error.reason in QUOTA:
            self.quota.exhaust()
            return self._spent()
        if error.reason in HASTE or error.status == TOO_MANY_REQUESTS:
            self._away_s = min(max(self._away_s * 2, FIRST_PAUSE_S * 2), LONGEST_PAUSE_S)
            log.info("youtube.hasty", retry_s=self._away_s)
            return self._away_s
        if error.reason in STALE and self._token:
            self._token = None
            return FIRST_PAUSE_S
        if self._chat and (error.reason in ENDED or error.status == NOT_FOUND):
            return self._gone("The live chat is over, or was turned off.")
        log.error("youtube.refused", status=error.status, reason=error.reason, help=HELP)
        self._is("revoked", f"It refused ({error.reason}): check SAKUGA_YOUTUBE_API_KEY and the video.")
        return LOCKED_OUT_PAUSE_S

    def _gone(self, detail: str) -> float:
        if self._chat:
            log.info("youtube.gone", reason=detail)
        self._chat = self._token = None
        self._turn(live=False)
        self._is("away", detail)
        self._idle_s = min(max(self._idle_s * 2, FIRST_IDLE_S), LONGEST_IDLE_S)
        return self._idle_s

    def _spent(self) -> float:
        until = self.quota.resets_at
        if until != self._spent_until:
            self._spent_until = until
            log.warning("youtube.quota_spent", used=self.quota.used, resets_at=until.isoformat())
        self._is("away", f"The day's quota is used up. It begins anew at {until:%H:%M} UTC.")
        return min(self.quota.resets_in_s + 1, LONGEST_SLEEP_S)

    def _turn(self, *, live: bool) -> None:
        if self._on_air and live != self._live:
            self._live = live
            self._hear(OnAir(live))

    def _is(self, state: str, detail: str | None = None) -> None:
        quota = {"used": self.quota.used, "limit": self.quota.limit, "resets_at": self.quota.resets_at.isoformat()}
        channel = self._chat.channel or None if self._chat else None
        self._presence.say(state=state, detail=detail, channel=channel, quota=quota)


def _kind(item: Item) -> str:
    snippet = item.get("snippet")
    return str(snippet.get("type")) if isinstance(snippet, dict) else ""
