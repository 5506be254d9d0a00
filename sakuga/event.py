"""Events: facts about jobs, clips and the stage, in the past tense, as they stand in the log."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class EventType(StrEnum):
    """What can have happened."""

    JOB_QUEUED = "job.queued"
    JOB_HELD = "job.held"
    JOB_APPROVED = "job.approved"
    JOB_REJECTED = "job.rejected"
    JOB_EXPIRED = "job.expired"
    JOB_MOVED = "job.moved"
    JOB_EDITED = "job.edited"
    JOB_ADMITTED = "job.admitted"
    JOB_STARTED = "job.started"
    JOB_PROGRESSED = "job.progressed"
    JOB_RETRIED = "job.retried"
    JOB_FINISHING = "job.finishing"
    JOB_SUCCEEDED = "job.succeeded"
    JOB_FAILED = "job.failed"
    JOB_CANCELLED = "job.cancelled"
    CLIP_READY = "clip.ready"
    CLIP_REMOVED = "clip.removed"
    STAGE_CHANGED = "stage.changed"
    QUEUE_CHANGED = "queue.changed"
    SESSION_BEGAN = "session.began"
    SESSION_ENDED = "session.ended"
    BALLOT_OPENED = "ballot.opened"
    VOTE_CAST = "vote.cast"
    BALLOT_CLOSED = "ballot.closed"
    SHOW_CHANGED = "show.changed"
    POT_OPENED = "pot.opened"
    POT_JOINED = "pot.joined"
    POT_POURED = "pot.poured"
    BAN_ADDED = "ban.added"
    BAN_REMOVED = "ban.removed"
    BUDGET_CHANGED = "budget.changed"
    SUPPORT_RECEIVED = "support.received"
    WEBHOOK_DISABLED = "webhook.disabled"


class Event(BaseModel):
    """One fact. `id` grows with time and can be used to read on from."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(examples=["1795154400000-0"])
    type: EventType
    data: dict[str, Any] = Field(examples=[{"job_id": "job_01KAFK3V5N8Z", "number": 42}])
