"""FakeYouTube: the parts of YouTube and of Google's login that the bot touches, on a loopback port."""

import asyncio
import itertools
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

from aiohttp import web

API_KEY, CLIENT_ID, CLIENT_SECRET = "a-youtube-api-key", "a-google-client", "a-google-secret"
VIDEO, CHAT, CHANNEL = "dQw4w9WgXcQ", "Cg0KC2RRdzR3OVdnWGNR", "Streamer Studio"
OWNER, MODERATOR, MIKA, JO = "UCowner", "UCmoderator", "UCmika", "UCjo"
HANDLES = {OWNER: "@streamer", MODERATOR: "@alice", MIKA: "@mika", JO: "@jo"}
COSTS = {"/videos": 1, "/channels": 1, "/liveChat/messages": 5}
INSERT = 20
LONGEST = 200


def _error(status: int, reason: str, *, details: list[dict[str, Any]] | None = None) -> web.Response:
    entry = {"message": f"<code>{reason}</code>", "domain": "youtube.liveChat", "reason": reason}
    body = {"code": status, "message": reason, "errors": [entry], "details": details or []}
    return web.json_response({"error": body}, status=status)


class FakeYouTube:
    """One live video. `say` things there, look at what was `asked` and `said`; inject faults by `next_errors`.

    It lives by the clock that it is given, counts units by day as YouTube does, and turns away who polls too fast.
    """

    def __init__(self, *, now: Callable[[], datetime] = lambda: datetime.now(UTC), ahead_s: float = 0) -> None:
        self.chat: str | None = CHAT
        self.exists = True
        self.live = True
        self.offline = False
        self.polling_ms = 1
        self.edition = 1  # of the pages; tokens of another one are not known
        self.limit = 10_000
        self.next_errors: list[tuple[int, str]] = []
        self.asked: list[tuple[str, datetime]] = []
        self.said: list[str] = []
        self.urls: list[str] = []
        self.items: list[dict[str, Any]] = []
        self.agreed: bool | None = None
        self.refreshes = 0
        self.hasty = 0
        self.expires_in = 3600
        self.interval = 5
        self._now = now
        self._ahead = timedelta(seconds=ahead_s)
        self._spent: dict[str, int] = {}
        self._may_poll_at: datetime | None = None
        self._tokens: set[str] = set()
        self._renews: set[str] = set()
        self._devices: dict[str, datetime] = {}
        self._numbers = itertools.count(1)
        self._changed = asyncio.Condition()
        self._port = 0
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.shut()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def now(self) -> datetime:
        """What this server's clock shows."""
        return self._now() + self._ahead

    @property
    def spent(self) -> int:
        """Units of this day that are gone."""
        return self._spent.get(self._day(), 0)

    def settings(self, **changes: object) -> dict[str, object]:
        """Return the settings, by field, of a bot that reads the video's chat."""
        login = {"youtube_client_id": CLIENT_ID, "youtube_client_secret": CLIENT_SECRET}
        return {"youtube_api_base": self.url, "youtube_api_key": API_KEY, "youtube_video": VIDEO, **login, **changes}

    async def open(self) -> None:
        app = web.Application()
        app.router.add_get("/youtube/v3/videos", self._videos)
        app.router.add_get("/youtube/v3/channels", self._channels)
        app.router.add_get("/youtube/v3/liveChat/messages", self._messages)
        app.router.add_post("/youtube/v3/liveChat/messages", self._insert)
        app.router.add_post("/device/code", self._device)
        app.router.add_post("/token", self._token)
        app.router.add_post("/revoke", self._revoke)
        app.on_response_prepare.append(self._date)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()
        self._port = self._runner.addresses[0][1]

    async def shut(self) -> None:
        """Go away: every connection breaks."""
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def wait_for(self, predicate: Callable[[], object], *, within_s: float = 20) -> None:
        async with self._changed, asyncio.timeout(within_s):
            await self._changed.wait_for(predicate)

    def asked_for(self, path: str) -> list[datetime]:
        """Return when something was asked for."""
        return [at for asked, at in self.asked if asked == path]

    # -- the chat -----------------------------------------------------------------------------------------------------

    def say(self, text: str, *, by: str = MIKA, **more: Any) -> str:
        """Say a message, and return its id."""
        return self.happens("textMessageEvent", by=by, textMessageDetails={"messageText": text}, **more)

    def happens(
        self,
        kind: str,
        *,
        by: str | None = MIKA,
        at: datetime | None = None,
        name: str | None = None,
        flags: tuple[str, ...] = (),
        id: str | None = None,
        **details: Any,
    ) -> str:
        """Let an item of a kind come into the chat, and return its id."""
        given = id or f"LCC.{next(self._numbers):04d}"
        snippet = {"type": kind, "liveChatId": CHAT, "publishedAt": (at or self.now).isoformat(), **details}
        author = {
            "channelId": by,
            "displayName": name or HANDLES.get(by or "", ""),
            **{flag: flag in flags for flag in ("isChatOwner", "isChatModerator", "isChatSponsor", "isVerified")},
        }
        item: dict[str, Any] = {"kind": "youtube#liveChatMessage", "etag": "e", "id": given, "snippet": snippet}
        self.items.append(item | ({"authorDetails": author} if by else {}))
        return given

    # -- youtube.googleapis.com ---------------------------------------------------------------------------------------

    async def _videos(self, request: web.Request) -> web.Response:
        if refused := await self._door(request, "/videos", 1):
            return refused
        if not self.exists or request.query["id"] != VIDEO:
            return web.json_response({"kind": "youtube#videoListResponse", "items": []})
        assert "liveStreamingDetails" in request.query["part"]
        live: dict[str, str] = {"actualStartTime": self.now.isoformat()} if self.live else {}
        live |= {"activeLiveChatId": self.chat} if self.chat else {"actualEndTime": self.now.isoformat()}
        snippet = {"channelTitle": CHANNEL, "title": "Live!"}
        return web.json_response({"items": [{"id": VIDEO, "snippet": snippet, "liveStreamingDetails": live}]})

    async def _channels(self, request: web.Request) -> web.Response:
        if refused := await self._door(request, "/channels", 1, login=True):
            return refused
        return web.json_response({"items": [{"id": OWNER, "snippet": {"title": CHANNEL}}]})

    async def _messages(self, request: web.Request) -> web.Response:
        if refused := await self._door(request, "/liveChat/messages", 5):
            return refused
        if self.chat is None:
            return _error(403, "liveChatEnded")
        if request.query["liveChatId"] != self.chat:
            return _error(404, "liveChatNotFound")
        if self._may_poll_at and self.now < self._may_poll_at:
            self.hasty += 1
            return _error(403, "rateLimitExceeded")
        first = f"page-{self.edition}-0"
        edition, _, number = request.query.get("pageToken", first).removeprefix("page-").partition("-")
        if edition != str(self.edition):
            return _error(400, "pageTokenInvalid")
        self._may_poll_at = self.now + timedelta(milliseconds=self.polling_ms)
        new = self.items[int(number) :]
        following = f"page-{self.edition}-{len(self.items)}"
        page: dict[str, Any] = {"nextPageToken": following, "pollingIntervalMillis": self.polling_ms}
        over = {"offlineAt": self.now.isoformat()} if self.offline else {}
        return web.json_response({"kind": "youtube#liveChatMessageListResponse", **page, **over, "items": new})

    async def _insert(self, request: web.Request) -> web.Response:
        if refused := await self._door(request, "/liveChat/messages POST", INSERT, login=True):
            return refused
        snippet = (await request.json())["snippet"]
        text = snippet["textMessageDetails"]["messageText"]
        if snippet["liveChatId"] != self.chat:
            return _error(404, "liveChatNotFound")
        if not 0 < len(text) <= LONGEST:
            return _error(400, "messageTextInvalid")
        self.said.append(text)
        given = self.say(text, by=OWNER, flags=("isChatOwner",))
        await self._notice()
        return web.json_response({"kind": "youtube#liveChatMessage", "id": given, "snippet": snippet})

    async def _door(self, request: web.Request, path: str, units: int, *, login: bool = False) -> web.Response | None:
        """Count a call, and return what turns it away if anything does. Calls that are turned away cost as well."""
        self.asked.append((path, self.now))
        self.urls.append(str(request.url))
        self._spent[self._day()] = self.spent + units
        await self._notice()
        if self.next_errors:
            status, reason = self.next_errors.pop(0)
            return web.Response(status=status, text="oops") if status >= 500 else _error(status, reason)
        if self.spent > self.limit:
            return _error(403, "quotaExceeded")
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if login:
            return None if bearer in self._tokens else _error(401, "authError")
        if request.headers.get("X-Goog-Api-Key") == API_KEY:
            return None
        why = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
        return _error(400, "badRequest", details=[why])

    # -- oauth2.googleapis.com ----------------------------------------------------------------------------------------

    def log_in(self) -> dict[str, Any]:
        """Return the tokens of a login, as Google gives them."""
        access, refresh = f"access-{uuid.uuid4().hex}", f"refresh-{uuid.uuid4().hex}"
        self._tokens.add(access)
        self._renews.add(refresh)
        return {"access_token": access, "refresh_token": refresh, "expires_in": self.expires_in, "token_type": "Bearer"}

    def expire_tokens(self) -> None:
        self._tokens.clear()

    def withdraw(self) -> None:
        """Take the login back, as the streamer can in the settings of the Google account."""
        self._tokens.clear()
        self._renews.clear()

    async def _device(self, request: web.Request) -> web.Response:
        asked = await request.post()
        if asked["client_id"] != CLIENT_ID:
            return web.json_response({"error": "invalid_client"}, status=401)
        if asked["scope"] != "https://www.googleapis.com/auth/youtube":
            return web.json_response({"error": "invalid_scope"}, status=400)
        code = uuid.uuid4().hex
        self._devices[code] = self.now
        told = {"device_code": code, "user_code": "GQVQ-JKEC", "verification_url": "https://www.google.com/device"}
        return web.json_response({**told, "expires_in": 1800, "interval": self.interval})

    async def _token(self, request: web.Request) -> web.Response:
        asked = await request.post()
        self.asked.append((f"/token {asked['grant_type']}", self.now))
        if (asked["client_id"], asked["client_secret"]) != (CLIENT_ID, CLIENT_SECRET):
            return web.json_response({"error": "invalid_client"}, status=401)
        if asked["grant_type"] == "refresh_token":
            return self._refresh(str(asked["refresh_token"]))
        return self._granted(str(asked["device_code"]))

    def _granted(self, code: str) -> web.Response:
        since = self._devices.get(code)
        if since is None:
            return web.json_response({"error": "invalid_grant"}, status=400)
        if self.now - since < timedelta(seconds=5):
            return web.json_response({"error": "slow_down"}, status=403)
        self._devices[code] = self.now
        if self.agreed is None:
            return web.json_response({"error": "authorization_pending"}, status=428)
        if not self.agreed:
            return web.json_response({"error": "access_denied"}, status=403)
        del self._devices[code]
        return web.json_response(self.log_in())

    def _refresh(self, token: str) -> web.Response:
        if token not in self._renews:
            return web.json_response({"error": "invalid_grant"}, status=400)
        self.refreshes += 1
        access = f"access-{uuid.uuid4().hex}"
        self._tokens.add(access)
        return web.json_response({"access_token": access, "expires_in": self.expires_in, "token_type": "Bearer"})

    async def _revoke(self, request: web.Request) -> web.Response:
        token = str((await request.post())["token"])
        if token not in self._renews | self._tokens:
            return web.json_response({"error": "invalid_token"}, status=400)
        self.withdraw()
        return web.json_response({})

    # -- the rest -----------------------------------------------------------------------------------------------------

    async def _date(self, _: web.Request, response: web.StreamResponse) -> None:
        response.headers["Date"] = format_datetime(self.now.astimezone(UTC), usegmt=True)

    async def _notice(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _day(self) -> str:
        return self.now.astimezone(ZoneInfo("America/Los_Angeles")).date().isoformat()
