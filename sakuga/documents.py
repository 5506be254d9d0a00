"""Documents: what the gateway says to programs of ours, as far as they read it."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from sakuga.job import TERMINAL, JobError, JobStatus
from sakuga.pot import PotState, Poured
from sakuga.stage import StageState


class Document(BaseModel):
    """What the gateway says. Fields that are not named here are ignored."""

    model_config = ConfigDict(frozen=True)


class Person(Document):
    """The viewer who asked, as everyone may know them."""

    platform: str
    login: str = ""
    display_name: str = ""

    @property
    def name(self) -> str:
        """The name to show, never empty."""
        return self.display_name or self.login or "somebody"


class AcceptedJob(Document):
    """The answer to a request that was accepted, or that had been accepted before under the same key."""

    job_id: str
    number: int
    cut: str
    status: JobStatus
    queue_position: int | None = None
    eta_seconds: float | None = None
    eta_p90_seconds: float | None = None
    eta_text: str | None = None

    @property
    def terminal(self) -> bool:
        """Whether the job has ended."""
        return self.status in TERMINAL


class JobDocument(AcceptedJob):
    """A job in the queue or by its id. Durations are seconds, `progress` is 0 to 100."""

    stage: str = "waiting"
    progress: float = 0.0
    requested_by: Person
    video_url: str | None = None
    poster_url: str | None = None
    clip_id: str | None = None
    error: JobError | None = None
    poll_after_ms: int | None = None


class QueueDocument(Document):
    """Who is being drawn and who waits, first to last."""

    open: bool = True
    paused: bool
    held_count: int = 0
    slots: int
    waiting_count: int
    seconds_each: float | None = None
    running: tuple[JobDocument, ...] = ()
    waiting: tuple[JobDocument, ...] = ()


class ClipDocument(Document):
    """A finished clip. `duration` is seconds."""

    clip_id: str
    job_id: str
    number: int
    cut: str
    requested_by: Person
    video_url: str
    poster_url: str
    duration: float
    finished_at: datetime


class StageDocument(Document):
    """What is on air, and what it needs to be shown."""

    state: StageState
    revision: int
    since: datetime | None = None
    until: datetime | None = None
    server_time: datetime
    clip: ClipDocument | None = None
    last_result: str | None = None
    cooking: tuple[str, ...] = ()
    next: tuple[JobDocument, ...] = ()
    waiting_count: int = 0
    paused: bool = False
    poll_after_ms: int = 500


class ClipsPage(Document):
    """Clips, newest first."""

    clips: tuple[ClipDocument, ...]
    next_before: str | None = None


class HealthDocument(Document):
    """Whether the studio can work."""

    status: str = Field(examples=["healthy", "degraded", "unhealthy"])
    version: str


class SessionDocument(Document):
    """The stream session that is live, or the last one, and how many jobs ended together with it just now."""

    session_id: str | None = None
    live: bool = False
    cancelled: int = 0


class RendererDocument(Document):
    """Where it is drawn, whether a GPU is kept ready there and should be, and the code of what hinders it."""

    name: str | None = None
    engines: tuple[str, ...] = ()
    gpu: str | None = None
    warm: bool = False
    wanted: bool = False
    until: datetime | None = None
    trouble: str | None = None


class CatalogEntry(Document):
    """A style or a character that can be asked for by name."""

    name: str
    title: str = ""


class CatalogDocument(Document):
    """What can be asked for."""

    style: str
    styles: tuple[CatalogEntry, ...] = ()
    characters: tuple[CatalogEntry, ...] = ()


class PotDocument(Document):
    """What viewers put together, and when that is poured."""

    pot_id: str
    state: PotState
    names: tuple[str, ...] = ()
    opened_at: datetime
    closes_at: datetime


class PotsDocument(Document):
    """The pot that is open, or the last one, and what became of those before."""

    pot: PotDocument | None = None
    poured: tuple[Poured, ...] = ()


class JoinedDocument(Document):
    """A pot that somebody has put words into."""

    joined: str
    pot: PotDocument


class ShowDocument(Document):
    """What moderators set for requests that name nothing."""

    style: str | None = None
    characters: tuple[str, ...] | None = None


class CancelDocument(Document):
    """How far the end of a job has come: `cancelled`, `cancelling`, or how it had ended before."""

    job_id: str
    status: str


class VoteDocument(Document):
    """What a vote was for."""

    job_id: str
    votes: int | None = None
