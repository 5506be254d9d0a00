"""Who is who at Twitch: logging in by a code, whose a token is, and renewing it (id.twitch.tv)."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import twitchio
from twitchio.authentication import OAuth, Scopes
from twitchio.http import Route

from bot.twitch.tokens import Account, TokenFile
from sakuga.errors import (
    ClientIdMissing,
    LoginDeclined,
    LoginExpired,
    LoginLapsed,
    LoginRefused,
    LoginUnreachable,
)
from sakuga.settings import Settings

TWITCH = "Twitch"
PAGE = "docs/how-to/twitch.md"
COMMAND = ".venv/bin/python -m sakuga login twitch"
CLIENT_ID, CLIENT_SECRET = "SAKUGA_TWITCH_CLIENT_ID", "SAKUGA_TWITCH_CLIENT_SECRET"
GRANT = "urn:ietf:params:oauth:grant-type:device_code"
SLOWER_S = 5  # what RFC 8628 adds to the interval for each slow_down
GOOD_FOR_S = 3660  # twitchio renews what is good for an hour or less, and shows it around before it can be kept
UNAUTHORISED = 401
SERVER_ERRORS = 500
AWAY = (aiohttp.ClientError, OSError, TimeoutError, ValueError)  # the last: an answer without JSON


@dataclass(frozen=True, slots=True)
class Code:
    """What a person enters at Twitch, where, and for how long it is good."""

    user_code: str
    url: str
    expires_in_s: float
    device_code: str
    interval_s: float


class Identity:
    """Asks Twitch about accounts. Raises LoginUnreachable wherever Twitch gives no answer."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession) -> None:
        if not settings.twitch_client_id:
            raise ClientIdMissing(setting=CLIENT_ID, page=PAGE)
        secret = settings.twitch_client_secret
        self._client_id = settings.twitch_client_id
        self._oauth = OAuth(
            client_id=self._client_id, client_secret=secret.get_secret_value() if secret else None, session=session
        )

    async def code(self, scopes: list[str]) -> Code:
        """Begin a login. Raises LoginRefused if Twitch does not know the application."""
        try:
            answer = await self._oauth.device_code_flow(scopes=Scopes(scopes))
        except twitchio.HTTPException as error:
            raise _refusal(error) from error
        except AWAY as error:
            raise LoginUnreachable(platform=TWITCH, reason=type(error).__name__) from error
        return Code(
            user_code=answer["user_code"],
            url=answer["verification_uri"],
            expires_in_s=float(answer["expires_in"]),
            device_code=answer["device_code"],
            interval_s=float(answer["interval"]),
        )

    async def granted(self, code: Code, scopes: list[str]) -> Account:
        """Wait until somebody has entered a code, and return who. Raises LoginDeclined, LoginExpired, LoginRefused.

        While Twitch is away it is asked on: the code stays good.
        """
        params = {"client_id": self._client_id, "scopes": Scopes(scopes).urlsafe(), "device_code": code.device_code}
        interval_s = code.interval_s
        try:
            async with asyncio.timeout(code.expires_in_s):
                while True:
                    await asyncio.sleep(interval_s)
                    try:
                        pair = await self._oauth.request_json(
                            Route("POST", "/oauth2/token", use_id=True, params={**params, "grant_type": GRANT})
                        )
                    except AWAY:
                        continue
                    except twitchio.HTTPException as error:
                        interval_s += SLOWER_S * (_pending(error, code) == "slow_down")
                        continue
                    return await self._owner(pair)
        except TimeoutError as error:
            raise _expiry(code) from error

    async def look(self, account: Account) -> twitchio.authentication.ValidateTokenPayload | None:
        """Return what Twitch says about an account's access token, or None if it takes it no more."""
        try:
            found = await self._oauth.validate_token(account.access_token)
        except twitchio.HTTPException as error:
            if error.status == UNAUTHORISED:
                return None
            raise LoginUnreachable(platform=TWITCH, reason=str(error.status)) from error
        except AWAY as error:
            raise LoginUnreachable(platform=TWITCH, reason=type(error).__name__) from error
        return found if found.client_id == self._client_id and found.user_id == account.user_id else None

    async def fresh(self, account: Account, tokens: TokenFile) -> Account:
        """Return an account with a token that is good for more than an hour, renewed and kept if need be.

        Raises LoginLapsed if Twitch takes neither of its tokens, LoginRefused if it is the application's fault.
        """
        found = await self.look(account)
        if found and found.expires_in > GOOD_FOR_S:
            return replace(account, scopes=tuple(found.scopes))
        return await self.renewed(account, tokens)

    async def renewed(self, account: Account, tokens: TokenFile) -> Account:
        """Return an account with a new pair of tokens, already kept. Raises LoginLapsed, LoginRefused."""
        try:
            pair = await self._oauth.refresh_token(account.refresh_token)
        except twitchio.HTTPException as error:
            if error.status >= SERVER_ERRORS or "client" in _reason(error):
                raise _refusal(error) from error
            newer = tokens.of(account.user_id)
            if newer and newer.refresh_token != account.refresh_token:  # another process of ours was first
                return await self.fresh(newer, tokens)
            raise LoginLapsed(platform=TWITCH, login=account.login, reason=_reason(error), command=COMMAND) from error
        except AWAY as error:
            raise LoginUnreachable(platform=TWITCH, reason=type(error).__name__) from error
        tokens.renew(account.user_id, pair.access_token, pair.refresh_token)
        scopes = tuple(pair.scope if isinstance(pair.scope, list) else pair.scope.split())
        return replace(account, access_token=pair.access_token, refresh_token=pair.refresh_token, scopes=scopes)

    async def give_back(self, account: Account) -> None:
        """Have Twitch forget a login, if it can be reached."""
        try:
            await self._oauth.revoke_token(account.access_token)
        except (*AWAY, twitchio.HTTPException):
            return

    async def _owner(self, pair: dict[str, Any]) -> Account:
        try:
            found = await self._oauth.validate_token(pair["access_token"])
        except twitchio.HTTPException as error:
            raise _refusal(error) from error
        return Account(
            user_id=str(found.user_id),
            login=str(found.login),
            scopes=tuple(found.scopes),
            access_token=pair["access_token"],
            refresh_token=pair["refresh_token"],
        )


def _pending(error: twitchio.HTTPException, code: Code) -> str:
    """Return why nothing has been granted yet, if something still may be. Raises what ends the login."""
    reason = _reason(error)
    if error.status >= SERVER_ERRORS or reason in {"authorization_pending", "slow_down"}:
        return reason
    if reason in {"access_denied", "authorization_denied"}:
        raise LoginDeclined(platform=TWITCH) from error
    if reason in {"expired_token", "invalid device code"}:
        raise _expiry(code) from error
    raise _refusal(error) from error


def _expiry(code: Code) -> LoginExpired:
    return LoginExpired(minutes=round(code.expires_in_s / 60))


def _refusal(error: twitchio.HTTPException) -> LoginRefused | LoginUnreachable:
    if error.status >= SERVER_ERRORS:
        return LoginUnreachable(platform=TWITCH, reason=str(error.status))
    setting = CLIENT_SECRET if "secret" in _reason(error) else CLIENT_ID
    return LoginRefused(platform=TWITCH, reason=_reason(error), setting=setting, page=PAGE)


def _reason(error: twitchio.HTTPException) -> str:
    return str(error.extra.get("message", "")).strip().lower() or str(error.status)
