"""Twitch tokens: who logged in, as what, and the newest pair of each, kept before it is used."""

import asyncio
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from bot.twitch.scopes import SEATS, Seat, told
from sakuga.log import get_logger
from sakuga.settings import Settings

LOOK_EVERY_S = 2.0
OWNER_ONLY = 0o600

log = get_logger("bot")


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who logged in: what that is good for, a user token, and what renews it. Neither token shows in logs."""

    user_id: str
    login: str
    scopes: tuple[str, ...]
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Kept:
    accounts: dict[str, Account] = field(default_factory=dict)  # user id -> account
    seats: dict[Seat, str] = field(default_factory=dict)  # seat -> user id


class TokenFile:
    """Keeps accounts in `var/twitch-tokens.json`, readable by the owner only. Several processes may use it at a time.

    Twitch takes a refresh token of a public client once: the pair that came last is the only one that works.
    """

    def __init__(self, settings: Settings) -> None:
        self.path = settings.var_dir / "twitch-tokens.json"
        self._seen: tuple[int, ...] = ()  # the file that `accounts` told of, or that was written here since
        self._told: list[str] = []
        self._unsaved: dict[str, tuple[str, Account]] = {}  # user id -> refresh token in the file, and what is newer

    def accounts(self) -> dict[Seat, Account]:
        """Return who took which seat."""
        self._seen = self._signature()
        kept = self._read()
        return {seat: kept.accounts[user_id] for seat, user_id in kept.seats.items()}

    def of(self, user_id: str) -> Account | None:
        """Return an account that has a seat, or None."""
        return self._read().accounts.get(user_id)

    def tell_once(self, scopes: list[str]) -> None:
        """Log which scopes the logins lack and what is off without them, unless that was said before."""
        if scopes and self._told != scopes:
            log.warning("login.incomplete", missing=told(scopes), help="docs/how-to/twitch.md")
        self._told = scopes

    def take(self, account: Account, *seats: Seat) -> None:
        """Keep an account that logged in for some seats. An account without a seat is kept no more."""
        with self._alone():
            kept = self._read()
            kept.accounts[account.user_id] = account
            kept.seats.update(dict.fromkeys(seats, account.user_id))
            self._write(kept)

    def renew(self, user_id: str, access_token: str, refresh_token: str) -> None:
        """Keep the pair that Twitch renewed an account's with; nothing if that account was forgotten meanwhile.

        After a crash at any moment the file holds either the old pair or this one. Where it can't be written, as on a
        full disk, this process goes on with the new pair, for the old one is spent.
        """
        try:
            with self._alone():
                kept = self._read()
                if old := kept.accounts.get(user_id):
                    pair = replace(old, access_token=access_token, refresh_token=refresh_token)
                    self._unsaved[user_id] = self._unsaved.get(user_id, (old.refresh_token, old))[0], pair
                    self._write(_Kept({**kept.accounts, user_id: pair}, kept.seats))
                    self._unsaved.clear()
        except OSError as error:
            log.error("token.unsaved", error=type(error).__name__)  # noqa: TRY400 - no traceback near a token

    def forget(self, *seats: Seat) -> list[Account]:
        """Clear some seats, and return the accounts that are kept no more."""
        with self._alone():
            kept = self._read()
            left = {seat: user_id for seat, user_id in kept.seats.items() if seat not in seats}
            self._write(_Kept(kept.accounts, left))
            return [account for user_id, account in kept.accounts.items() if user_id not in left.values()]

    async def changed(self) -> None:
        """Return when another process has written the file since `accounts` told of it."""
        while self._signature() == self._seen:  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(LOOK_EVERY_S)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold off the other processes that would change the file, so that nobody's pair is lost."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def _read(self) -> _Kept:
        try:
            kept = _understood(json.loads(self.path.read_text(encoding="utf-8")))
            for user_id, (spent, pair) in self._unsaved.items():
                if user_id in kept.accounts and kept.accounts[user_id].refresh_token == spent:
                    kept.accounts[user_id] = pair
            return kept  # noqa: TRY300 - so are they together
        except FileNotFoundError:
            return _Kept()
        except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
            log.warning("tokens.unreadable", path=str(self.path), error=type(error).__name__)
            return _Kept()

    def _write(self, kept: _Kept) -> None:
        seated = {user_id: asdict(kept.accounts[user_id]) for user_id in kept.seats.values()}
        only_ours = self._seen == self._signature()
        fresh = self.path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "w", encoding="utf-8") as file:
            json.dump({"accounts": list(seated.values()), "seats": kept.seats}, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)
        if only_ours:
            self._seen = self._signature()

    def _signature(self) -> tuple[int, ...]:
        try:
            found = self.path.stat()
        except OSError:
            return ()
        return found.st_ino, found.st_mtime_ns, found.st_size


def _understood(found: dict[str, Any]) -> _Kept:
    accounts = [Account(**{**entry, "scopes": tuple(entry["scopes"])}) for entry in found["accounts"]]
    seats: dict[Seat, str] = {seat: found["seats"][seat] for seat in SEATS if seat in found["seats"]}
    by_id = {account.user_id: account for account in accounts}
    return _Kept(by_id, {seat: user_id for seat, user_id in seats.items() if user_id in by_id})
