"""A redemption: points that a viewer spent on a request, and what the platform is owed for it."""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

PLATFORM = r"^[a-z]{3,10}$"
IDENTITY = r"^[A-Za-z0-9_.-]{1,100}$"
REASON_LENGTH = 100

Outcome = Literal["fulfilled", "refunded"]


class RedemptionState(StrEnum):
    """Where a redemption is in its life: a job holds it, then it waits in the outbox, then it is settled."""

    HELD = "held"
    DUE = "due"
    SETTLED = "settled"


class Redeemed(BaseModel):
    """A redemption as a request names it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    platform: str = Field(pattern=PLATFORM, description="Where the points were spent.", examples=["twitch"])
    id: str = Field(
        pattern=IDENTITY,
        description="The platform's id of the redemption.",
        examples=["92af127c-7326-4483-a52b-b0da0be61c01"],
    )
    reward_id: str = Field(
        default="",
        max_length=100,
        pattern=r"^[A-Za-z0-9_.-]*$",
        description="The platform's id of the reward.",
        examples=["73f1c0d2-9b1c-4d3f-8f0b-7f3c6a3e2b11"],
    )
    cost: int = Field(default=0, ge=0, le=100_000_000, description="Points that it cost.", examples=[500])

    @property
    def name(self) -> str:
        """What it is kept under: ids of two platforms may be the same."""
        return named(self.platform, self.id)


class Redemption(BaseModel):
    """A redemption as it is stored. `at` is when it came into its state: seconds since 1970 by the broker's clock."""

    platform: str
    redemption_id: str
    reward_id: str = ""
    viewer: str = ""
    name: str = ""
    cost: int = 0
    state: RedemptionState
    outcome: Outcome | None = None  # what is owed, or what was done
    job_id: str | None = None  # none where its request was refused
    reason: str = ""
    at: float


def named(platform: str, redemption_id: str) -> str:
    """Return the name under which a redemption is kept."""
    return f"{platform}:{redemption_id}"
