"""A job: one viewer's request, from acceptance to its end."""

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from ulid import ULID

from sakuga.engine import Preset
from sakuga.lane import Credit, Lane


class JobStatus(StrEnum):
    """Where a job is in its life."""

    HELD = "held"
    QUEUED = "queued"
    STARTING = "starting"
    RENDERING = "rendering"
    FINISHING = "finishing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"


WAITING = frozenset({JobStatus.HELD, JobStatus.QUEUED})
RUNNING = frozenset({JobStatus.STARTING, JobStatus.RENDERING, JobStatus.FINISHING})
TERMINAL = frozenset(JobStatus) - WAITING - RUNNING

# A running job may fall back to `starting` (next attempt) or `queued` (arq lost it); an end is final.
TRANSITIONS: Mapping[JobStatus, frozenset[JobStatus]] = {
    JobStatus.HELD: frozenset({JobStatus.QUEUED, JobStatus.REJECTED, JobStatus.CANCELLED, JobStatus.EXPIRED}),
    JobStatus.QUEUED: frozenset(
        {JobStatus.HELD, JobStatus.STARTING, JobStatus.REJECTED, JobStatus.CANCELLED, JobStatus.EXPIRED}
    ),
    JobStatus.STARTING: frozenset(
        {JobStatus.STARTING, JobStatus.RENDERING, JobStatus.QUEUED, JobStatus.FAILED, JobStatus.CANCELLED}
    ),
    JobStatus.RENDERING: frozenset(
        {JobStatus.STARTING, JobStatus.FINISHING, JobStatus.QUEUED, JobStatus.FAILED, JobStatus.CANCELLED}
    ),
    JobStatus.FINISHING: frozenset(
        {JobStatus.STARTING, JobStatus.SUCCEEDED, JobStatus.QUEUED, JobStatus.FAILED, JobStatus.CANCELLED}
    ),
    **{status: frozenset[JobStatus]() for status in TERMINAL},
}


def sources_of(status: JobStatus) -> frozenset[JobStatus]:
    """Return the states that may turn into `status`."""
    return frozenset(before for before, after in TRANSITIONS.items() if status in after)


def new_job_id() -> str:
    """Return a fresh id whose alphabetical order is the order of creation."""
    return f"job_{ULID()}"


def cut(number: int) -> str:
    """Return the cut number of a job as it is shown everywhere: 42 is C-042."""
    return f"C-{number:03d}"


def pace(engine: str, preset: str) -> str:
    """Return the name under which the length of renders is remembered: one for each engine and preset."""
    return f"{engine}/{preset}"


SAME = {"prompt", "direction", "style", "engine", "preset", "duration_s", "seed", "lane", "parent", "parent_number"}
LISTS = ("characters", "ensemble", "crowd")


class RequestedBy(BaseModel):
    """The viewer who asked. Names are shown as plain text and never trusted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    platform: Literal["twitch", "youtube", "kick", "studio", "api"] = Field(
        default="api", description="Where the viewer is."
    )
    id: str = Field(
        default="",
        max_length=64,
        pattern=r"^\S*$",
        description="The platform's id of the viewer: letters, digits and signs, without spaces.",
        examples=["3000"],
    )
    login: str = Field(default="", max_length=64, description="The viewer's login name.", examples=["mika"])
    display_name: str = Field(default="", max_length=64, description="The name to show.", examples=["Mika"])
    roles: list[Literal["subscriber", "founder", "vip", "moderator", "broadcaster"]] = Field(
        default_factory=list,
        max_length=8,
        description="Badges that the platform vouches for.",
        examples=[["subscriber"]],
    )
    bits: int = Field(default=0, ge=0, le=1_000_000, description="Bits cheered with the request.", examples=[0])

    @property
    def name(self) -> str:
        """The name to show, never empty."""
        return self.display_name or self.login or "somebody"

    @property
    def viewer(self) -> str:
        """Who it is, for limits, votes and bans: `twitch:3000`; empty if nobody said."""
        known = "".join((self.id or self.login.lower()).split()).replace("/", "")
        return f"{self.platform}:{known}" if known else ""

    @property
    def by_login(self) -> str:
        """The same by login, for bans that name one; empty without a login, and for one that looks like an id."""
        return f"{self.platform}:{self.login.lower()}" if self.login and not self.login.isdecimal() else ""


class JobError(BaseModel):
    """Why a job ended without a clip."""

    code: str = Field(examples=["render_failed"])
    message: str = Field(examples=["The drawing failed: out of memory. Ask again with another prompt or seed."])


class Job(BaseModel):
    """A job as it is stored. Times are seconds since 1970 by the broker's clock."""

    model_config = ConfigDict(hide_input_in_errors=True)  # prompts are not for logs

    id: str
    number: int
    status: JobStatus
    prompt: str
    direction: str = ""  # what the engine is told in its place, by the prompt helper
    style: str
    engine: str
    preset: Preset = "live"
    characters: list[str] = Field(default_factory=list)
    duration_s: float
    seed: int
    requested_by: RequestedBy
    lane: Lane
    credits: list[Credit] = Field(default_factory=list)
    requested_at: float
    start_number: float
    expires_at: float | None = None
    viewer: str = ""
    session: str = ""  # the stream session in which it was asked for
    held_for: str = ""  # why it waits for a moderator; never words of the prompt
    retry_of: str = ""
    retried_as: str = ""
    parent: str = ""  # the clip or the job of which it is a remix
    parent_number: int = 0  # the cut number of that; 0 without a parent
    ensemble: list[str] = Field(default_factory=list)  # the names of all who asked together, in a pot
    crowd: list[str] = Field(default_factory=list)  # what bans and retractions call them, as in twitch:3000
    estimate: int = 0  # millionths of a dollar, foreseen
    spent: int = 0  # millionths of a dollar, by all its attempts
    bits: int = 0  # that were paid for it, those of the viewer's purse included
    redemption: str = ""  # that was spent on it, as platform:id
    stage: str = "waiting"
    progress: float = 0.0
    attempt: int = 0
    handle: str | None = None
    drawing: str | None = None  # the engine of this attempt, where it is not the one that was asked for
    preview: int | None = None  # version of the preview picture
    admitted_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    error: JobError | None = None
    clip_id: str | None = None
    revision: int = 1

    @property
    def cut(self) -> str:
        """The cut number, as in C-042."""
        return cut(self.number)

    @property
    def pace(self) -> str:
        """The name under which the length of its render is remembered."""
        return pace(self.engine, self.preset)

    @property
    def terminal(self) -> bool:
        """Whether the job has ended."""
        return self.status in TERMINAL

    @property
    def unseen(self) -> bool:
        """Whether nobody but moderators may see what it asks for: also once it ended without anybody's approval."""
        return bool(self.held_for) or self.status in {JobStatus.HELD, JobStatus.REJECTED}

    @property
    def wishes(self) -> dict[str, str | float]:
        """What it asks for, as the queue takes it: another job with the same ones would draw the same."""
        same = self.model_dump(include=SAME)
        lists = {name: json.dumps(getattr(self, name), ensure_ascii=False) for name in LISTS}
        return same | lists | {"requested_by": self.requested_by.model_dump_json()}

    @property
    def explanation(self) -> str:
        """Why it stands where it stands, as in "sub +300 s, asked 14:03:10"; the time of day is this machine's."""
        asked = datetime.fromtimestamp(self.requested_at).astimezone().strftime("%H:%M:%S")
        return ", ".join([*(credit.words for credit in self.credits), f"asked {asked}"])
