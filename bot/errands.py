"""Errands: what was done or given on a platform is told to the gateway by whoever of the bot may say it."""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from bot.news import Banned, Deed, Redeemed, Retracted, Supported, Unbanned
from sakuga.errors import GatewayRefused
from sakuga.job import RequestedBy
from sakuga.log import get_logger
from sakuga.retraction import Kind
from sakuga.support import SupportKind

LOCKED_OUT = frozenset({"unauthenticated", "forbidden", "key_exposed"})
HELP = "docs/how-to/chat.md"

log = get_logger("bot")


class Gone(Protocol):
    """What ended with that."""

    @property
    def cancelled(self) -> Sequence[str]:
        """Ids of jobs."""


class Hammer(Protocol):
    """What moderators of the platform do, done in the studio. It is no error to say it twice."""

    async def retract(self, kind: Kind, platform: str, *, message_id: str | None, viewer: str | None, by: str) -> Gone:
        """Take back what was asked for with a message, by a viewer, or in a whole chat."""

    async def ban(self, viewer: str, *, by: str, minutes: float | None, clips: bool, reason: str) -> Gone:
        """Keep a viewer out, with what they have."""

    async def unban(self, viewer: str, *, by: str) -> object:
        """Let a viewer ask again."""


class Till(Protocol):
    """Counts what viewers give, once each."""

    async def support(self, support_id: str, kind: SupportKind, viewer: RequestedBy, amount: int) -> object:
        """Count a support."""


class Shop(Protocol):
    """Sells clips for channel points."""

    async def redeemed(self, news: Redeemed) -> object:
        """Make a request of a redemption. It may be said twice."""


class Errands:
    """Runs one errand after another. Without a moderator's key what moderators did is left, and that is said once.

    `leave` is told the jobs that ended so: nobody is answered whose words were taken out of the chat.
    """

    def __init__(
        self,
        *,
        hammer: Hammer | None,
        till: Till,
        shop: Shop | None,
        leave: Callable[[str], None] = lambda _: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._hammer = hammer
        self._till = till
        self._shop = shop
        self._leave = leave
        self._clock = clock
        self._keyless = False

    async def run(self, deed: Deed) -> None:
        """Bring a deed to the gateway. Raises GatewayRefused and GatewayUnreachable; it may be brought again."""
        match deed:
            case Supported():
                await self._till.support(deed.id, deed.kind, penniless(deed.viewer), deed.amount)
            case Redeemed():
                if self._shop:
                    await self._shop.redeemed(deed)
            case _ if self._hammer is None:
                self._locked_out("no key")
            case _:
                await self._strike(self._hammer, deed)

    async def _strike(self, hammer: Hammer, deed: Retracted | Banned | Unbanned) -> None:
        """Do in the studio what a moderator did in chat. A key that is none of a moderator's stops nothing else."""
        try:
            await self._struck(hammer, deed)
        except GatewayRefused as error:
            if error.reason not in LOCKED_OUT:
                raise
            self._locked_out(error.reason)

    def _locked_out(self, reason: str) -> None:
        if not self._keyless:
            self._keyless = True
            log.warning("bot.keyless", reason=reason, help=HELP)

    async def _struck(self, hammer: Hammer, deed: Retracted | Banned | Unbanned) -> None:
        match deed:
            case Retracted(kind, platform, by, message_id, viewer):
                which = {"message": (message_id, None), "viewer": (None, viewer), "chat": (None, None)}[kind]
                self._left(await hammer.retract(kind, platform, message_id=which[0], viewer=which[1], by=by))
            case Banned(viewer, by, until):
                await self._ban(hammer, viewer, by, until)
            case Unbanned(viewer, by):
                await hammer.unban(viewer, by=by)

    async def _ban(self, hammer: Hammer, viewer: str, by: str, until: datetime | None) -> None:
        left_s = (until - self._clock()).total_seconds() if until else math.inf
        if left_s > 0:
            minutes = None if until is None else max(1.0, math.ceil(left_s / 6) / 10)
            self._left(await hammer.ban(viewer, by=by, minutes=minutes, clips=True, reason="banned in chat"))
        else:  # over before it could be told: what they asked for goes all the same
            platform = viewer.partition(":")[0]
            self._left(await hammer.retract("viewer", platform, message_id=None, viewer=viewer, by=by))

    def _left(self, gone: Gone) -> None:
        for job_id in gone.cancelled:
            self._leave(job_id)


def penniless(viewer: RequestedBy) -> RequestedBy:
    """Return a viewer without bits: those are the amount."""
    return viewer.model_copy(update={"bits": 0})
