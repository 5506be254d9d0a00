"""YouTube's API as far as the bot needs it: the live chat of a video, what is said there, and saying something."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from sakuga.settings import Settings

# https://developers.google.com/youtube/v3/live/docs/liveChatMessages
API = "https://youtube.googleapis.com"
TIMEOUT = httpx.Timeout(15, connect=5)
SHORTEST_POLL_S = 1.0
UNREADABLE = "unreadable"
UNAUTHORIZED = 401
GENERAL = frozenset({"badRequest", "forbidden"})
VIDEO = re.compile(r"(?:^|/live/|/embed/|/shorts/|youtu\.be/|/video/|[?&]v=)([A-Za-z0-9_-]{11})(?=$|[/?&#])")

Item = Mapping[str, Any]


class YouTubeAway(Exception):
    """YouTube was not reached, or had trouble of its own."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class YouTubeRefused(Exception):
    """YouTube turned a call down; `reason` is the word that its reference has for it."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class LiveChat:
    """The chat of a video. `id` is None while there is none: not begun, over, or turned off."""

    id: str | None
    live: bool
    """Whether the stream has begun; its chat may be open hours before."""
    channel: str
    at: datetime | None
    """YouTube's clock, if it told."""


@dataclass(frozen=True, slots=True)
class Page:
    """What was said since the page before, oldest first."""

    items: tuple[Item, ...]
    token: str | None = field(repr=False)
    pause_s: float
    offline: bool


def video_id(given: str) -> str | None:
    """Return the id of a video that is given so or by an address of it, or None if there is none in it."""
    found = VIDEO.search(given.strip())
    return found[1] if found else None


class YouTubeApi:
    """Calls one project's API. Every call raises YouTubeAway or YouTubeRefused.

    The key travels in a header, so that no address that somebody logs holds it.
    https://cloud.google.com/docs/authentication/api-keys-use#using-with-rest
    """

    def __init__(self, settings: Settings, http: httpx.AsyncClient) -> None:
        self._base = f"{(settings.youtube_api_base or API).rstrip('/')}/youtube/v3"
        self._key = settings.youtube_api_key.get_secret_value() if settings.youtube_api_key else ""
        self._http = http

    async def live_chat(self, video: str) -> LiveChat | None:
        """Return the chat of a video, or None if there is no such video."""
        answer = await self._call("GET", "/videos", {"part": "snippet,liveStreamingDetails", "id": video})
        for item in _entries(_read(answer), "items"):
            details, snippet = _inner(item, "liveStreamingDetails"), _inner(item, "snippet")
            chat = details.get("activeLiveChatId")
            live = bool(details.get("actualStartTime")) and not details.get("actualEndTime")
            channel = str(snippet.get("channelTitle") or "")[:100]
            return LiveChat(str(chat) if chat else None, live, channel, _date(answer))
        return None

    async def page(self, chat: str, token: str | None) -> Page:
        """Return what was said in a chat since the page that gave the token; without one, also from before."""
        asked = {"liveChatId": chat, "part": "id,snippet,authorDetails", "maxResults": "2000"}
        answer = _read(await self._call("GET", "/liveChat/messages", asked | ({"pageToken": token} if token else {})))
        wanted_ms, following = answer.get("pollingIntervalMillis"), answer.get("nextPageToken")
        pause_s = wanted_ms / 1000 if isinstance(wanted_ms, int | float) else 0.0
        return Page(
            tuple(_entries(answer, "items")),
            str(following) if following else None,
            max(pause_s, SHORTEST_POLL_S),
            bool(answer.get("offlineAt")),
        )

    async def say(self, chat: str, text: str, *, token: str) -> str:
        """Say something in a chat with an account's token, and return the id of the message."""
        body = {
            "snippet": {
                "liveChatId": chat,
                "type": "textMessageEvent",
                "textMessageDetails": {"messageText": text},
            }
        }
        answer = await self._call("POST", "/liveChat/messages", {"part": "snippet"}, token=token, json=body)
        return str(_read(answer).get("id") or "")

    async def own_channel(self, *, token: str) -> str:
        """Return the name of the channel that a token speaks for; empty if its account has none."""
        answer = await self._call("GET", "/channels", {"part": "snippet", "mine": "true"}, token=token)
        return next((str(_inner(item, "snippet").get("title") or "") for item in _entries(_read(answer), "items")), "")

    async def _call(
        self, method: str, path: str, asked: dict[str, str], *, token: str | None = None, json: Any = None
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {"X-Goog-Api-Key": self._key}
        try:
            answer = await self._http.request(
                method, self._base + path, params=asked, headers=headers, json=json, timeout=TIMEOUT
            )
        except httpx.HTTPError as error:
            raise YouTubeAway(type(error).__name__) from error
        except UnicodeEncodeError:  # its text holds the key
            raise YouTubeRefused(UNAUTHORIZED, "API_KEY_INVALID") from None
        if answer.is_server_error:
            raise YouTubeAway(str(answer.status_code))
        if not answer.is_success:
            raise YouTubeRefused(answer.status_code, _reason(answer))
        return answer


def _read(answer: httpx.Response) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError as error:
        raise YouTubeAway(UNREADABLE) from error
    if not isinstance(told, dict):
        raise YouTubeAway(UNREADABLE)
    return told


def _inner(item: Item, name: str) -> Item:
    found = item.get(name)
    return found if isinstance(found, dict) else {}


def _reason(answer: httpx.Response) -> str:
    """Return the word for a refusal; for a general one, what Google's own part of the answer says of it."""
    try:
        told = answer.json()["error"]
    except (ValueError, TypeError, KeyError):
        return "unknown"
    if not isinstance(told, dict):
        return "unknown"
    named = [entry.get("reason") for entry in _entries(told, "errors")]
    closer = [entry.get("reason") for entry in _entries(told, "details")]
    general = not named or named[0] in GENERAL
    return str(next((reason for reason in (closer + named if general else named) if reason), "unknown"))


def _entries(told: Mapping[str, Any], name: str) -> list[Item]:
    found = told.get(name)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _date(answer: httpx.Response) -> datetime | None:
    try:
        at = parsedate_to_datetime(answer.headers["Date"])
    except (KeyError, ValueError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
