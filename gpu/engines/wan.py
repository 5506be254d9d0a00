"""Wan 2.1 and Wan 2.2 5B (Wan-AI, 2025): text, picture or video to video."""

from collections.abc import Iterator
from typing import Any

from gpu import schedules
from gpu.engines import Place
from gpu.engines.diffusion import DiffusionEngine
from gpu.plan import Plan
from sakuga.engine import EngineSpec, Licence, Recipe, Source, Variant

APACHE = Licence(name="Apache-2.0", url="https://www.apache.org/licenses/LICENSE-2.0")
WIDE, TALL = (832, 480), (480, 832)
LIGHTX2V = {
    "repository": "lightx2v/Wan2.1-Distill-Loras",
    "revision": "27ae38da91014b947dd39cc3fa78b97cd7b386dd",
}
FASTWAN = Source(
    repository="FastVideo/FastWan2.1-T2V-1.3B-Diffusers", revision="25e7ed7f41fd8ce2fdd108688c65e8caf0ce3aef"
)
"""Trained with sparse attention, whose 60 gate tensors diffusers leaves out: drawn here with full attention."""

FASTWAN_5B = Source(
    repository="FastVideo/FastWan2.2-TI2V-5B-FullAttn-Diffusers", revision="3e187042a324f6f5fb68fd22110a78725253de8f"
)

DMD_SIGMAS = (1.0, 0.757, 0.522)
"""The three noise levels that FastWan was distilled for: timesteps 1000, 757, 522."""

RESTYLE_STRENGTH = 0.7
"""How much of a given video is drawn anew."""

LIVE_14B = Recipe(
    num_inference_steps=4,
    guidance_scale=1.0,
    typical_s=30.0,
    source=Source(**LIGHTX2V, file="wan2.1_t2v_14b_lora_rank64_lightx2v_4step.safetensors"),
)
LIVE_I2V = Recipe(
    num_inference_steps=4,
    guidance_scale=1.0,
    typical_s=32.0,
    source=Source(**LIGHTX2V, file="wan2.1_i2v_lora_rank64_lightx2v_4step.safetensors"),
)
ON_14B = (
    Variant(name="bf16", vram_gb=44),
    Variant(name="fp8", vram_gb=30),
    Variant(name="offload", vram_gb=15),
    Variant(name="offload-fp8", vram_gb=11),
)


def _spec(name: str, summary: str, weights: tuple[str, str], **more: Any) -> EngineSpec:
    """Return a spec with what all of Wan 2.1 has in common."""
    common = {
        "sizes": (WIDE, TALL),
        "fps": 16.0,
        "shortest_s": 1.0,
        "longest_s": 5.0,
        "default_s": 5.0,
        "frame_step": 4,
        "size_step": 16,
        "licence": APACHE,
        "takes_loras": True,
    }
    repository, revision = weights
    source = Source(repository=repository, revision=revision)
    return EngineSpec(name=name, summary=summary, source=source, **(common | more))


