"""Documents: what the gateway says about jobs, the queue, the stage and clips, field by field."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api.forecast import Forecast, eta_of
from sakuga.budget import dollars
from sakuga.clip import Clip
from sakuga.engine import Mode, Preset
from sakuga.job import WAITING, Job, JobError, JobStatus, RequestedBy
from sakuga.lane import Credit, Lane

JOB_ID = "job_01KAFK3V5N8ZQ6W3Y7T2M4R9XB"
CLIP_ID = "clip_01KAFK3V5N8ZQ6W3Y7T2M4R9XB"
POLL_WAITING_MS = 1000
POLL_RUNNING_MS = 500

JobId = Annotated[str, Field(examples=[JOB_ID])]
ClipId = Annotated[str, Field(examples=[CLIP_ID])]
Time = Annotated[str, Field(description="UTC, RFC 3339.", examples=["2026-11-20T14:03:10.512Z"])]
Cut = Annotated[str, Field(description="The number as shown everywhere.", examples=["C-042"])]

ParentId = Annotated[str | None, Field(description="Clip or job of which it is a remix.", examples=[None])]
ParentNumber = Annotated[int | None, Field(description="The number of that cut: 12 is C-012.", examples=[None])]
Ensemble = Annotated[list[str], Field(description="Names of all who asked together; empty for one.", examples=[[]])]

EtaSeconds = Annotated[int | None, Field(description="Seconds until the clip is likely ready, as far as known.")]
EtaMostSeconds = Annotated[int | None, Field(description="Nine of ten clips are ready within so many seconds.")]
EstimateUsd = Annotated[float, Field(description="Dollars that it will likely cost; 0 where drawing is free.")]
EtaText = Annotated[str | None, Field(description="The same two as people say it.")]


def time_of(seconds: float) -> str:
    """Return seconds since 1970 as RFC 3339 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Document(BaseModel):
    """A document that is only ever sent."""

    model_config = ConfigDict(frozen=True)


class Requester(Document):
    """Who asked. Plain text, never HTML."""

    platform: str = Field(examples=["twitch"])
    login: str = Field(examples=["mika"])
    display_name: str = Field(examples=["Mika"])

    @classmethod
    def of(cls, viewer: RequestedBy) -> "Requester":
        """Leave out what others need not know."""
        return cls(platform=viewer.platform, login=viewer.login, display_name=viewer.name)


class AcceptedDocument(Document):
    """A request that was taken in."""

    job_id: JobId
    number: int = Field(examples=[42])
    cut: Cut
    status: JobStatus = Field(examples=["queued"])
    queue_position: int | None = Field(description="Place among those that wait; 1 is next.", examples=[3])
    eta_seconds: EtaSeconds = Field(examples=[140])
    eta_p90_seconds: EtaMostSeconds = Field(default=None, examples=[200])
    eta_text: EtaText = Field(default=None, examples=["about 2 min, at most 4"])
    estimate_usd: EstimateUsd = Field(default=0.0, examples=[0.0078])
    status_url: str = Field(examples=[f"/status/{JOB_ID}"])


