"""Engines and renders in data: what can be asked of a GPU and what it says back. No engine is imported here."""

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

RenderStage = Literal["loading", "text", "denoise", "decode", "encode"]
Mode = Literal["text-to-video", "image-to-video", "video-to-video"]
"""What a render starts from, in the Hub's own names for it."""

Preset = Literal["draft", "live", "quality"]
"""How much a render may take: `draft` is small and quick, `live` is for the show, `quality` is the full schedule."""

VariantName = Literal["bf16", "fp8", "offload", "offload-fp8"]

GIGABYTE = 1024**3


class Licence(BaseModel):
    """Under which terms weights may be used."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(examples=["Apache-2.0"])
    url: str = ""
    must_accept: bool = Field(default=False, description="Whether its terms have to be agreed to before the download.")
    note: str = Field(default="", description="What a streamer should know of it.")


class Source(BaseModel):
    """Files on the Hub: a whole repository, or one file of it."""

    model_config = ConfigDict(frozen=True)

    repository: str = Field(examples=["Wan-AI/Wan2.1-T2V-1.3B-Diffusers"])
    revision: str | None = Field(
        default=None, description="The commit. Without one, that of the first download is kept."
    )
    file: str | None = Field(
        default=None, description="One file of it, or one folder; all that the engine needs if unset."
    )


class Recipe(BaseModel):
    """What a preset means for one engine. Names as in diffusers."""

    model_config = ConfigDict(frozen=True)

    num_inference_steps: int
    guidance_scale: float
    typical_s: float = Field(description="Seconds that a clip of the usual size takes, before there is history.")
    size: tuple[int, int] | None = Field(default=None, description="Width and height, where not the engine's first.")
    source: Source | None = Field(default=None, description="A distilled checkpoint or LoRA that this preset needs.")


class Variant(BaseModel):
    """One way to hold the weights, and the memory that it needs."""

    model_config = ConfigDict(frozen=True)

    name: VariantName
    vram_gb: float


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
    size_step: int = Field(default=16, description="Width and height are multiples of this.")
    modes: tuple[Mode, ...] = ("text-to-video",)
    source: Source | None = Field(default=None, description="Its weights; None where there are none.")
    extras: tuple[Source, ...] = Field(default=(), description="Further weights that it needs, such as an upscaler.")
    licence: Licence | None = None
    presets: dict[Preset, Recipe] = Field(default_factory=dict)
    variants: tuple[Variant, ...] = Field(default=(), description="Best first; the first that fits the card is taken.")
    gpus: tuple[str, ...] = Field(default=(), description="GPUs to rent, in order of preference, in Modal's names.")
    usd_per_s: float = Field(
        default=0.0, description="Dollars a second on a rented GPU: the one that is asked for first; 0 for none."
    )
    sound: bool = False
    takes_loras: bool = False

    @property
    def class_name(self) -> str:
        """The name of its class in the Modal app: wan2.1-t2v-1.3b is Wan21T2v13b."""
        return "".join(part.capitalize() for part in re.split(r"[^a-z0-9]+", self.name))

    def num_frames(self, duration_s: float) -> int:
        """Return the number of frames nearest to a duration that the engine's frame rule allows."""
        return self.fitting_frames(round(duration_s * self.fps) + 1)

    def fitting_frames(self, num_frames: int) -> int:
        """Return the allowed number of frames nearest to one that may not be."""
        return max(1, round((num_frames - 1) / self.frame_step)) * self.frame_step + 1

    def fitting_size(self, width: int, height: int) -> tuple[int, int]:
        """Return the allowed width and height nearest to those asked for, in pixels."""
        step = self.size_step
        return max(1, round(width / step)) * step, max(1, round(height / step)) * step


class Adapter(BaseModel):
    """A LoRA to draw with: a character's or a style's."""

    model_config = ConfigDict(frozen=True)

    name: str
    file: str | None = Field(default=None, description="Path of a .safetensors file below the media folder.")
    source: Source | None = Field(default=None, description="Or where it lies on the Hub.")
    weight: float = 1.0


