"""The keyring: `python -m sakuga keys`, and the key that the demo lays into a file for its owner."""

import argparse
import secrets
from datetime import UTC, datetime
from pathlib import Path

from sakuga import broker
from sakuga.keys import Key, Keys
from sakuga.role import Role
from sakuga.settings import Settings

ROLES = [role.label for role in Role]
OWNER_ONLY = 0o600


def add_commands(group: argparse.ArgumentParser) -> None:
    """Add the acts of `keys` to a parser."""
    acts = group.add_subparsers(dest="act", required=True, metavar="COMMAND")
    new = acts.add_parser("new", help="make a key, and print it this once")
    new.add_argument("role", choices=ROLES, help="what its holder may do")
    new.add_argument("name", help="whose it is: stands in the audit and in credits")
    acts.add_parser("list", help="list keys and logins, without their secrets")
    revoke = acts.add_parser("revoke", help="make keys and logins worthless, within 2 s")
    revoke.add_argument("name", help="an id, or a name: all keys, logins and links of that name")
    link = acts.add_parser("link", help="print a link that logs a browser in, once, within 10 minutes")
    link.add_argument("--role", choices=ROLES, default=Role.MODERATOR.label, help="what the browser may do then")
    link.add_argument("--name", help="who will use it: stands in the audit (the role if left out)")


async def run(settings: Settings, asked: argparse.Namespace) -> str:
    """Do one act and return what to print. Raises KeyNotFound, KeyNameInvalid, BrokerFailed."""
    async with broker.lent(settings) as redis:
        return await _act(Keys(redis), settings, asked)


async def _act(keys: Keys, settings: Settings, asked: argparse.Namespace) -> str:
    if asked.act == "new":
        secret, _ = await keys.new(Role.named(asked.role), asked.name)
        return secret
    if asked.act == "link":
        url = await keys.home() or settings.base_url
        return f"{url}/login/{await keys.link(Role.named(asked.role), asked.name or asked.role)}"
    if asked.act == "revoke":
        gone = await keys.revoke(asked.name)
        return "\n".join(f"revoked {key.id} ({key.role.label} {key.name})" for key in gone)
    return "\n".join(_line(key) for key in await keys.all()) or "There are no keys."


async def login_url(keys: Keys, settings: Settings, role: Role, name: str) -> str:
    """Return a link that logs a browser in once. Raises KeyNameInvalid."""
    return f"{settings.base_url}/login/{await keys.link(role, name)}"


async def keep(keys: Keys, path: Path, role: Role, name: str) -> str:
    """See to it that a file holds a key that works, and return it; a new one takes its place whole.

    The file is for its owner's eyes only.
    """
    kept = _read(path)
    key = await keys.find(kept) if kept else None
    if key is not None and key.role is role:
        return kept
    for old in [key for key in await keys.all() if key.name == name and not key.login]:
        await keys.revoke(old.id)
    secret, _ = await keys.new(role, name)
    _write(path, secret)
    return secret


def _read(path: Path) -> str:
    if not path.exists():
        return ""
    path.chmod(OWNER_ONLY)
    return path.read_text("utf-8").strip()


def _write(path: Path, secret: str) -> None:
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    fresh.touch(OWNER_ONLY, exist_ok=False)
    fresh.write_text(secret + "\n", "utf-8")
    fresh.replace(path)


def _line(key: Key) -> str:
    kind = "login" if key.login else "key"
    used = f"last used {_day(key.last_used_at)}" if key.last_used_at else "never used"
    return f"{key.id}  {kind:5}  {key.role.label:11}  {key.name}  made {_day(key.created_at)}, {used}"


def _day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
