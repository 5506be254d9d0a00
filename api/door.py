"""The door: who is calling, and what they may. Every route says here which role it needs."""

import hmac
import re
from dataclasses import dataclass, field, replace
from functools import cache
from time import monotonic, time
from typing import Any, Literal

from fastapi import Depends, Request
from pyrate_limiter import Duration, Rate
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

from api.signature import verify
from api.throttle import Throttle
from sakuga.errors import Forbidden, OriginNotAllowed, RequestInvalid, SignatureInvalid, Unauthenticated
from sakuga.job import RequestedBy
from sakuga.keys import USED_EVERY_S, Key, Keys, digest
from sakuga.latest import Latest
from sakuga.role import Role
from sakuga.settings import Settings

COOKIE = "sakuga_session"
ON_BEHALF = "X-On-Behalf-Of"
PERSON = re.compile(r"[a-z]{3,10}:[A-Za-z0-9_.-]{1,40}")
KEPT_S = 2.0  # a thousand pollers ask Redis for their key once in so long; a revoked one is refused after it
KEPT = 1000
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FAILURES = Rate(30, Duration.MINUTE)  # by address: a wrong key costs a look into Redis each time
WRITES = {
    Role.OVERLAY: Rate(30, Duration.MINUTE),
    Role.VIEWER: Rate(30, Duration.MINUTE),
    Role.BOT: Rate(500, Duration.SECOND * 5),  # a bot speaks for a whole chat
    Role.MODERATOR: Rate(300, Duration.SECOND * 30),
    Role.BROADCASTER: Rate(300, Duration.SECOND * 30),
}


@dataclass(frozen=True)
class Caller:
    """Who is calling: the role, name and id of the key that was shown, and for whom it says it acts."""

    role: Role | None
    name: str = ""
    key_id: str = ""
    on_behalf: str = ""

    @property
    def by(self) -> str:
        """The name for credits and the audit: `alice`, or `twitch:alice via chat`. A key never hides its own name."""
        return f"{self.on_behalf} via {self.name}" if self.on_behalf else self.name

    def may(self, role: Role | None) -> bool:
        """Whether this caller reaches so far."""
        return role is None or (self.role is not None and self.role >= role)


NOBODY = Caller(role=None)
STUDIO = Caller(role=Role.BOT, name="studio", key_id="studio")  # whoever shows the gateway's own SAKUGA_KEY
INBOUND = Caller(role=Role.BOT, name="inbound", key_id="inbound")  # whoever signs with SAKUGA_INBOUND_SECRET


@dataclass
class _Known:
    caller: Caller
    until: float


@dataclass
class Door:
    """Made once per gateway."""

    settings: Settings
    keys: Keys
    _known: Latest[_Known] = field(default_factory=lambda: Latest(KEPT))
    _used: Latest[float] = field(default_factory=lambda: Latest(KEPT))
    _failures: Throttle = field(default_factory=lambda: Throttle(FAILURES))
    _writes: dict[Role, Throttle] = field(
        default_factory=lambda: {role: Throttle(rate) for role, rate in WRITES.items()}
    )

    async def caller(self, scope: Scope) -> Caller:
        """Return who is calling, NOBODY where no key was shown. Raises Unauthenticated, RateLimited, OriginNotAllowed.

        A key in a cookie changes things only from our own pages: a browser says where a request comes from.
        """
        headers = Headers(scope=scope)
        way, secret = shown(headers)
        if not secret:
            return NOBODY
        named = headers.get("origin") or headers.get("sec-fetch-site") == "same-origin"  # which the guard has compared
        if way == "cookie" and scope["method"] not in SAFE and not named:
            raise OriginNotAllowed
        return await self.known(secret, scope)

    async def known(self, secret: str, scope: Scope) -> Caller:
        """Return whose secret that is. Raises Unauthenticated, or RateLimited for a peer that fails often."""
        hashed, now = digest(secret), monotonic()
        kept = self._known.get(hashed)
        if kept is not None and now < kept.until:
            return kept.caller
        own = self.settings.key
        if own is not None and hmac.compare_digest(hashed, digest(own.get_secret_value())):
            return STUDIO
        key = await self.keys.find(secret)
        if key is None:
            self._known.pop(hashed, None)
            self.failed(scope)
            raise Unauthenticated(problem="That key is wrong, has ended or was revoked.")
        caller = Caller(role=key.role, name=key.name, key_id=key.id)
        self._known[hashed] = _Known(caller, now + KEPT_S)
        await self._note_use(key, now)
        return caller

    async def _note_use(self, key: Key, now: float) -> None:
        if now - self._used.get(key.id, -USED_EVERY_S) >= USED_EVERY_S:
            self._used[key.id] = now
            await self.keys.used(key.id)

    def failed(self, scope: Scope) -> None:
        """Count a wrong key or code. Raises RateLimited. Who has a right one is let in all the same."""
        self._failures.count((scope.get("client") or ("",))[0])

    def forget(self, secret: str) -> None:
        """Ask Redis again about a key that has just changed."""
        self._known.pop(digest(secret), None)

    async def signed(self, request: Request) -> Caller:
        """Return whom a signed message counts for. Raises SignatureInvalid, RateLimited."""
        try:
            verify(self.settings.inbound_secret, request.headers, await request.body(), now=time())
        except SignatureInvalid:
            self.failed(request.scope)
            raise
        self._writes[Role.BOT].count(INBOUND.key_id)
        return INBOUND

    async def let_in(self, scope: Scope, role: Role, *, keyless: bool = False, acts: bool = False) -> Caller:
        """Return who is calling if they may. Raises Unauthenticated, Forbidden, RateLimited, OriginNotAllowed.

        A moderator's key may say for whom it acts; RequestInvalid if that is nobody's name. A GET that `acts` counts as
        a change, and takes no key from a cookie, which a browser sends along whoever wrote the link.
        """
        if keyless and self.settings.keyless_reads:
            return NOBODY
        if acts and shown(Headers(scope=scope))[0] == "cookie":
            raise Unauthenticated(problem="This needs a key in a header.")
        caller = await self.caller(scope)
        if caller.role is None:
            raise Unauthenticated(problem="This needs a key.")
        if not caller.may(role):
            raise Forbidden(needs=role.label, role=caller.role.label)
        if acts or scope["method"] not in SAFE:
            self._writes[caller.role].count(caller.key_id)
        return _for_whom(caller, Headers(scope=scope).get(ON_BEHALF, ""))


