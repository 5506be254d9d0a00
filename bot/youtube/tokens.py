"""The token by which the bot speaks on YouTube: kept for its owner only, and renewed when it has run out."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from bot.youtube.api import TIMEOUT, UNREADABLE, YouTubeAway
from sakuga.log import get_logger
from sakuga.settings import Settings

# https://developers.google.com/youtube/v3/guides/auth/devices
GOOGLE = "https://oauth2.googleapis.com"
# Not youtube.force-ssl, which would do: the device flow grants few scopes, and this is one.
SCOPE = "https://www.googleapis.com/auth/youtube"
EARLY_S = 60.0

log = get_logger("bot")


@dataclass(frozen=True, slots=True)
class YouTubeToken:
    """A user token and what renews it, of which neither shows in logs.

    `channel` is the name of whose it is; `expires_at` is in seconds since 1970.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: float
    channel: str = ""


class TokenRefused(Exception):
    """Google took a login, or what renews it, no more; `reason` is the word that it gave."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class GoogleLogin:
    """Asks Google for tokens. Every call raises YouTubeAway or TokenRefused. Secrets travel in bodies only."""

    def __init__(self, settings: Settings, http: httpx.AsyncClient) -> None:
        self._base = (settings.youtube_api_base or GOOGLE).rstrip("/")
        secret = settings.youtube_client_secret
        self._client = {
            "client_id": settings.youtube_client_id or "",
            "client_secret": secret.get_secret_value() if secret else "",
        }
        self._http = http

    async def device(self) -> dict[str, Any]:
        """Begin a login: the answer has `device_code`, `user_code`, `verification_url`, `interval` and `expires_in`."""
        return await self._post("/device/code", {"client_id": self._client["client_id"], "scope": SCOPE})

    async def granted(self, device_code: str) -> dict[str, Any]:
        """Return the tokens of a login. Raises TokenRefused("authorization_pending") until somebody has agreed."""
        asked = {"device_code": device_code, "grant_type": "urn:ietf:params:oauth:grant-type:device_code"}
        return await self._post("/token", self._client | asked)

    async def renewed(self, refresh_token: str) -> dict[str, Any]:
        """Return a new access token."""
        return await self._post(
            "/token", self._client | {"refresh_token": refresh_token, "grant_type": "refresh_token"}
        )

    async def revoke(self, token: str) -> None:
        """Make a login worthless."""
        await self._post("/revoke", {"token": token})

    async def _post(self, path: str, data: dict[str, str]) -> dict[str, Any]:
        try:
            answer = await self._http.post(self._base + path, data=data, timeout=TIMEOUT)
            told = answer.json()
        except httpx.HTTPError as error:
            raise YouTubeAway(type(error).__name__) from error
        except ValueError as error:
            raise YouTubeAway(UNREADABLE) from error
        if answer.is_server_error or not isinstance(told, dict):
            raise YouTubeAway(str(answer.status_code))
        if not answer.is_success:
            raise TokenRefused(str(told.get("error") or told.get("error_code") or answer.status_code))
        return told


class YouTubeTokens:
    """Keeps one token in `var/youtube-token.json`, and renews it."""

    def __init__(self, settings: Settings, login: GoogleLogin, *, now: Callable[[], datetime]) -> None:
        self.path = path_of(settings)
        self._login = login
        self._now = now
        self._refused = ""
        self._unsaved: tuple[str, YouTubeToken] | None = None  # what the file still has, and what is newer

    def kept(self) -> YouTubeToken | None:
        """Return the token that is kept, or None if nobody is logged in."""
        try:
            told = json.loads(self.path.read_text(encoding="utf-8"))
            access, refresh = str(told["access_token"]), str(told["refresh_token"])
            return YouTubeToken(access, refresh, float(told["expires_at"]), str(told["channel"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            log.warning("tokens.unreadable", path=str(self.path), error=type(error).__name__)
            return None

    async def access(self, *, anew: bool = False) -> str | None:
        """Return a token that can be used now, or None if nobody is logged in or Google takes the login no more.

        `anew` renews it also before its time. Raises YouTubeAway.
        """
        kept = self.kept()
        if kept is None:
            return None
        token = self._unsaved[1] if self._unsaved and self._unsaved[0] == kept.access_token else kept
        if token.refresh_token == self._refused:
            return None
        if not anew and token.expires_at - EARLY_S > self._now().timestamp():
            return token.access_token
        try:
            told = await self._login.renewed(token.refresh_token)
        except TokenRefused as error:
            self._refused = token.refresh_token
            log.warning("youtube.locked_out", reason=error.reason, help="docs/how-to/youtube.md")
            return None
        fresh = replace(
            token,
            access_token=str(told["access_token"]),
            refresh_token=str(told.get("refresh_token") or token.refresh_token),
            expires_at=expiry(told, self._now()),
        )
        try:
            self.save(fresh)
        except OSError as error:  # a full disk is no reason to fall silent, nor to renew it for each answer
            log.error("token.unsaved", error=type(error).__name__)  # noqa: TRY400 - no traceback near a token
            self._unsaved = (kept.access_token, fresh)
        log.info("token.refreshed")
        return fresh.access_token

    def save(self, token: YouTubeToken) -> None:
        """Keep a token. After a crash at any moment the file holds either the old one or this one."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(asdict(token), file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)

    def forget(self) -> bool:
        """Delete the token, and return whether there was one."""
        there = self.path.exists()
        self.path.unlink(missing_ok=True)
        return there


def path_of(settings: Settings) -> Path:
    """Return where the token is kept."""
    return settings.var_dir / "youtube-token.json"


def expiry(told: dict[str, Any], now: datetime) -> float:
    """Return when a token runs out that Google gave just now."""
    return now.timestamp() + float(told.get("expires_in") or 0)
