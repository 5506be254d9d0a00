"""The terms of a request: what the studio demands of it before it may join the queue."""

from sakuga.budget import micro
from sakuga.catalog import Catalog
from sakuga.job import RequestedBy
from sakuga.lane import Lane
from sakuga.queue import Terms


def terms_of(viewer: RequestedBy, lane: Lane, catalog: Catalog, *, retry_after_s: int) -> Terms:
    """Return the terms for a viewer in a lane; what it will cost and whether it is held is known later."""
    limits, lanes, budget = catalog.limits, catalog.lanes, catalog.budget
    return Terms(
        waiting=limits.waiting + (limits.paid_places if lane.paid else 0),
        active=limits.active.of(lane),
        cooldown_s=limits.cooldown.of(lane),
        expire_s=limits.expire_s,
        repeat_s=0 if lane is Lane.MOD else lanes.repeat_s,
        repeat_cap_s=lanes.repeat_cap_s,
        refill=budget.of_bits(viewer.bits),
        session_budget=micro(budget.session_usd),
        day_budget=micro(budget.day_usd),
        soft=budget.soft,
        free=not lane.paid,
        retry_after_s=retry_after_s,
        bits=viewer.bits,
        bits_most=lanes.bits_most,
        hundred_bits_s=lanes.hundred_bits_s,
        bits_cap_s=lanes.bits_cap_s,
        paid={  # nobody is worse off for having paid
            "waiting": limits.waiting + limits.paid_places,
            "active": max(limits.active.bits, limits.active.of(lane)),
            "cooldown_s": min(limits.cooldown.bits, limits.cooldown.of(lane)),
            "free": False,
        },
    )
