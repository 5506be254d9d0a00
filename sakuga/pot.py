"""The pot: what several viewers ask for together, until its clock runs out and one cut is made of it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

PotState = Literal["open", "pouring", "poured", "spilled"]


class PotPolicy(BaseModel):
    """The table ``[pot]`` of the studio file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: float = Field(default=45, ge=1, le=3600, description="Seconds that a pot is open.")
    most: int = Field(default=12, ge=1, le=12, description="Viewers for whom there is room; the last pours it.")
    least: int = Field(
        default=2,
        ge=1,
        le=12,
        description="Viewers it waits for: with fewer its clock runs a second time.",
    )


class PotLine(BaseModel):
    """What a viewer put into a pot."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)  # words are not for logs

    viewer: str
    """Who it is, as in `twitch:3000`; a name made up for somebody without one."""
    called: list[str] = Field(default_factory=list)
    """What bans and retractions call them: by id, and by login."""
    platform: str
    login: str
    """As it may be shown; empty if it may not."""
    name: str
    """The name to show."""
    words: str
    message: str = ""
    """The chat message that it came with, as platform:id."""
    held_for: str = ""
    """Why a moderator must look at it first; empty if nobody must."""


class Pot(BaseModel):
    """A pot. Times are seconds since 1970 by the broker's clock."""

    model_config = ConfigDict(frozen=True)

    id: str
    state: PotState
    opened_at: float
    closes_at: float
    lines: list[PotLine] = Field(default_factory=list)
    """In the order in which viewers came; gone once it is poured."""
    job_id: str | None = None
    reason: str | None = None
    """Code of the refusal for which nothing was made of it."""

    @property
    def names(self) -> list[str]:
        """The names of all whose words are in it."""
        return [line.name for line in self.lines]


class Poured(BaseModel):
    """What became of a pot."""

    model_config = ConfigDict(frozen=True)

    pot_id: str = Field(examples=["pot_01KAFK3V5N8ZQ6W3Y7T2M4R9XB"])
    job_id: str | None = Field(description="The job that was made of it.", examples=["job_01KAFK3V5N8ZQ6W3Y7T2M4R9XB"])
    reason: str | None = Field(description="Code of the refusal for which nothing was made of it.", examples=[None])


def credited(names: list[str]) -> str:
    """Return everybody's name as it is shown: "Mika + 3"."""
    first, *others = names or ["somebody"]
    return f"{first} + {len(others)}" if others else first
