"""Amendments: what a moderator wants to be otherwise about a waiting job."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sakuga.lane import Credit, Lane


@dataclass(frozen=True, slots=True)
class Amendment:
    """What is to change about a waiting job. What is None stays."""

    credit_s: float | None = None
    place: int | None = None
    """1 is next; one behind the last is the last."""
    lane: Lane | None = None
    lane_credits: tuple[Credit, ...] = ()
    """What the new lane earns, in place of what the old one did."""
    fields: Mapping[str, str | float] | None = None
    held_for: str = ""
    """Why a moderator must look at it in its new form; empty if nobody must."""
    final: bool = False
    """Whether it can't be taken back, since it takes back another."""
    reason: str = ""
    key: str = ""
    """A name for this change: made again under the same one it changes nothing more."""
    fingerprint: str = ""
    """Of what was asked for under that name."""

    @property
    def named(self) -> dict[str, Any]:
        """What stands in the audit log of it: values of fields may be a viewer's words, so their names are enough."""
        told = {"credit_s": self.credit_s, "position": self.place, "lane": self.lane}
        return {name: value for name, value in told.items() if value is not None} | {
            "fields": sorted(self.fields or ())
        }
