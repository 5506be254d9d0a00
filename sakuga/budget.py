"""The budget: how much may be spent, and what a second of drawing costs."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sakuga.engine import EngineSpec

MICRO = 1_000_000
"""Money is counted in whole millionths of a dollar: sums of fractions would drift."""

Level = Literal["open", "soft", "hard"]
"""Who may still ask for what costs something: everybody, those who pay and moderators, or nobody."""

PriceSource = Literal["studio file", "engine", "none"]


def micro(usd: float) -> int:
    """Return dollars as whole millionths, rounded up."""
    exact = (Decimal(repr(usd)) * MICRO).quantize(Decimal("0.000001"))  # what floats add in sums is less than this
    return int(exact.to_integral_value(ROUND_CEILING))


def dollars(millionths: int) -> float:
    """Return whole millionths as dollars."""
    return round(millionths / MICRO, 6)


class BudgetPolicy(BaseModel):
    """The table ``[budget]`` of the studio file. A limit of 0 is none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    session_usd: float = Field(default=0, ge=0, le=100_000, description="Dollars for a stream session; 0 is no limit.")
    day_usd: float = Field(default=0, ge=0, le=100_000, description="Dollars for one day (UTC); 0 is no limit.")
    soft: float = Field(
        default=0.8, gt=0, le=1, description="Part of a limit from which on viewers and VIPs have to wait for the next."
    )
    usd_per_100_bits: float = Field(
        default=0,
        ge=0,
        le=1,
        description="Dollars that each full 100 bits add to the limits of this session and this day.",
    )

    def of_bits(self, bits: int) -> int:
        """Return what bits add to the limits, in millionths of a dollar."""
        return micro(bits // 100 * self.usd_per_100_bits)


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars for a second of drawing, and who says so: an `engine` knows the list price of its GPU."""

    usd_per_s: float
    source: PriceSource


class Prices(BaseModel):
    """The table ``[prices]``: dollars per second of drawing, where they differ from what the engines say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    modal: float | None = Field(default=None, ge=0, le=10, description="Dollars per second on Modal.")
    local: float = Field(default=0, ge=0, le=10, description="Dollars per second on this PC's card: its electricity.")
    rehearsal: float = Field(default=0, ge=0, le=10, description="Dollars per second of a rehearsal.")

    def of(self, renderer: str, spec: EngineSpec | None = None) -> Price:
        """Return the price at a renderer; on Modal it depends on the engine's GPU."""
        set_here = {"modal": self.modal, "local": self.local, "rehearsal": self.rehearsal}.get(renderer)
        if set_here or (renderer == "modal" and set_here is not None):
            return Price(set_here, "studio file")
        if renderer == "modal" and spec is not None and spec.usd_per_s:
            return Price(spec.usd_per_s, "engine")
        return Price(0.0, "none")
