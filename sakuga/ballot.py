"""Ballots and votes: how a chat says what it wants to see next."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

CHOICES = 3


class VotePolicy(BaseModel):
    """The table ``[votes]`` of the studio file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    upvote_s: float = Field(default=15, ge=0, le=86400, description="Head start for each viewer who votes for a job.")
    upvotes_cap_s: float = Field(default=150, ge=0, le=86400, description="The most that such votes earn, in seconds.")
    win_s: float = Field(default=300, ge=0, le=86400, description="Head start of the job that wins a ballot.")
    length_s: float = Field(default=60, ge=5, le=3600, description="Seconds that a ballot is open.")
    auto: bool = Field(default=False, description="Whether ballots open by themselves.")
    every_s: float = Field(default=300, ge=10, le=86400, description="Seconds between two that open by themselves.")


class Choice(BaseModel):
    """A job that can be voted for."""

    job_id: str
    number: int
    votes: int = 0


class Ballot(BaseModel):
    """A vote over waiting jobs. Times are seconds since 1970 by the broker's clock."""

    id: str
    state: Literal["open", "closed"]
    choices: list[Choice]
    opened_at: float
    closes_at: float
    winner: str | None = Field(default=None, description="The job that won; none without a vote, or if it had begun.")
