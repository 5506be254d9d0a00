"""What can be wrong with the login at Twitch, looked at piece by piece, with the one thing to do for each."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
from twitchio.http import Route

from bot.twitch.chat import quieten, redirect
from bot.twitch.identity import AWAY, CLIENT_ID, COMMAND, PAGE, Identity
from bot.twitch.scopes import SEATS, Seat, lacking, told
from bot.twitch.tokens import Account, TokenFile
from sakuga.errors import LoginLapsed, LoginRefused, LoginUnreachable
from sakuga.settings import Settings

TIMEOUT = aiohttp.ClientTimeout(total=10)
CLOCKS_APART_S = 30.0  # tokens last hours; a clock that is further off than this is wrong


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: whether it is in order, what was seen, and what to do if it is not."""

    check: str
    ok: bool
    detail: str
    todo: str = ""

    def __str__(self) -> str:
        """Return it as a line, with what to do below."""
        line = f"{'ok' if self.ok else 'no':4}{self.check:15} {self.detail}"
        return f"{line}\n{'':20}{self.todo}" if self.todo else line


async def look(settings: Settings) -> list[Check]:
    """Return all checks that can be made; those that need what is missing are left out.

    An access token that has run out is renewed and kept, as the bot does: nobody knows else whether it still can be.
    """
    quieten()
    if settings.twitch_api_base:
        redirect(settings.twitch_api_base)
    tokens = TokenFile(settings)
    accounts = tokens.accounts()
    checks = [_client_id(settings), *(_login(seat, accounts.get(seat), settings) for seat in SEATS)]
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
        there = await _reach(session)
        checks += there
        if not there[0].ok or not checks[0].ok:
            return checks
        identity = Identity(settings, session)
        fresh: dict[str, Account] = {}
        for account in {account.user_id: account for account in accounts.values()}.values():
            check, now = await _token(identity, tokens, account)
            checks.append(check)
            fresh |= {now.user_id: now} if now else {}
    for seat, account in accounts.items():
        if account.user_id in fresh:
            command = COMMAND if len(fresh) < len(accounts) else f"{COMMAND} --as {seat}"
            checks.append(_scopes(seat, fresh[account.user_id], command))
    return checks


def _client_id(settings: Settings) -> Check:
    if settings.twitch_client_id:
        return Check("client id", ok=True, detail="is set")
    return Check("client id", ok=False, detail=f"{CLIENT_ID} is not set", todo=f"Register an application: {PAGE}")


def _login(seat: str, account: Account | None, settings: Settings) -> Check:
    name = f"{seat} login"
    if account is None:
        return Check(name, ok=False, detail="nobody is logged in", todo=COMMAND)
    expected = settings.twitch_bot if seat == "bot" else settings.twitch_channel
    if expected not in {None, account.login}:
        setting = f"SAKUGA_TWITCH_{seat.upper()}"
        todo = f"{COMMAND} --as {seat}, or change {setting}"
        return Check(name, ok=False, detail=f"{account.login}, but {setting} is {expected}", todo=todo)
    return Check(name, ok=True, detail=account.login)


async def _reach(session: aiohttp.ClientSession) -> list[Check]:
    try:
        async with session.get(Route("GET", "/oauth2/validate", use_id=True).url) as answer:
            date = answer.headers.get("Date")
    except AWAY as error:
        todo = "Look at this machine's connection and at https://status.twitch.tv"
        return [Check("twitch", ok=False, detail=f"no answer ({type(error).__name__})", todo=todo)]
    there = Check("twitch", ok=True, detail="answers")
    if not date:
        return [there]
    apart_s = abs((datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds())
    if apart_s <= CLOCKS_APART_S:
        return [there, Check("clock", ok=True, detail="agrees with Twitch's")]
    todo = "Have this machine set its clock by the network."
    return [there, Check("clock", ok=False, detail=f"{apart_s:.0f} s off Twitch's", todo=todo)]


async def _token(identity: Identity, tokens: TokenFile, account: Account) -> tuple[Check, Account | None]:
    name = f"{account.login}'s token"
    try:
        found = await identity.look(account)
        now = replace(account, scopes=tuple(found.scopes)) if found else await identity.renewed(account, tokens)
    except (LoginLapsed, LoginRefused) as error:
        return Check(name, ok=False, detail="is taken no more", todo=str(error)), None
    except LoginUnreachable as error:
        return Check(name, ok=False, detail="could not be looked at", todo=str(error)), None
    return Check(name, ok=True, detail="is taken" if found else "had run out and was renewed"), now


def _scopes(seat: Seat, account: Account, command: str) -> Check:
    missing = lacking(account.scopes, seat)
    if not missing:
        return Check(f"{seat} scopes", ok=True, detail="all that are asked for")
    return Check(f"{seat} scopes", ok=False, detail=f"without {told(missing)}", todo=command)
