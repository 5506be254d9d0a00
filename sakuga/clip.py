"""A clip: a finished video with its poster and its sidecar (who, what, how)."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from sakuga.engine import Cost, Making, Mode, Preset, RenderResult
from sakuga.job import Job, RequestedBy, cut

FROM_THE_JOB = {"number", "prompt", "direction", "style", "characters", "seed", "requested_by", "ensemble", "attempt"}


def clip_id_of(job_id: str) -> str:
    """Return the id of the clip that a job makes; the same at each attempt, so that finishing twice is once."""
    return job_id.replace("job_", "clip_", 1)


class Filed(BaseModel):
    """What the files of a clip are named by."""

    model_config = ConfigDict(frozen=True)

    id: str
    number: int = Field(examples=[42])

    @property
    def stem(self) -> str:
        """The name that the clip's files share, without the ending: cut number first, so that people find it."""
        return f"{cut(self.number)}-{self.id.removeprefix('clip_')}"

    @property
    def video_key(self) -> str:
        """Where the video lies in the storage."""
        return f"{self.stem}.mp4"

    @property
    def poster_key(self) -> str:
        """Where the poster lies in the storage."""
        return f"{self.stem}.jpg"

    @property
    def sidecar_key(self) -> str:
        """Where the sidecar lies in the storage."""
        return f"{self.stem}.json"


class Clip(Filed):
    """The sidecar of a clip: the truth about it, kept as JSON beside the video.

    `engine`, `preset` and `renderer` are those that drew it, which a fall-back may have chosen.
    """

    job_id: str
    prompt: str
    direction: str = Field(default="", description="What the engine was told in its place, by the prompt helper.")
    style: str
    engine: str
    renderer: str
    preset: Preset = "live"
    mode: Mode = "text-to-video"
    characters: list[str] = Field(default_factory=list, examples=[["hana"]])
    seed: int
    parent: str | None = Field(default=None, description="The clip or job of which this is a remix.")
    parent_number: int | None = Field(default=None, description="The cut number of that.", examples=[12])
    requested_by: RequestedBy
    ensemble: list[str] = Field(default_factory=list, description="The names of all who asked together.")
    width: int = Field(description="Pixels.", examples=[832])
    height: int = Field(description="Pixels.", examples=[480])
    fps: float = Field(examples=[16.0])
    num_frames: int = Field(examples=[81])
    has_sound: bool = False
    duration_s: float = Field(examples=[5.0625])
    bytes: int = Field(description="Size of the video.", examples=[1200000])
    render_s: float = Field(description="Seconds from the start of the render to its end.", examples=[6.2])
    attempt: int = Field(examples=[1])
    finished_at: float = Field(description="Seconds since 1970.", examples=[1795154400.0])
    making: Making | None = Field(default=None, description="How it was made, where there was a model.")
    cost: Cost | None = Field(default=None, description="What it cost, as estimated; for the streamer alone.")

    @property
    def name(self) -> str:
        """The cut number, as in C-042."""
        return cut(self.number)

    @classmethod
    def of(cls, job: Job, *, renderer: str, result: RenderResult, finished_at: float) -> "Clip":
        """Write the sidecar of a job's finished video; `renderer` is for a result that doesn't name its own."""
        making = result.making or Making(engine=job.engine, preset=job.preset)
        return cls(
            **job.model_dump(include=FROM_THE_JOB),
            **result.model_dump(include={"width", "height", "fps", "num_frames", "has_sound", "making", "cost"}),
            **making.model_dump(include={"engine", "preset", "mode"}),
            parent=job.parent or None,
            parent_number=job.parent_number or None,
            id=clip_id_of(job.id),
            job_id=job.id,
            renderer=result.renderer or renderer,
            duration_s=result.num_frames / result.fps,
            bytes=Path(result.video_path).stat().st_size,
            render_s=round(finished_at - (job.started_at or finished_at), 3),
            finished_at=finished_at,
        )
