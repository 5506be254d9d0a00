"""HunyuanVideo 1.5 (Tencent, 2025): text to video, and picture to video in few steps."""

import math
from typing import Any, ClassVar

from gpu.engines import Place, Report
from gpu.engines.diffusion import DiffusionEngine
from gpu.pipeline.film import Decoded
from gpu.pipeline.plan import Plan
from gpu.pipeline.tiles import in_tiles
from sakuga.engine import EngineSpec, Licence, Recipe, Source, Variant

TENCENT = Licence(
    name="Tencent Hunyuan Community License",
    url="https://huggingface.co/tencent/HunyuanVideo-1.5/blob/main/LICENSE",
    must_accept=True,
    note="Not for the European Union, the United Kingdom and South Korea; this holds for its videos too.",
)


def _spec(name: str, summary: str, source: Source, **more: Any) -> EngineSpec:
    """Return a spec with what both have in common."""
    common = {
        "sizes": ((832, 480), (480, 832)),
        "size_step": 16,
        "fps": 24.0,
        "shortest_s": 1.0,
        "longest_s": 5.0,
        "default_s": 5.0,
        "frame_step": 4,
        "licence": TENCENT,
        "variants": (
            Variant(name="bf16", vram_gb=50),
            Variant(name="fp8", vram_gb=40),
            Variant(name="offload", vram_gb=18),
            Variant(name="offload-fp8", vram_gb=14),
        ),
        "gpus": ("H100", "A100-80GB"),
    }
    return EngineSpec(name=name, summary=summary, source=source, **(common | more))


SPECS: dict[str, EngineSpec] = {
    spec.name: spec
    for spec in (
        _spec(
            "hunyuanvideo-1.5",
            "HunyuanVideo 1.5: text to video with the full schedule.",
            Source(
                repository="hunyuanvideo-community/HunyuanVideo-1.5-Diffusers-480p_t2v",
                revision="286be7ce72277246578a3e3cc2487e95ddae5bcf",
            ),
            typical_s=160.0,
            presets={
                "draft": Recipe(num_inference_steps=20, guidance_scale=6.0, typical_s=42.0, size=(576, 320)),
                "live": Recipe(num_inference_steps=24, guidance_scale=6.0, typical_s=160.0),
                "quality": Recipe(num_inference_steps=50, guidance_scale=6.0, typical_s=330.0),
            },
        ),
        _spec(
            "hunyuanvideo-1.5-i2v",
            "HunyuanVideo 1.5 from a picture, distilled to twelve steps.",
            Source(
                repository="hunyuanvideo-community/HunyuanVideo-1.5-Diffusers-480p_i2v_step_distilled",
                revision="854c04a4c8a53d990b418c7478f0802c0fc8c726",
            ),
            modes=("image-to-video",),
            typical_s=36.0,
            presets={
                "draft": Recipe(num_inference_steps=8, guidance_scale=1.0, typical_s=12.0, size=(576, 320)),
                "live": Recipe(num_inference_steps=8, guidance_scale=1.0, typical_s=36.0),
                "quality": Recipe(num_inference_steps=12, guidance_scale=1.0, typical_s=50.0),
            },
        ),
    )
}


def engine(spec: EngineSpec, place: Place) -> "Hunyuan":
    """Return the engine of a spec."""
    return Hunyuan(spec, place)


class Hunyuan(DiffusionEngine):
    """HunyuanVideo15Pipeline and its sibling for pictures: no callback, no LoRAs, guidance by an object of its own."""

    # In which five seconds take 8 GiB. Of 160 pixels they would overlap by half latents, and the film come out wider.
    small_tiles: ClassVar = {
        "tile_sample_min_height": 192,
        "tile_sample_min_width": 192,
        "tile_latent_min_height": 12,
        "tile_latent_min_width": 12,
    }

    def arguments(self, plan: Plan) -> dict[str, Any]:
        """Return the picture to begin with, from which the pipeline takes its size."""
        if plan.image is None:
            return {"guidance_scale": None}
        return {"guidance_scale": None, "image": _slimmer(plan.image), "height": None, "width": None}

    def denoise(self, plan: Plan, report: Report) -> Any:
        """Return the clean latents."""
        guided = plan.recipe.guidance_scale
        self.pipe.guider = self.pipe.guider.new(guidance_scale=guided, enabled=guided > 1)
        # From a picture the pipeline draws in the shape of it, with as many pixels as a square of this side has.
        self.pipe.target_size = math.sqrt(plan.width * plan.height)
        return super().denoise(plan, report)

    def _prepare(self) -> None:
        eyes = self.pipe.components.get("image_encoder")
        for part in eyes.modules() if eyes else ():
            if hasattr(part, "use_head"):
                # What its head makes is not asked for; and that is a MultiheadAttention, whose weights group offloading
                # by leaf of diffusers 0.42.1 does not bring to the card, as it uses them without calling their layer.
                part.use_head = False
        super()._prepare()

    def still_latents(self, pixels: Any) -> Any:
        """Encode pictures, scaled as in the loop."""
        vae = self.pipe.vae
        latents = vae.encode(pixels.to(vae.device, vae.dtype).unsqueeze(2)).latent_dist.mode()
        return (latents * vae.config.scaling_factor)[:, :, 0]

    def decoded(self, latents: Any, plan: Plan) -> Decoded:
        """Yield all frames at once, from tiles, as its makers do: whole, five seconds would take 81 GiB, and not 14."""
        del plan
        vae = self.pipe.vae
        scaled = latents.to(vae.device, vae.dtype) / vae.config.scaling_factor
        with in_tiles(vae):
            film = vae.decode(scaled, return_dict=False)[0][0]
        yield film


def _slimmer(picture: Any) -> Any:
    """Return a picture that is a pixel longer at its longer side.

    HunyuanVideo15ImageToVideoPipeline of diffusers 0.42.1 takes the largest size of that many pixels whose shape, to
    five digits, is no slimmer than the picture's: without the pixel, 832x480 would be rounded out and become 816x480.
    """
    width, height = picture.size
    return picture.resize((width + 1, height) if width > height else (width, height + 1))
