"""Terms: what is demanded of a request before it may join the queue, and what it means when it may not."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from sakuga.errors import (
    BudgetSpent,
    CoolingDown,
    KeyReused,
    MessageRetracted,
    QueueClosed,
    QueueFull,
    RedemptionSpent,
    RemixNotFound,
    SakugaError,
    ViewerBanned,
    ViewerBusy,
)
from sakuga.job import TERMINAL, RequestedBy, cut
from sakuga.redemption import Redeemed

SESSION = timedelta(hours=12)  # a stream whose beginning nobody told of is taken to have begun so long ago


@dataclass(frozen=True, slots=True)
class Terms:
    """What is demanded of a request before it may join. Money is in millionths of a dollar; a limit of 0 is none."""

    waiting: int = 1000
    """Jobs that may wait when it comes."""
    active: int = 1000
    """Jobs of its viewer that may wait or be drawn when it comes."""
    cooldown_s: float = 0
    """Seconds until its viewer may ask again."""
    expire_s: float = 0
    """Seconds in which it must have started; 0 is for ever."""
    repeat_s: float = 0
    repeat_cap_s: float = 0
    estimate: int = 0
    refill: int = 0
    """What its bits add to the session's limit."""
    session_budget: int = 0
    day_budget: int = 0
    soft: float = 1.0
    free: bool = False
    """Whether the soft limit is for it."""
    forced: bool = False
    """Whether a moderator asks for it: then no limit holds."""
    held_for: str = ""
    """Why a moderator must look at it first; empty if nobody must."""
    retry_of: str = ""
    requested_at: float = 0
    """When it is taken to have been asked for; 0 is now."""
    retry_after_s: int = 60
    """What a refused viewer is told, unless the broker knows better."""
    bits: int = 0
    """Bits that came with it."""
    bits_most: int = 0
    """The most bits that its viewer's purse may bring it up to."""
    hundred_bits_s: float = 0
    bits_cap_s: float = 0
    paid: Mapping[str, float] = field(default_factory=dict)
    """The terms, by name, that are others once it has a hundred bits."""
    message: str = ""
    """The chat message that it came with, as platform:id."""
    messages: tuple[str, ...] = ()
    """Those whose words are in it, if they are several."""
    redemption: Redeemed | None = None
    """The channel points that were spent on it."""


FREELY = Terms()
"""Nothing is demanded."""
PLAIN: dict[str, type[SakugaError]] = {"reused": KeyReused, "closed": QueueClosed, "retracted": MessageRetracted}
"""Verdicts whose refusals have no more to say."""


def told(request: Mapping[str, Any], terms: Terms, key: str, fingerprint: str) -> dict[str, Any]:
    """Return what the script is told of a request. `requested_by` holds who asks."""
    who = RequestedBy.model_validate_json(request.get("requested_by", "{}"))
    return {
        **asdict(terms),
        "redemption": terms.redemption.model_dump() | {"name": terms.redemption.name} if terms.redemption else None,
        "viewer": who.viewer,
        "login": who.by_login,
        "name": who.name,
        "crowd": json.loads(request.get("crowd", "[]")),
        "parent": request.get("parent", ""),
        "status": "held" if terms.held_for else "queued",
        "key": key,
        "fingerprint": fingerprint,
        "session_s": SESSION.total_seconds(),
        "ended": dict.fromkeys(TERMINAL, True),
        "dry": False,
    }


def refuse(verdict: str, detail: Any, request: Mapping[str, Any], terms: Terms) -> None:
    """Raise what a verdict of the script means, if it is a refusal."""
    if plain := PLAIN.get(verdict):
        raise plain
    match verdict:
        case "redeemed":
            raise RedemptionSpent(state=detail)
        case "orphan":
            raise RemixNotFound(what=cut(int(request["parent_number"])))
        case "banned":
            raise ViewerBanned(viewer=RequestedBy.model_validate_json(request["requested_by"]).viewer)
        case "cooling":
            raise CoolingDown(retry_after_s=int(detail))
        case "active":
            raise ViewerBusy(active=int(detail), limit=terms.active, retry_after_s=terms.retry_after_s)
        case "full":
            raise QueueFull(waiting=int(detail), retry_after_s=terms.retry_after_s)
        case "spent":
            raise BudgetSpent(
                level="used up" if detail == "hard" else "nearly used up", retry_after_s=terms.retry_after_s
            )
        case _:
            return
