"""FakeTwitch's accounts: codes that people enter, tokens, and who they belong to (id.twitch.tv)."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from aiohttp import web

from bot.twitch.tokens import Account
from tests.fakes.twitch_server import CLIENT_ID, CLIENT_SECRET, LOGINS, TwitchServer, error

SCOPES = ("user:read:chat", "user:write:chat", "channel:manage:redemptions", "channel:moderate", "bits:read")
"""All that the bot ever asks for."""


@dataclass
class _Asked:
    """A code that was given out: for what, and what came of it."""

    scopes: tuple[str, ...]
    by: str | None = None  # who entered it
    came_to: str = "authorization_pending"


class TwitchId(TwitchServer):
    """Issue tokens with `log_in`, or `enter` the code that the bot shows. A refresh token works once."""

    def __init__(self) -> None:
        super().__init__()
        self.owner_of: dict[str, str] = {}  # access token -> user id
        self.renews: dict[str, str] = {}  # refresh token -> user id; each works once
        self.scopes_of: dict[str, tuple[str, ...]] = {}  # access or refresh token -> what it is good for
        self.expires_in = 14_000
        self.refreshes = 0
        self.refused: list[int | str] = []
        self.confidential = False  # whether the application has to show its secret
        self.codes: dict[str, _Asked] = {}  # device code -> what came of it
        self.code_good_for_s = 1800.0
        self.polls = 0
        self.next_polls: list[str | int] = []  # what the next polls are told instead: a message or a status
        self.shown: list[str] = []  # the token of each request
        self.silent_to: set[str] = set()  # requests with such a token get no answer; "renewed": any that was renewed
        self.clock_ahead_s = 0.0
        self._renewed: set[str] = set()

    def routes(self) -> Sequence[web.RouteDef]:
        """Return those of id.twitch.tv."""
        return [
            *super().routes(),
            web.post("/oauth2/device", self._device),
            web.post("/oauth2/token", self._token),
            web.post("/oauth2/revoke", self._revoke),
            web.get("/oauth2/validate", self._validate),
        ]

    def log_in(self, user_id: str, scopes: Sequence[str] = SCOPES) -> tuple[str, str]:
        """Return an access token and a refresh token of an account."""
        access, refresh = f"access-{uuid.uuid4().hex}", f"refresh-{uuid.uuid4().hex}"
        self.owner_of[access] = self.renews[refresh] = user_id
        self.scopes_of[access] = self.scopes_of[refresh] = tuple(scopes)
        return access, refresh

    def account(self, user_id: str, scopes: Sequence[str] = SCOPES) -> Account:
        """Return an account that has logged in."""
        access, refresh = self.log_in(user_id, scopes)
        return Account(user_id, LOGINS[user_id], tuple(scopes), access, refresh)

    def expire_tokens(self) -> None:
        """Let every access token run out. Refresh tokens stay."""
        self.owner_of.clear()

    def caller(self, request: web.Request, *scopes: str) -> str | None:
        """Return whose user token a request shows, or None where it is good for nothing or lacks one of the scopes."""
        token = request.headers.get("Authorization", "").rpartition(" ")[2]
        return self.owner_of.get(token) if set(scopes) <= set(self.scopes_of.get(token, ())) else None

    async def arrived(self, request: web.Request) -> None:
        """Note the token, and stay silent if that was asked for."""
        await super().arrived(request)
        if token := request.headers.get("Authorization", "").rpartition(" ")[2]:
            self.shown.append(token)
            await self.notice()
            if self.silent_to & {token, "renewed" if token in self._renewed else ""}:
                await asyncio.Event().wait()

    async def enter(self, user_id: str, *, without: str = "") -> None:
        """Enter the code that was shown last, as somebody at Twitch; `without` is a scope that is not granted."""
        await self.wait_for(lambda: self.codes)
        asked = list(self.codes.values())[-1]
        asked.by, asked.scopes = user_id, tuple(scope for scope in asked.scopes if scope != without)

    async def end_code(self, how: str) -> None:
        """Have the code that was shown last come to nothing: `access_denied`, or `invalid device code`."""
        await self.wait_for(lambda: self.codes)
        list(self.codes.values())[-1].came_to = how

    async def _device(self, request: web.Request) -> web.Response:
        if request.query["client_id"] != CLIENT_ID:
            return error(400, "invalid client")
        device_code, user_code = uuid.uuid4().hex, uuid.uuid4().hex[:8].upper()
        self.codes[device_code] = _Asked(tuple(request.query["scopes"].split()))
        await self.notice()
        told = {"device_code": device_code, "user_code": user_code, "interval": 0.01}
        url = f"{self.url}/activate?device-code={user_code}"
        return web.json_response({**told, "expires_in": self.code_good_for_s, "verification_uri": url})

    async def _token(self, request: web.Request) -> web.Response:
        asked = request.query
        if "device_code" in asked:
            return await self._poll(asked["device_code"])
        if asked["client_id"] != CLIENT_ID or asked.get("client_secret", CLIENT_SECRET) != CLIENT_SECRET:
            return error(403, "invalid client secret")
        if self.confidential and "client_secret" not in asked:
            return error(400, "missing client secret")
        if asked["grant_type"] != "refresh_token" or asked["refresh_token"] not in self.renews:
            self.refused.append("refresh token")
            await self.notice()
            return error(400, "Invalid refresh token")
        scopes = self.scopes_of[asked["refresh_token"]]
        access, refresh = self.log_in(self.renews.pop(asked["refresh_token"]), scopes)
        self.refreshes += 1
        self._renewed.add(access)
        await self.notice()
        return self._pair(access, refresh)

    async def _poll(self, device_code: str) -> web.Response:
        self.polls += 1
        await self.notice()
        if self.next_polls:
            told = self.next_polls.pop(0)
            return error(told, "try again") if isinstance(told, int) else error(400, told)
        asked = self.codes[device_code]
        if asked.by is None:
            return error(400, asked.came_to)
        user_id, asked.by, asked.came_to = asked.by, None, "invalid device code"
        return self._pair(*self.log_in(user_id, asked.scopes))

    def _pair(self, access: str, refresh: str) -> web.Response:
        pair = {"access_token": access, "refresh_token": refresh, "expires_in": self.expires_in}
        return web.json_response({**pair, "scope": list(self.scopes_of[access]), "token_type": "bearer"})

    async def _revoke(self, request: web.Request) -> web.Response:
        if self.owner_of.pop(request.query["token"], None) is None:
            return error(400, "Invalid token")
        await self.notice()
        return web.Response()

    async def _validate(self, request: web.Request) -> web.Response:
        user_id = self.caller(request)
        date = {"Date": format_datetime(datetime.now(UTC) + timedelta(seconds=self.clock_ahead_s), usegmt=True)}
        if user_id is None:
            return web.json_response({"status": 401, "message": "invalid access token"}, status=401, headers=date)
        token = request.headers["Authorization"].rpartition(" ")[2]
        about = {"client_id": CLIENT_ID, "login": LOGINS[user_id], "user_id": user_id}
        scopes = {"scopes": list(self.scopes_of[token]), "expires_in": self.expires_in}
        return web.json_response({**about, **scopes}, headers=date)