def _for_whom(caller: Caller, person: str) -> Caller:
    """Return the caller with the moderator for whom it acts. That changes a name in the audit, and no right."""
    if not person:
        return caller
    if not caller.may(Role.MODERATOR):
        raise Forbidden(needs=Role.MODERATOR.label, role=caller.role.label if caller.role else "none")
    if not PERSON.fullmatch(person):
        raise RequestInvalid(param=ON_BEHALF, problem="Send platform and login of a moderator, as in twitch:alice")
    return replace(caller, on_behalf=person)


class Needs:
    """What a route needs, as a dependency of it.

    With `keyless` a setting may do without a key; a GET that changes something `acts`; a `signed` message has a
    signature in place of a key.
    """

    def __init__(self, role: Role | None, *, keyless: bool = False, acts: bool = False, signed: bool = False) -> None:
        self.role = role
        self.keyless = keyless
        self.acts = acts
        self.signed = signed

    async def __call__(self, request: Request) -> Caller:
        """Return who is calling; NOBODY where no key is needed, without looking at one."""
        door: Door = request.app.state.door
        if self.signed:
            return await door.signed(request)
        if self.role is None:
            return NOBODY
        return await door.let_in(request.scope, self.role, keyless=self.keyless, acts=self.acts)


@cache
def at_least(role: Role | None, *, keyless: bool = False, acts: bool = False) -> Any:
    """Return the dependency by which a route learns its Caller.

    As in `caller: Annotated[Caller, at_least(Role.MODERATOR)]`.
    """
    return Depends(Needs(role, keyless=keyless, acts=acts))


def needs(role: Role | None) -> list[Any]:
    """Return a route's `dependencies`: callers need that role; None lets everybody in."""
    return [at_least(role)]


def reads() -> list[Any]:
    """Return the `dependencies` of what overlay and viewers read: no key, unless SAKUGA_KEYLESS_READS is false."""
    return [at_least(Role.OVERLAY, keyless=True)]


signed = Depends(Needs(None, signed=True))
"""The dependency for a route that takes signed messages: its Caller is a bot."""


async def _whoever(request: Request) -> Caller:
    door: Door = request.app.state.door
    try:
        return await door.caller(request.scope)
    except Unauthenticated:
        return NOBODY


anybody = Depends(_whoever)
"""The dependency for a route that needs no key and yet wants to know who is calling; a wrong key is none."""


def shown(headers: Headers) -> tuple[Literal["bearer", "header", "cookie", ""], str]:
    """Return how a key was shown, and the key."""
    kind, _, secret = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and secret.strip():
        return "bearer", secret.strip()
    if secret := headers.get("x-api-key", ""):
        return "header", secret
    if secret := cookie_parser(headers.get("cookie", "")).get(COOKIE, ""):
        return "cookie", secret
    return "", ""


def speaker(caller: Caller, asked_by: RequestedBy | None) -> RequestedBy:
    """Return for whom a request counts. Roles and bits are believed from a bot's key upwards.

    A viewer's key speaks for itself, whatever the request says. A bot's that names nobody speaks for nobody: limits by
    viewer are not for it.
    """
    if asked_by is not None and caller.may(Role.BOT):
        return asked_by
    if caller.role is Role.MODERATOR or caller.role is Role.BROADCASTER:
        roles: list[Literal["moderator", "broadcaster"]] = [
            "moderator" if caller.role is Role.MODERATOR else "broadcaster"
        ]
        return RequestedBy(platform="studio", id=caller.key_id, display_name=caller.name, roles=[*roles])
    if caller.role is Role.BOT:
        return RequestedBy()
    return RequestedBy(platform="api", id=caller.key_id, login=caller.name)
