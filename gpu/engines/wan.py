"""Wan 2.1 and Wan 2.2 5B (Wan-AI, 2025): text, picture or video to video."""

from typing import Any

from gpu.engines import Place
from gpu.engines.diffusion import DiffusionEngine
from gpu.engines.wan_specs import SPECS, WIDE
from gpu.media import open_picture
from gpu.pipeline import schedules
from gpu.pipeline.film import Decoded
from gpu.pipeline.plan import Plan
from gpu.pipeline.wardrobe import is_lora
from sakuga.engine import EngineSpec

__all__ = ["SPECS", "Wan", "engine"]

DMD_SIGMAS = (1.0, 0.757, 0.522)
"""The three noise levels that FastWan was distilled for, each followed by fresh noise: timesteps 1000, 757, 522 in
https://github.com/hao-ai-lab/FastVideo (`dmd_denoising_steps`), whose shift of 8 changes nothing about them."""

LIGHTX2V_SIGMAS = (1.0, 0.9375, 0.8333333, 0.625)
"""The four of lightx2v's LoRAs, by Euler: timesteps 1000, 750, 500 and 250 after a shift of 5, as
https://github.com/ModelTC/LightX2V has them (`WanStepDistillScheduler`)."""

RESTYLE_STRENGTH = 0.7
"""How much of a given video is drawn anew."""


def engine(spec: EngineSpec, place: Place) -> "Wan":
    """Return the engine of a spec."""
    return Wan(spec, place)


class Wan(DiffusionEngine):
    """All of Wan behind one call: which pipeline is meant stands in the repository and in the plan's mode."""

    cache_threshold = 0.05

    def scheduler(self, plan: Plan) -> Any:
        """Return the levels that a preset's weights were distilled for, else UniPC with the shift Wan recommends."""
        own = self._own_scheduler.config
        source = plan.recipe.source
        if source:
            levels = LIGHTX2V_SIGMAS if is_lora(source) else DMD_SIGMAS
            return schedules.pinned(own, levels, stochastic=not is_lora(source))
        # 3 for 480p and 5 for 720p, as https://github.com/Wan-Video/Wan2.1 says; 5 for the 5B, which is made for 720p.
        large = self._is_5b or plan.height * plan.width > WIDE[0] * WIDE[1]
        return schedules.unipc(own, 5.0 if large else 3.0)

    def pipeline(self, plan: Plan) -> Any:
        """Return the pipeline for a plan's mode; those of one repository share every weight."""
        import diffusers

        kind = type(self.pipe).__name__
        if kind == "WanPipeline" and plan.image is not None:
            return self.sibling(diffusers.WanImageToVideoPipeline)
        if self._restyles(plan):
            return self.sibling(diffusers.WanVideoToVideoPipeline)
        return self.pipe

    def arguments(self, plan: Plan) -> dict[str, Any]:
        """Return the picture or the video to begin with."""
        if self._restyles(plan):
            return {"video": plan.video, "strength": RESTYLE_STRENGTH, "num_frames": None}
        if not self._is_vace:
            return {"image": plan.image}
        # What it was trained to follow is a video in grey, its depth, poses or a sketch, and no film in its colours:
        # UserGuide.md of https://github.com/ali-vilab/VACE. Depth and sketches are grey already.
        video = [picture.convert("L").convert("RGB") for picture in plan.video]
        seen = plan.request.image  # all of it: the pipeline puts it on a white ground, so that nothing is cut off
        references = [open_picture(self.place.media, seen)] if seen else None
        return {"video": video or None, "reference_images": references}

    def steps(self, plan: Plan) -> int:
        """Return how many steps the loop makes: of a video that is drawn anew, the first are left out."""
        steps = plan.recipe.num_inference_steps
        return max(1, int(steps * RESTYLE_STRENGTH)) if self._restyles(plan) else steps

    def skips(self, plan: Plan) -> bool:
        """Whether blocks can be skipped: WanVideoToVideoPipeline of diffusers 0.42.1 has no cache contexts."""
        return super().skips(plan) and not self._restyles(plan)

    def _restyles(self, plan: Plan) -> bool:
        return bool(plan.video) and type(self.pipe).__name__ == "WanPipeline"

    @property
    def _is_vace(self) -> bool:
        return type(self.pipe).__name__ == "WanVACEPipeline"

    @property
    def _is_5b(self) -> bool:
        return bool(self.pipe.config.get("expand_timesteps"))

    def still_latents(self, pixels: Any) -> Any:
        """Encode pictures, scaled as in the loop."""
        vae = self.pipe.vae
        film = pixels.to(vae.device, vae.dtype).unsqueeze(2)
        latents = vae.encode(film, return_dict=False)[0].mode().float()
        mean, deviation = self._scale(latents)
        return ((latents - mean) / deviation)[:, :, 0]

    def decoded(self, latents: Any, plan: Plan) -> Decoded:
        """Yield the frames of one latent frame after the other (1, 4, 4, …), bit-equal to decoding all at once.

        The decoder is causal and keeps what it needs of earlier frames in a cache, as
        `AutoencoderKLWan._decode` of diffusers 0.42.1 does.
        """
        vae = self.pipe.vae
        if self._is_vace and plan.request.image:
            latents = latents[:, :, 1:]  # the reference picture stands before the film
        mean, deviation = self._scale(latents)
        latents = (latents.float() * deviation + mean).to(vae.device, vae.dtype)
        if vae.use_tiling:  # a small card: tiles are decoded through the whole length, so nothing can be streamed
            yield vae.decode(latents, return_dict=False)[0][0]
            return
        from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify

        try:
            vae.clear_cache()
            film = vae.post_quant_conv(latents)
            for index in range(film.shape[2]):
                vae._conv_idx = [0]  # noqa: SLF001 - the decoder's own way to walk through its cache
                chunk = vae.decoder(
                    film[:, :, index : index + 1],
                    feat_cache=vae._feat_map,  # noqa: SLF001
                    feat_idx=vae._conv_idx,  # noqa: SLF001
                    first_chunk=index == 0,
                )
                if vae.config.patch_size is not None:
                    chunk = unpatchify(chunk, patch_size=vae.config.patch_size)
                yield chunk[0]
        finally:
            vae.clear_cache()

    def _scale(self, latents: Any) -> tuple[Any, Any]:
        import torch

        config = self.pipe.vae.config
        shape = (1, config.z_dim, 1, 1, 1)
        return (
            torch.tensor(config.latents_mean, device=latents.device).view(shape),
            torch.tensor(config.latents_std, device=latents.device).view(shape),
        )
