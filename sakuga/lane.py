"""Lanes and credits: who asked and how, and the head start that it earns."""

from collections.abc import Iterable
from enum import StrEnum
from math import ceil

from pydantic import BaseModel, ConfigDict, Field

MINUS = "\u2212"


class Lane(StrEnum):
    """The way into the queue. A job has one."""

    VIEWER = "viewer"
    SUB = "sub"
    VIP = "vip"
    BITS = "bits"
    MOD = "mod"

    @property
    def paid(self) -> bool:
        """Whether it may take the places that are kept for those who pay, and for moderators."""
        return self in {Lane.SUB, Lane.BITS, Lane.MOD}


class Credit(BaseModel):
    """Seconds of head start with the reason that everyone may read. Negative ones push back."""

    model_config = ConfigDict(frozen=True)

    reason: str = Field(max_length=60, examples=["sub", "300 bits", "2 votes"])
    seconds: float = Field(examples=[300.0])
    by: str = Field(default="studio", max_length=120, description="Who gave it.", examples=["studio", "alice"])
    at: float = Field(default=0.0, description="When, in seconds since 1970.", examples=[1795154400.0])

    @property
    def words(self) -> str:
        """The credit as people read it: "sub +300 s"."""
        seconds = f"{abs(self.seconds):.1f}".removesuffix(".0")
        return f"{self.reason} {'+' if self.seconds >= 0 else MINUS}{seconds} s"


class LanePolicy(BaseModel):
    """How many seconds each way in is worth; the table ``[lanes]`` of the studio file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vip_s: float = Field(default=120, ge=0, le=86400, description="Head start of VIPs, in seconds.")
    sub_s: float = Field(default=300, ge=0, le=86400, description="Head start of subs and founders, in seconds.")
    mod_s: float = Field(
        default=600, ge=0, le=86400, description="Head start of moderators and broadcaster, in seconds."
    )
    hundred_bits_s: float = Field(
        default=60, ge=0, le=86400, description="Head start for each full 100 bits, in seconds."
    )
    repeat_s: float = Field(
        default=60,
        ge=0,
        le=86400,
        description="What each earlier job of the same viewer in this stream pushes the next one back, in seconds.",
    )
    repeat_cap_s: float = Field(default=600, ge=0, le=86400, description="The most that this pushes back, in seconds.")
    bits_cap_s: float = Field(default=900, ge=0, le=86400, description="The most that bits can earn, in seconds.")

    @property
    def bits_most(self) -> int:
        """The most bits that earn anything. A hundred buy a paid place even where they earn no head start."""
        return 100 * max(1, ceil(self.bits_cap_s / self.hundred_bits_s) if self.hundred_bits_s else 1)

    def credits_of(self, lane: Lane) -> list[Credit]:
        """Return the credits of a lane that a moderator put a job into."""
        seconds = {Lane.MOD: self.mod_s, Lane.SUB: self.sub_s, Lane.VIP: self.vip_s}
        return [Credit(reason=lane.value, seconds=seconds[lane])] if lane in seconds else []

    def credits_for(self, roles: Iterable[str], bits: int) -> list[Credit]:
        """Return the credits of a request: at most one for the best role, at most one for the bits."""
        held = set(roles)
        granted: list[Credit] = []
        if held & {"broadcaster", "moderator"}:
            granted.append(Credit(reason="mod", seconds=self.mod_s))
        elif held & {"subscriber", "founder"}:
            granted.append(Credit(reason="sub", seconds=self.sub_s))
        elif "vip" in held:
            granted.append(Credit(reason="vip", seconds=self.vip_s))
        if hundreds := bits // 100:
            granted.append(Credit(reason=f"{bits} bits", seconds=min(hundreds * self.hundred_bits_s, self.bits_cap_s)))
        return granted


def lane_of(roles: Iterable[str], bits: int) -> Lane:
    """Return the lane that a request is shown in: bits first, then the best role."""
    held = set(roles)
    if bits >= 100:  # noqa: PLR2004 - the smallest amount that earns a credit
        return Lane.BITS
    if held & {"broadcaster", "moderator"}:
        return Lane.MOD
    if held & {"subscriber", "founder"}:
        return Lane.SUB
    if "vip" in held:
        return Lane.VIP
    return Lane.VIEWER
