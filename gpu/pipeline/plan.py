"""A plan: a request, fitted to an engine's rules."""

from dataclasses import dataclass, field
from typing import Any, Self

from gpu.engines import Place
from gpu.media import open_picture, open_video
from sakuga.engine import EngineSpec, Recipe, RenderRequest
from sakuga.errors import RenderFailed


@dataclass
class Plan:
    """What is really drawn: sizes and lengths that the model was made for."""

    request: RenderRequest
    recipe: Recipe
    width: int
    height: int
    num_frames: int
    image: Any = None  # PIL picture of width x height
    video: list[Any] = field(default_factory=list)  # PIL pictures of width x height

    @property
    def guided(self) -> bool:
        """Whether the negative prompt plays a part."""
        return self.recipe.guidance_scale > 1

    @property
    def arguments(self) -> dict[str, Any]:
        """What the call of every pipeline takes; None where there is nothing to say."""
        return {
            "prompt": self.request.words,
            "negative_prompt": self.request.negative_prompt if self.guided else None,
            "height": self.height,
            "width": self.width,
            "num_frames": self.num_frames,
            "num_inference_steps": self.recipe.num_inference_steps,
            "guidance_scale": self.recipe.guidance_scale,
        }

    @classmethod
    def of(cls, request: RenderRequest, spec: EngineSpec, place: Place) -> Self:
        """Fit a request to the rules. Raises RenderFailed for what the engine can't do, MediaMissing."""
        recipe = spec.presets.get(request.preset)
        if recipe is None:
            raise RenderFailed(reason=f"{spec.name} has no preset {request.preset}")
        if request.mode not in spec.modes:
            raise RenderFailed(reason=f"{spec.name} does not draw {request.mode}")
        width, height = spec.fitting_size(request.width, request.height)
        longest = spec.num_frames(spec.longest_s)
        plan = cls(request, recipe, width, height, min(spec.fitting_frames(request.num_frames), longest))
        if request.image:
            plan.image = open_picture(place.media, request.image, (width, height))
        if request.video:
            plan.video = open_video(place.media, request.video, (width, height), plan.num_frames, spec.fps)
        return plan
