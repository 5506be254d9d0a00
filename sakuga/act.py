"""Acts: what moderators did, as it stands in the audit log, and how it is undone."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

ActType = Literal[
    "job.amended",
    "job.cancelled",
    "job.held",
    "job.approved",
    "job.rejected",
    "job.retried",
    "queue.paused",
    "queue.resumed",
    "queue.opened",
    "queue.closed",
    "queue.drained",
    "queue.cleared",
    "session.began",
    "session.ended",
    "ban.added",
    "ban.removed",
    "ballot.opened",
    "ballot.closed",
    "stage.dumped",
    "stage.released",
    "budget.refilled",
    "clip.removed",
    "chat.retracted",
    "show.set",
    "act.undone",
]


class Act(BaseModel):
    """One act. `undo` is the method of `Moderation` that takes it back, with its arguments."""

    model_config = ConfigDict(frozen=True)

    type: ActType = Field(examples=["job.amended"])
    by: str = Field(
        max_length=120,
        description="Name of the key that it was done with, and for whom if it said so.",
        examples=["alice", "twitch:alice via chat"],
    )
    job_id: str | None = Field(default=None, examples=["job_01KAFK3V5N8ZQ6W3Y7T2M4R9XB"])
    viewer: str | None = Field(default=None, examples=["twitch:3000"])
    reason: str = Field(default="", max_length=200, description="Why, in the moderator's words.")
    detail: dict[str, Any] = Field(default_factory=dict, description="What was changed, without prompts.")
    moved_s: float = Field(default=0.0, description="Seconds of head start that it gave or took.")
    undo: str | None = Field(default=None, description="What takes it back; null for what can't be undone.")


class Entry(BaseModel):
    """An act in the log."""

    id: str = Field(description="Id in the log; grows with time.", examples=["1795154400000-0"])
    at: float = Field(description="Seconds since 1970 by the broker's clock.")
    undone: bool = False
    act: Act