class JobDocument(Document):
    """What is common to a job wherever it is listed."""

    job_id: JobId
    number: int = Field(examples=[42])
    cut: Cut
    status: JobStatus = Field(examples=["rendering"])
    stage: str = Field(
        description="The work in hand: waiting, loading, text, denoise, decode, encode or done.", examples=["denoise"]
    )
    progress: float = Field(
        description="Percent of the render, 0 to 100; never falls within an attempt.", examples=[58.0]
    )
    queue_position: int | None = Field(description="Place among those that wait; 1 is next.", examples=[None])
    eta_seconds: EtaSeconds = Field(examples=[14])
    eta_p90_seconds: EtaMostSeconds = Field(default=None, examples=[19])
    eta_text: EtaText = Field(default=None, examples=["about 10 s, at most 20"])
    prompt: str = Field(examples=["girl with sword, neon rain"])
    style: str = Field(examples=["neon"])
    engine: str = Field(description="What draws it, or has drawn it.", examples=["rehearsal"])
    preset: Preset = Field(description="How much the render may take, or took.", examples=["live"])
    characters: list[str] = Field(description="Who plays in it, by name.", examples=[["hana"]])
    lane: Lane
    credits: list[Credit] = Field(description="Why the job stands where it stands: seconds of head start.")
    explanation: str = Field(
        description="The same in words, with the studio's time of day.",
        examples=["sub +300 s, 100 bits +60 s, asked 14:03:10"],
    )
    bound_seconds: int = Field(
        description="Who asks later than so many seconds after it can't pass it, unless a moderator says so.",
        examples=[2010],
    )
    start_number: float = Field(description="Time of request minus credits; the lowest goes next.")
    requested_by: Requester
    requested_at: Time
    attempt: int = Field(description="How often the render was begun.", examples=[1])
    parent: ParentId = None
    parent_number: ParentNumber = None
    ensemble: Ensemble = []

    @classmethod
    def fields_of(cls, job: Job, place: int | None, forecast: Forecast) -> dict[str, Any]:
        """Return the common fields."""
        return {
            "job_id": job.id,
            "number": job.number,
            "cut": job.cut,
            "status": job.status,
            "stage": job.stage,
            "progress": job.progress,
            "queue_position": place,
            **eta_of(forecast.estimate(job, place)),
            "prompt": "" if job.unseen else job.prompt,
            "style": job.style,
            "engine": job.drawing or job.engine,
            "preset": job.preset,
            "characters": job.characters,
            "lane": job.lane,
            "credits": job.credits,
            "explanation": job.explanation,
            "bound_seconds": max(0, round(forecast.most_credit_s - sum(credit.seconds for credit in job.credits))),
            "start_number": job.start_number,
            "requested_by": Requester.of(job.requested_by),
            "requested_at": time_of(job.requested_at),
            "attempt": job.attempt,
            "parent": job.parent or None,
            "parent_number": job.parent_number or None,
            "ensemble": job.ensemble,
        }

    @classmethod
    def waiting(cls, job: Job, place: int, forecast: Forecast) -> "JobDocument":
        """Describe a job that waits."""
        return cls(**cls.fields_of(job, place, forecast))

    @classmethod
    def running(cls, job: Job, forecast: Forecast) -> "JobDocument":
        """Describe a job in a slot."""
        return cls(**cls.fields_of(job, None, forecast))


class StatusDocument(JobDocument):
    """Everything about one job."""

    seed: int = Field(examples=[7])
    estimate_usd: EstimateUsd = Field(default=0.0, examples=[0.0078])
    cost_usd: float | None = Field(default=None, description="Dollars that it cost, once it ended.", examples=[None])
    preview_url: str | None = Field(description="The picture so far, while it is drawn.", examples=[None])
    renderer: str | None = Field(description="Where it was drawn, once it is.", examples=[None])
    clip_id: str | None = Field(examples=[CLIP_ID])
    video_url: str | None = Field(examples=[f"/clips/{CLIP_ID}/video"])
    poster_url: str | None = Field(examples=[f"/clips/{CLIP_ID}/poster"])
    duration: float | None = Field(description="Seconds of the finished clip.", examples=[5.0625])
    resolution: str | None = Field(description="Of the finished clip, in pixels.", examples=["832x480"])
    error: JobError | None = Field(description="Why there is no clip, once the job has failed.")
    poll_after_ms: int | None = Field(
        description="When to ask again; null when nothing will change any more.", examples=[500]
    )

    @classmethod
    def of(cls, job: Job, place: int | None, forecast: Forecast, clip: Clip | None) -> "StatusDocument":
        """Describe a job."""
        drawn = job.preview is not None and not (job.terminal or job.unseen)
        made = clip.model_dump(include={"engine", "preset", "renderer"}) if clip else {"renderer": None}
        return cls(
            **cls.fields_of(job, place, forecast) | made,
            seed=job.seed,
            estimate_usd=dollars(job.estimate),
            cost_usd=dollars(job.spent) if job.terminal else None,
            preview_url=f"/status/{job.id}/preview?v={job.preview}" if drawn else None,
            clip_id=clip.id if clip else None,
            video_url=f"/clips/{clip.id}/video" if clip else None,
            poster_url=f"/clips/{clip.id}/poster" if clip else None,
            duration=clip.duration_s if clip else None,
            resolution=f"{clip.width}x{clip.height}" if clip else None,
            error=job.error,
            poll_after_ms=None if job.terminal else POLL_WAITING_MS if job.status in WAITING else POLL_RUNNING_MS,
        )


