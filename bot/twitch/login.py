"""Logging in to Twitch with a code: no secret, no address of ours that Twitch would call."""

import argparse
import sys
from collections.abc import Callable, Sequence

import aiohttp

from bot.twitch.chat import quieten, redirect
from bot.twitch.identity import COMMAND, TWITCH, Identity
from bot.twitch.scopes import SEATS, Seat, lacking, told, wanted
from bot.twitch.tokens import Account, TokenFile
from sakuga.errors import LoginDivided, LoginMismatched
from sakuga.settings import Settings

TIMEOUT = aiohttp.ClientTimeout(total=15)
SEAT_NAMES = {"bot": "the account that speaks", "channel": "the channel"}
SETTINGS = {"bot": "SAKUGA_TWITCH_BOT", "channel": "SAKUGA_TWITCH_CHANNEL"}

Say = Callable[[str], object]


def say(line: str) -> None:
    """Print a line at once: somebody waits for it."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def run(settings: Settings, asked: argparse.Namespace, say: Say = say) -> int:
    """Log in, forget, or say who is logged in; return the exit code. Raises StudioError."""
    tokens = TokenFile(settings)
    seats: Sequence[Seat] = [asked.seat] if asked.seat else SEATS
    if asked.status:
        return status(tokens, seats, say)
    quieten()
    if settings.twitch_api_base:
        redirect(settings.twitch_api_base)
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
        if asked.forget:
            return await forget(settings, tokens, seats, session, say)
        identity = Identity(settings, session)
        rounds = [(seat,) for seat in seats] if divided(settings) else [tuple(seats)]
        for each in rounds:
            await log_in(settings, identity, tokens, each, say)
    return 0


def divided(settings: Settings) -> bool:
    """Return whether the settings name two accounts, so that each needs a login of its own."""
    return bool(settings.twitch_bot and settings.twitch_channel and settings.twitch_bot != settings.twitch_channel)


async def log_in(settings: Settings, identity: Identity, tokens: TokenFile, seats: Sequence[Seat], say: Say) -> Account:
    """Log one account in for some seats, and keep it. Raises LoginMismatched, LoginDivided, and what Identity does."""
    expected, setting = _expected(settings, seats)
    scopes = wanted(*seats)
    code = await identity.code(scopes)
    say(
        f"""
  Log in to Twitch for {" and ".join(SEAT_NAMES[seat] for seat in seats)}

  1  open      {code.url}
  2  be        {expected or "the account that you want; look at the top right whose page that is"}
  3  confirm   {code.user_code}   good for {code.expires_in_s / 60:.0f} minutes

  Waiting for Twitch. Ctrl-C ends it."""
    )
    account = await identity.granted(code, scopes)
    problem = _problem(account, tokens, seats, expected, setting)
    if problem:
        await identity.give_back(account)
        raise problem
    tokens.take(account, *seats)
    account = await identity.renewed(account, tokens)  # now, while somebody looks: a wrong secret shows only here
    say(f"\n  {account.login} is logged in as {' and '.join(seats)}. A bot that runs notices within seconds.")
    if missing := lacking(account.scopes, *seats):
        say(f"  Twitch did not grant {told(missing)}: that part is off. To be asked again: {COMMAND}")
    return account


async def forget(
    settings: Settings, tokens: TokenFile, seats: Sequence[Seat], session: aiohttp.ClientSession, say: Say
) -> int:
    """Clear seats, and have Twitch forget the accounts that have none left."""
    gone = tokens.forget(*seats)
    for account in gone if settings.twitch_client_id else []:
        await Identity(settings, session).give_back(account)
    say(f"Forgotten: {', '.join(account.login for account in gone)}." if gone else "No account was forgotten.")
    return 0


def status(tokens: TokenFile, seats: Sequence[Seat], say: Say) -> int:
    """Say who is logged in and what is lacking, without asking Twitch. Return 1 if a seat is empty."""
    accounts = tokens.accounts()
    for seat in seats:
        account = accounts.get(seat)
        missing = lacking(account.scopes, seat) if account else []
        lack = f"without {told(missing)}" if missing else "with all that is asked for"
        say(f"{seat:8} {account.login}, {lack}" if account else f"{seat:8} nobody. To log in: {COMMAND}")
    return 0 if all(seat in accounts for seat in seats) else 1


def _expected(settings: Settings, seats: Sequence[Seat]) -> tuple[str | None, str]:
    named: dict[Seat, str | None] = {"bot": settings.twitch_bot, "channel": settings.twitch_channel}
    for seat in seats:
        if named[seat]:
            return named[seat], SETTINGS[seat]
    return None, ""


def _problem(
    account: Account, tokens: TokenFile, seats: Sequence[Seat], expected: str | None, setting: str
) -> LoginMismatched | LoginDivided | None:
    """Return why a login can't be kept, if so."""
    if expected and account.login != expected:
        return LoginMismatched(platform=TWITCH, login=account.login, setting=setting, expected=expected)
    for seat, other in tokens.accounts().items():
        if seat not in seats and other.user_id == account.user_id:
            return LoginDivided(login=account.login, other=seat)
    return None
