"""News: what a platform tells the bot, the same for every platform. All of it comes through one queue, in order."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

from pydantic import TypeAdapter

from bot.line import Line
from sakuga.job import RequestedBy


@dataclass(frozen=True, slots=True)
class Retracted:
    """Words were taken back: one message, all of a viewer's, or the whole chat's."""

    kind: Literal["message", "viewer", "chat"]
    platform: str
    by: str = ""
    """A moderator as the audit names them: `twitch:alice`. Empty where the platform does not tell."""
    message_id: str = ""
    viewer: str = ""
    """Whose words they were: `twitch:3000`. Empty for a whole chat."""


@dataclass(frozen=True, slots=True)
class Banned:
    """A viewer may not speak any more, or not until then."""

    viewer: str
    by: str = ""
    until: datetime | None = None
    """With a time zone; None for ever."""


@dataclass(frozen=True, slots=True)
class Unbanned:
    """A viewer may speak again."""

    viewer: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Supported:
    """A viewer gave something that is no request. `id` stays the same when it is told twice."""

    id: str
    kind: Literal["cheer", "refused", "sub", "gift", "raid", "superchat", "member"]
    viewer: RequestedBy
    amount: int
    """Bits, subscriptions, raiders, cents or months, as the kind says."""


@dataclass(frozen=True, slots=True)
class Redeemed:
    """A viewer paid with channel points, or with bits for a Power-up. `cost` is in points or bits."""

    id: str
    reward_id: str
    cost: int
    viewer: RequestedBy
    text: str
    powerup: bool = False
    at: datetime | None = None
    """When, with a time zone; None where the platform does not say."""


@dataclass(frozen=True, slots=True)
class OnAir:
    """The stream has begun, or is over."""

    live: bool


Deed = Retracted | Banned | Unbanned | Supported | Redeemed
"""News that must reach the gateway even if it is away right now."""
News = Line | Deed | OnAir

_KINDS: dict[str, TypeAdapter[Any]] = {
    kind.__name__: TypeAdapter(kind) for kind in (Retracted, Banned, Unbanned, Supported, Redeemed)
}


def written(deed: Deed) -> str:
    """Return a deed as text that `read` understands."""
    name = type(deed).__name__
    return f"{name} {_KINDS[name].dump_json(deed).decode()}"


def read(text: str) -> Deed:
    """Return the deed that was written so. Raises ValueError for other text."""
    name, _, told = text.partition(" ")
    if name not in _KINDS:
        msg = f"{name!r} is no deed"
        raise ValueError(msg)
    return cast("Deed", _KINDS[name].validate_json(told))
