"""Lanes and credits: who asked and how, and the head start that it earns."""

from collections.abc import Iterable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Lane(StrEnum):
    """The way into the queue. A job has one."""

    VIEWER = "viewer"
    SUB = "sub"
    VIP = "vip"
    BITS = "bits"
    MOD = "mod"


class Credit(BaseModel):
    """Seconds of head start with the reason that everyone may read. Negative ones push back."""

    model_config = ConfigDict(frozen=True)

    reason: str = Field(max_length=60, examples=["sub", "300 bits", "2 votes"])
    seconds: float = Field(examples=[300.0])


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
    bits_cap_s: float = Field(default=900, ge=0, le=86400, description="The most that bits can earn, in seconds.")

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
