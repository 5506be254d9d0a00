"""Engines and renders in data: what can be asked of a GPU and what it says back. No engine is imported here."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

RenderStage = Literal["loading", "text", "denoise", "decode", "encode"]


class EngineSpec(BaseModel):
    """What an engine is and can do."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(examples=["rehearsal"])
    summary: str
    sizes: tuple[tuple[int, int], ...] = Field(description="Width and height in pixels; the first is the default.")
    fps: float
    shortest_s: float
    longest_s: float
    default_s: float
    frame_step: int = Field(description="The number of frames is a multiple of this, plus one.")
    typical_s: float = Field(description="Seconds that a render takes before there is history.")

    def num_frames(self, duration_s: float) -> int:
        """Return the number of frames nearest to a duration that the engine's frame rule allows."""
        steps = max(1, round(duration_s * self.fps / self.frame_step))
        return steps * self.frame_step + 1


class RenderRequest(BaseModel):
    """What a renderer is asked to draw. Names as in diffusers."""

    model_config = ConfigDict(frozen=True)

    job_id: str
    number: int
    attempt: int
    engine: str
    prompt: str
    style: str
    style_prompt: str = ""
    negative_prompt: str = ""
    seed: int
    width: int
    height: int
    num_frames: int
    fps: float
    requested_by: str = Field(default="", description="The name on the title card.")
    pace_s: float = Field(default=0.0, description="Rehearsal only: seconds that the drawing should take at least.")


class Progress(BaseModel):
    """One report from a running render. `sequence` grows by one, so that a reader can resume."""

    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")

    sequence: int
    stage: RenderStage
    step: int = 0
    total: int = 0
    fraction: float = Field(ge=0, le=1, description="How much of the whole render is done.")
    seconds_left: float | None = None
    preview: bytes | None = Field(default=None, description="A small JPEG of the picture so far.")


class RenderResult(BaseModel):
    """What was really made. The paths lie on this machine and are the caller's to remove."""

    model_config = ConfigDict(frozen=True)

    video_path: str
    poster_path: str
    width: int
    height: int
    fps: float
    num_frames: int
