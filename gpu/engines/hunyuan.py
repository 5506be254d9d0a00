"""HunyuanVideo 1.5 (Tencent, 2025): text to video, and picture to video in few steps."""

from collections.abc import Iterator
from typing import Any

from gpu.engines import Place, Report
from gpu.engines.diffusion import DiffusionEngine
from gpu.plan import Plan
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
            Variant(name="bf16", vram_gb=44),
            Variant(name="fp8", vram_gb=34),
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
            typical_s=120.0,
            presets={
                "draft": Recipe(num_inference_steps=20, guidance_scale=6.0, typical_s=35.0, size=(576, 320)),
                "live": Recipe(num_inference_steps=24, guidance_scale=6.0, typical_s=120.0),
                "quality": Recipe(num_inference_steps=50, guidance_scale=6.0, typical_s=250.0),
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
            typical_s=30.0,
            presets={
                "draft": Recipe(num_inference_steps=8, guidance_scale=1.0, typical_s=15.0, size=(576, 320)),
                "live": Recipe(num_inference_steps=8, guidance_scale=1.0, typical_s=22.0),
                "quality": Recipe(num_inference_steps=12, guidance_scale=1.0, typical_s=30.0),
            },
        ),
    )
}


def engine(spec: EngineSpec, place: Place) -> "Hunyuan":
    """Return the engine of a spec."""
    return Hunyuan(spec, place)


class Hunyuan(DiffusionEngine):
    """HunyuanVideo15Pipeline and its sibling for pictures: no callback, no LoRAs, guidance by an object of its own."""

    def arguments(self, plan: Plan) -> dict[str, Any]:
        """Return the picture to begin with; the pipeline then takes its size from it."""
        if plan.image is None:
            return {"guidance_scale": None}
        return {"guidance_scale": None, "image": plan.image, "height": None, "width": None}

    def denoise(self, plan: Plan, report: Report) -> Any:
        """Return the clean latents."""
        guided = plan.recipe.guidance_scale
        self.pipe.guider = self.pipe.guider.new(guidance_scale=guided, enabled=guided > 1)
        return super().denoise(plan, report)

    def still_latents(self, pixels: Any) -> Any:
        """Encode pictures, scaled as in the loop."""
        vae = self.pipe.vae
        latents = vae.encode(pixels.to(vae.device, vae.dtype).unsqueeze(2)).latent_dist.mode()
        return (latents * vae.config.scaling_factor)[:, :, 0]

    def decoded(self, latents: Any, plan: Plan) -> Iterator[Any]:
        """Yield all frames at once."""
        del plan
        vae = self.pipe.vae
        scaled = latents.to(vae.device, vae.dtype) / vae.config.scaling_factor
        yield vae.decode(scaled, return_dict=False)[0][0]
