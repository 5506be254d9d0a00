"""Logging in to YouTube with a code, which only answering there needs: reading does with the API key."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx

from bot.youtube.api import YouTubeApi, YouTubeAway, YouTubeRefused
from bot.youtube.tokens import GoogleLogin, TokenRefused, YouTubeToken, YouTubeTokens, expiry
from sakuga.errors import ClientIdMissing, LoginDeclined, LoginExpired, LoginRefused, LoginUnreachable
from sakuga.settings import Settings
from sakuga.studio_file import StudioFile

GOOGLE = "Google"
COMMAND = ".venv/bin/python -m sakuga login youtube"
PAGE = "docs/how-to/youtube.md"
SETTING = "SAKUGA_YOUTUBE_CLIENT_ID and SAKUGA_YOUTUBE_CLIENT_SECRET"
SLOWER_S = 5.0  # as RFC 8628 has it for `slow_down`
EXPIRED = frozenset({"expired_token", "invalid_grant"})

Say = Callable[[str], object]
Sleep = Callable[[float], Awaitable[None]]


def say(line: str) -> None:
    """Print a line at once: somebody waits for it."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def run(
    settings: Settings,
    asked: argparse.Namespace,
    say: Say = say,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Sleep = asyncio.sleep,
) -> int:
    """Log in, forget, or say who is logged in; return the exit code. Raises StudioError."""
    async with httpx.AsyncClient(trust_env=False) as http:
        login = GoogleLogin(settings, http)
        tokens = YouTubeTokens(settings, login, now=now)
        if asked.status:
            return _status(tokens, say)
        if asked.forget:
            return await _forget(tokens, login, say)
        for setting in ("youtube_client_id", "youtube_client_secret"):
            if not getattr(settings, setting):
                raise ClientIdMissing(setting=f"SAKUGA_{setting.upper()}", page=PAGE)
        try:
            told = await _granted(login, say, sleep)
        except YouTubeAway as error:
            raise LoginUnreachable(platform=GOOGLE, reason=error.reason) from error
        except TokenRefused as error:
            raise LoginRefused(platform=GOOGLE, reason=error.reason, setting=SETTING, page=PAGE) from error
        token = YouTubeToken(str(told["access_token"]), str(told["refresh_token"]), expiry(told, now()))
        tokens.save(token)
        channel = await _channel(YouTubeApi(settings, http), token, say)
        tokens.save(YouTubeToken(token.access_token, token.refresh_token, token.expires_at, channel))
        say(f"\n  The bot answers as {channel or 'that account'}. One that runs notices by itself.")
        if not StudioFile(settings.studio_file).catalog.chat.youtube_replies:
            say("  Answers are off until the studio file says so: youtube_replies = true, in the table [chat].")
    return 0


async def _granted(login: GoogleLogin, say: Say, sleep: Sleep) -> dict[str, Any]:
    """Show a code, and return the tokens once somebody has entered it. Raises LoginDeclined, LoginExpired."""
    code = await login.device()
    pause_s, left_s = float(code.get("interval") or SLOWER_S), float(code.get("expires_in") or 0)
    minutes = f"{left_s / 60:.0f}"
    say(
        f"""
  Log in to YouTube, for answers in the live chat

  1  open      {code["verification_url"]}
  2  enter     {code["user_code"]}   good for {minutes} minutes
  3  choose    the channel that is to answer

  Waiting for Google. Ctrl-C ends it."""
    )
    while left_s > 0:
        await sleep(pause_s)
        left_s -= pause_s
        try:
            return await login.granted(str(code["device_code"]))
        except YouTubeAway:
            continue  # the code stays good meanwhile
        except TokenRefused as error:
            if error.reason == "slow_down":
                pause_s += SLOWER_S
            elif error.reason == "access_denied":
                raise LoginDeclined(platform=GOOGLE) from error
            elif error.reason in EXPIRED:
                break
            elif error.reason != "authorization_pending":
                raise
    raise LoginExpired(minutes=minutes)


async def _channel(api: YouTubeApi, token: YouTubeToken, say: Say) -> str:
    """Return the name of the channel that logged in; empty, with a line that says why, if YouTube does not tell."""
    try:
        name = await api.own_channel(token=token.access_token)
    except (YouTubeAway, YouTubeRefused) as error:
        say(f"  YouTube did not say whose channel that is ({error.reason}).")
        return ""
    if not name:
        say("  That account has no channel, and needs one to write in chats.")
    return name


async def _forget(tokens: YouTubeTokens, login: GoogleLogin, say: Say) -> int:
    token = tokens.kept()
    if not tokens.forget():
        say("No account was forgotten.")
        return 0
    try:
        if token:
            await login.revoke(token.refresh_token)
    except (YouTubeAway, TokenRefused) as error:
        say(f"Google was not told ({error.reason}): see https://myaccount.google.com/connections")
    say(f"Forgotten: {(token and token.channel) or 'an account'}.")
    return 0


def _status(tokens: YouTubeTokens, say: Say) -> int:
    token = tokens.kept()
    say(f"youtube  {token.channel or 'somebody'}" if token else f"youtube  nobody. To log in: {COMMAND}")
    return 0 if token else 1