MODAL_APP = "sakuga"
MODAL_PROGRESS = "sakuga-progress"
"""Queue of the app: one partition per `attempt_key`, items {"run", "progress"}, and {"run", "ended": True} at last."""

MODAL_CLAIMS = "sakuga-claims"
"""Dict of the app: `attempt_key` -> id of the function call that renders it, so that none is paid for twice."""

MODAL_KEPT = "sakuga-kept"
"""Dict of the app: the key of a `Kept` -> the pool that it tells of, which the app itself lets go of in the end."""

MODAL_LONGEST_S = 20 * 60
"""Seconds after which the app ends a drawing, whoever still waits for it."""


class Kept(BaseModel):
    """Containers that are kept warm at Modal: which, and until when unless that is renewed."""

    app: str
    class_name: str
    gpu: str | None = None
    until: float = Field(description="Seconds since 1970.")

    @property
    def key(self) -> str:
        """The same for all who keep the same."""
        return "/".join((self.app, self.class_name, self.gpu or ""))


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
    preset: Preset = "live"
    adapters: tuple[Adapter, ...] = ()
    image: str | None = Field(default=None, description="Path below the media folder of the picture to begin with.")
    video: str | None = Field(default=None, description="Path below the media folder of the video to begin with.")
    requested_by: str = Field(default="", description="The name on the title card.")
    pace_s: float = Field(default=0.0, description="Rehearsal only: seconds that the drawing should take at least.")

    @property
    def attempt_key(self) -> str:
        """The name of this attempt, shorter than 64 bytes."""
        return f"{self.job_id}.{self.attempt}"

    @property
    def words(self) -> str:
        """The whole prompt: the viewer's words, then the style's and the characters'."""
        return ", ".join(part for part in (self.prompt, self.style_prompt) if part)

    @property
    def mode(self) -> Mode:
        """What the render starts from."""
        if self.video:
            return "video-to-video"
        return "image-to-video" if self.image else "text-to-video"


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
    engine: str | None = Field(default=None, description="What draws, where it is not the engine that was asked for.")


class Making(BaseModel):
    """How a clip was made, so that it can be made again and be paid for. Names as in diffusers."""

    model_config = ConfigDict(frozen=True)

    engine: str
    preset: Preset = "live"
    mode: Mode = "text-to-video"
    repository: str = ""
    revision: str = Field(default="", description="The commit of the weights.")
    distilled: str = Field(default="", description="The preset's own weights, as repository@commit/file.")
    num_inference_steps: int = 0
    guidance_scale: float = 0.0
    adapters: tuple[str, ...] = Field(default=(), description="LoRAs as name:weight; `preset` is the preset's own.")
    variant: VariantName | None = None
    device: str = Field(default="", description="The card, as torch names it.")
    seconds: dict[RenderStage, float] = Field(default_factory=dict, description="Seconds per stage of work.")
    peak_vram_gb: float = 0.0


class Cost(BaseModel):
    """What a render cost, as estimated from measured seconds. It is no invoice."""

    model_config = ConfigDict(frozen=True)

    gpu: str = Field(description="The GPU that was asked for, which is what is paid for.")
    seconds: float = Field(description="Seconds in the container, from the start of the render to its end.")
    usd: float = Field(description="All of it: GPU, cores, memory, and the share of boot and idle.")
    usd_overhead: float = Field(default=0.0, description="The part of it that is for boot and idle.")
    rates: Literal["workspace", "table"] = Field(default="table", description="Where the prices came from.")


class RenderResult(BaseModel):
    """What was really made. The paths lie on this machine and are the caller's to remove."""

    model_config = ConfigDict(frozen=True)

    video_path: str
    poster_path: str
    width: int
    height: int
    fps: float
    num_frames: int
    has_sound: bool = False
    renderer: str = Field(default="", description="Where it was drawn; set by the renderer.")
    making: Making | None = None
    cost: Cost | None = None
