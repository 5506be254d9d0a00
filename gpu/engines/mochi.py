"""Mochi 1 (Genmo, 2024): text to video, with no few-step weights that diffusers could load."""

from typing import Any, ClassVar

from gpu.engines import Place
from gpu.engines.diffusion import DiffusionEngine
from gpu.pipeline.film import Decoded
from gpu.pipeline.plan import Plan
from gpu.pipeline.tiles import in_tiles
from sakuga.engine import EngineSpec, Licence, Recipe, Source, Variant

SPECS: dict[str, EngineSpec] = {
    "mochi-1": EngineSpec(
        name="mochi-1",
        summary="Mochi 1: strong motion, slow to draw.",
        source=Source(repository="genmo/mochi-1-preview", revision="14be5fcea23095ed330cb214647916a451e38b6e"),
        licence=Licence(name="Apache-2.0", url="https://www.apache.org/licenses/LICENSE-2.0"),
        sizes=((848, 480),),
        size_step=16,
        fps=30.0,
        shortest_s=0.8,
        longest_s=5.4,
        default_s=2.8,
        frame_step=6,
        typical_s=110.0,
        presets={
            "draft": Recipe(num_inference_steps=20, guidance_scale=4.5, typical_s=35.0, size=(640, 368)),
            "live": Recipe(num_inference_steps=28, guidance_scale=4.5, typical_s=110.0),
            "quality": Recipe(num_inference_steps=64, guidance_scale=4.5, typical_s=250.0),
        },
        variants=(
            Variant(name="bf16", vram_gb=44),
            Variant(name="offload", vram_gb=22),
            Variant(name="offload-fp8", vram_gb=15),
        ),
        gpus=("H100", "A100-80GB"),
        takes_loras=True,
    )
}


def engine(spec: EngineSpec, place: Place) -> "Mochi":
    """Return the engine."""
    return Mochi(spec, place)


class Mochi(DiffusionEngine):
    """MochiPipeline, whose sigmas count the clean part and whose guidance is always on."""

    cache_threshold = 0.05
    small_tiles: ClassVar = {  # in which the longest film takes 8 GiB
        "tile_sample_min_height": 192,
        "tile_sample_min_width": 192,
        "tile_sample_stride_height": 144,
        "tile_sample_stride_width": 144,
    }

    def still_latents(self, pixels: Any) -> Any:
        """Encode pictures, scaled as in the loop."""
        vae = self.pipe.vae
        film = pixels.to(vae.device, vae.dtype).unsqueeze(2)
        latents = vae.encode(film).latent_dist.mode()
        mean, scale = self._scale(latents)
        return ((latents - mean) / scale)[:, :, 0]

    def decoded(self, latents: Any, plan: Plan) -> Decoded:
        """Yield all frames at once, from tiles: whole, the usual film would take 61 GiB, and the longest 114."""
        del plan
        vae = self.pipe.vae
        mean, scale = self._scale(latents)
        with in_tiles(vae):
            film = vae.decode((latents * scale + mean).to(vae.device, vae.dtype), return_dict=False)[0][0]
        yield film

    def _scale(self, latents: Any) -> tuple[Any, Any]:
        """Return what is added to, and what multiplies, a latent of the loop to make one of the VAE."""
        import torch

        config = self.pipe.vae.config
        if not config.latents_mean or not config.latents_std:
            return 0.0, 1 / config.scaling_factor
        shape = (1, -1, 1, 1, 1)
        mean = torch.tensor(config.latents_mean, device=latents.device, dtype=latents.dtype).view(shape)
        deviation = torch.tensor(config.latents_std, device=latents.device, dtype=latents.dtype).view(shape)
        return mean, deviation / config.scaling_factor
