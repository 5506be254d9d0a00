"""Support: what viewers give without asking for a clip, and how many bits that is worth in their purse."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sakuga.job import RequestedBy

SupportKind = Literal["cheer", "refused", "sub", "gift", "raid", "superchat", "member"]
PAID_IN_BITS: frozenset[SupportKind] = frozenset({"cheer", "refused"})


class Support(BaseModel):
    """What a viewer gave."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "id": "2f1d6e1c-93b4-4f5e-9d0a-5b1f6d2c7a90",
                    "kind": "cheer",
                    "viewer": {"platform": "twitch", "id": "3000", "login": "mika", "display_name": "Mika"},
                    "amount": 150,
                }
            ]
        },
    )

    id: str = Field(
        min_length=1,
        max_length=100,
        pattern=r"^[!-~]*$",
        description="The platform's id of the message or event. Sent again within a day, it counts once.",
    )
    kind: SupportKind = Field(
        description="`refused`: bits of a request that was refused; the rest are what the platforms call so."
    )
    viewer: RequestedBy = Field(description="Who gave it.")
    amount: int = Field(
        ge=0,
        le=10_000_000,
        description="Bits of cheer and refused, gifts of gift, viewers of raid, cents of superchat; else unused.",
    )

    @property
    def name(self) -> str:
        """What it is remembered under."""
        return f"{self.viewer.platform}:{self.id}"


class PaidPolicy(BaseModel):
    """The table ``[paid]`` of the studio file: bits that support adds to a viewer's purse. A cheer counts as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sub_bits: int = Field(default=100, ge=0, le=10_000, description="Bits for a sub that a viewer announces.")
    gift_bits: int = Field(default=100, ge=0, le=10_000, description="Bits for each sub that a viewer gives away.")
    member_bits: int = Field(default=100, ge=0, le=10_000, description="Bits for a new member or a milestone of one.")
    raid_bits: float = Field(default=0, ge=0, le=100, description="Bits for each viewer that a raid brings.")
    superchat_bits: float = Field(default=1, ge=0, le=10, description="Bits for each cent of a Super Chat.")

    def bits_of(self, support: Support) -> int:
        """Return what a support adds to the purse of who gave it, in whole bits."""
        match support.kind:
            case "cheer" | "refused":
                return support.amount
            case "sub":
                return self.sub_bits
            case "member":
                return self.member_bits
            case "gift":
                return support.amount * self.gift_bits
            case "raid":
                return int(support.amount * self.raid_bits)
            case "superchat":
                return int(support.amount * self.superchat_bits)