SPECS: dict[str, EngineSpec] = {
    spec.name: spec
    for spec in (
        _spec(
            "wan2.1-t2v-1.3b",
            "Wan 2.1, the small one: a clip in seconds, on any card with 8 GB or more.",
            ("Wan-AI/Wan2.1-T2V-1.3B-Diffusers", "0fad780a534b6463e45facd96134c9f345acfa5b"),
            modes=("text-to-video", "video-to-video"),
            typical_s=8.0,
            presets={
                "draft": Recipe(
                    num_inference_steps=3,
                    guidance_scale=1.0,
                    typical_s=5.0,
                    size=(576, 320),
                    source=FASTWAN,
                ),
                "live": Recipe(
                    num_inference_steps=3,
                    guidance_scale=1.0,
                    typical_s=8.0,
                    size=(832, 448),  # what it was distilled at
                    source=FASTWAN,
                ),
                "quality": Recipe(num_inference_steps=50, guidance_scale=5.0, typical_s=90.0),
            },
            variants=(
                Variant(name="bf16", vram_gb=20),
                Variant(name="offload", vram_gb=10),
                Variant(name="offload-fp8", vram_gb=7.5),
            ),
            gpus=("H100", "L40S"),
        ),
        _spec(
            "wan2.1-t2v-14b",
            "Wan 2.1, the large one: more motion, more of what was asked.",
            ("Wan-AI/Wan2.1-T2V-14B-Diffusers", "38ec498cb3208fb688890f8cc7e94ede2cbd7f68"),
            typical_s=30.0,
            presets={
                "draft": LIVE_14B.model_copy(update={"size": (576, 320), "typical_s": 15.0}),
                "live": LIVE_14B,
                "quality": Recipe(num_inference_steps=50, guidance_scale=5.0, typical_s=500.0),
            },
            variants=ON_14B,
            gpus=("H100", "A100-80GB"),
        ),
        _spec(
            "wan2.1-i2v-14b-480p",
            "Wan 2.1 from a picture: a character's reference becomes the first frame.",
            ("Wan-AI/Wan2.1-I2V-14B-480P-Diffusers", "b184e23a8a16b20f108f727c902e769e873ffc73"),
            modes=("image-to-video",),
            typical_s=32.0,
            presets={
                "draft": LIVE_I2V.model_copy(update={"size": (576, 320), "typical_s": 16.0}),
                "live": LIVE_I2V,
                "quality": Recipe(num_inference_steps=50, guidance_scale=5.0, typical_s=520.0),
            },
            variants=ON_14B,
            gpus=("H100", "A100-80GB"),
        ),
        _spec(
            "wan2.1-i2v-14b-720p",
            "Wan 2.1 from a picture, at 1280x720.",
            ("Wan-AI/Wan2.1-I2V-14B-720P-Diffusers", "eb849f76dfa246545b65774a9e25943ee69b3fa3"),
            modes=("image-to-video",),
            sizes=((1280, 720), (720, 1280)),
            typical_s=90.0,
            presets={
                "draft": LIVE_I2V.model_copy(update={"size": WIDE, "typical_s": 32.0}),
                "live": LIVE_I2V.model_copy(update={"typical_s": 90.0}),
                "quality": Recipe(num_inference_steps=50, guidance_scale=5.0, typical_s=1900.0),
            },
            variants=ON_14B,
            gpus=("H100", "H200"),
        ),
        _spec(
            "wan2.1-vace-1.3b",
            "Wan 2.1 with a reference picture or a guiding video, the small one.",
            ("Wan-AI/Wan2.1-VACE-1.3B-diffusers", "ec4d2cb062b548996b179d493fdd05340de702a1"),
            modes=("text-to-video", "image-to-video", "video-to-video"),
            typical_s=90.0,
            presets={
                "draft": Recipe(num_inference_steps=20, guidance_scale=5.0, typical_s=20.0, size=(576, 320)),
                "live": Recipe(num_inference_steps=25, guidance_scale=5.0, typical_s=70.0),
                "quality": Recipe(num_inference_steps=50, guidance_scale=5.0, typical_s=140.0),
            },
            variants=(Variant(name="bf16", vram_gb=22), Variant(name="offload", vram_gb=11)),
            gpus=("H100", "L40S"),
        ),
        _spec(
            "wan2.2-ti2v-5b",
            "Wan 2.2 5B: 1280x704 at 24 frames a second, from words or from a picture.",
            ("Wan-AI/Wan2.2-TI2V-5B-Diffusers", "b8fff7315c768468a5333511427288870b2e9635"),
            modes=("text-to-video", "image-to-video"),
            sizes=((1280, 704), (704, 1280)),
            size_step=32,
            fps=24.0,
            typical_s=16.0,
            presets={
                "draft": Recipe(
                    num_inference_steps=3,
                    guidance_scale=1.0,
                    typical_s=8.0,
                    size=(832, 480),
                    source=FASTWAN_5B,
                ),
                "live": Recipe(
                    num_inference_steps=3,
                    guidance_scale=1.0,
                    typical_s=16.0,
                    source=FASTWAN_5B,
                ),
                "quality": Recipe(num_inference_steps=50, guidance_scale=5.0, typical_s=240.0),
            },
            variants=(
                Variant(name="bf16", vram_gb=30),
                Variant(name="offload", vram_gb=15),
                Variant(name="offload-fp8", vram_gb=11),
            ),
            gpus=("H100", "L40S"),
        ),
    )
}


def engine(spec: EngineSpec, place: Place) -> "Wan":
    """Return the engine of a spec."""
    return Wan(spec, place)


class Wan(DiffusionEngine):
    """All of Wan behind one call: which pipeline is meant stands in the repository and in the plan's mode."""

    cache_threshold = 0.05

    def scheduler(self, plan: Plan) -> Any:
        """Return DMD's three levels for FastWan, lightx2v's four by UniPC with shift 5, else what Wan recommends."""
        own = self._own_scheduler.config
        source = plan.recipe.source
        if source and source.file is None:
            return schedules.pinned(own, DMD_SIGMAS, stochastic=True)
        # 3 for 480p and 5 for 720p, as https://github.com/Wan-Video/Wan2.1 says; 5 is what the LoRAs were trained with.
        return schedules.unipc(own, 5.0 if source or plan.height * plan.width > WIDE[0] * WIDE[1] else 3.0)

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
        if plan.video:
            return {"video": plan.video}
        if type(self.pipe).__name__ == "WanVACEPipeline" and plan.image is not None:
            return {"reference_images": [plan.image]}
        return {"image": plan.image}

    def steps(self, plan: Plan) -> int:
        """Return how many steps the loop makes: of a video that is drawn anew, the first are left out."""
        steps = plan.recipe.num_inference_steps
        return max(1, int(steps * RESTYLE_STRENGTH)) if self._restyles(plan) else steps

    def skips(self, plan: Plan) -> bool:
        """Whether blocks can be skipped: WanVideoToVideoPipeline of diffusers 0.42.1 has no cache contexts."""
        return super().skips(plan) and not self._restyles(plan)

    def _restyles(self, plan: Plan) -> bool:
        return bool(plan.video) and type(self.pipe).__name__ == "WanPipeline"

    def still_latents(self, pixels: Any) -> Any:
        """Encode pictures, scaled as in the loop."""
        vae = self.pipe.vae
        film = pixels.to(vae.device, vae.dtype).unsqueeze(2)
        latents = vae.encode(film, return_dict=False)[0].mode().float()
        mean, deviation = self._scale(latents)
        return ((latents - mean) / deviation)[:, :, 0]

    def decoded(self, latents: Any, plan: Plan) -> Iterator[Any]:
        """Yield the frames of one latent frame after the other (1, 4, 4, …), bit-equal to decoding all at once.

        The decoder is causal and keeps what it needs of earlier frames in a cache, as
        `AutoencoderKLWan._decode` of diffusers 0.42.1 does.
        """
        vae = self.pipe.vae
        if type(self.pipe).__name__ == "WanVACEPipeline" and plan.image is not None and not plan.video:
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