class QueueDocument(Document):
    """The whole queue."""

    open: bool = Field(description="Whether requests are taken.", examples=[True])
    paused: bool = Field(description="Whether waiting jobs are kept waiting.")
    draining: bool = Field(description="Whether the GPU is let go of once nobody waits any more.", examples=[False])
    held_count: int = Field(description="Jobs that wait for a moderator; they take places too.", examples=[0])
    slots: int = Field(description="Renders that may run at a time.", examples=[1])
    waiting_count: int = Field(examples=[9])
    seconds_each: float = Field(description="Seconds between two clips while jobs wait.", examples=[7.1])
    running: list[JobDocument]
    waiting: list[JobDocument] = Field(description="In the order in which they go next.")


class ClipDocument(Document):
    """A finished clip."""

    clip_id: ClipId
    job_id: JobId
    number: int = Field(examples=[42])
    cut: Cut
    prompt: str = Field(examples=["girl with sword, neon rain"])
    style: str = Field(examples=["neon"])
    engine: str = Field(description="What drew it.", examples=["rehearsal"])
    renderer: str = Field(description="Where it was drawn.", examples=["rehearsal"])
    preset: Preset = Field(examples=["live"])
    mode: Mode = Field(description="What the render began with.", examples=["text-to-video"])
    characters: list[str] = Field(description="Who plays in it, by name.", examples=[["hana"]])
    seed: int = Field(examples=[7])
    requested_by: Requester
    video_url: str = Field(examples=[f"/clips/{CLIP_ID}/video"])
    poster_url: str = Field(examples=[f"/clips/{CLIP_ID}/poster"])
    duration: float = Field(description="Seconds.", examples=[5.0625])
    resolution: str = Field(examples=["832x480"])
    width: int = Field(examples=[832])
    height: int = Field(examples=[480])
    fps: float = Field(examples=[16.0])
    num_frames: int = Field(examples=[81])
    has_sound: bool
    bytes: int = Field(examples=[1200000])
    render_seconds: float = Field(examples=[6.2])
    attempt: int = Field(examples=[1])
    parent: ParentId = None
    parent_number: ParentNumber = None
    ensemble: Ensemble = []
    finished_at: Time

    @classmethod
    def of(cls, clip: Clip) -> "ClipDocument":
        """Describe a clip."""
        same = {
            "job_id",
            "number",
            "prompt",
            "style",
            "engine",
            "renderer",
            "preset",
            "mode",
            "characters",
            "seed",
            "width",
            "height",
            "fps",
            "num_frames",
            "has_sound",
            "bytes",
            "attempt",
            "parent",
            "parent_number",
            "ensemble",
        }
        return cls(
            **clip.model_dump(include=same),
            clip_id=clip.id,
            cut=clip.name,
            requested_by=Requester.of(clip.requested_by),
            video_url=f"/clips/{clip.id}/video",
            poster_url=f"/clips/{clip.id}/poster",
            duration=clip.duration_s,
            resolution=f"{clip.width}x{clip.height}",
            render_seconds=clip.render_s,
            finished_at=time_of(clip.finished_at),
        )


class ClipsDocument(Document):
    """Clips, newest first."""

    clips: list[ClipDocument]
    next_before: str | None = Field(
        description="Give this as `before` for older clips; null at the end.", examples=[None]
    )
