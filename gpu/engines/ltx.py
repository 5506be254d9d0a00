"""LTX-Video (Lightricks, 2024-2025): 2B and 13B, from words, from a picture, or on from a video."""

from dataclasses import replace
from typing import Any

from gpu.engines import Frame, Place, Report
from gpu.engines.diffusion import DiffusionEngine
from gpu.pipeline import hardware, schedules
from gpu.pipeline.film import Decoded
from gpu.pipeline.plan import Plan
from gpu.pipeline.preview import pictures
from gpu.pipeline.tiles import in_tiles
from sakuga.engine import EngineSpec, Licence, Recipe, Source, Variant

OPEN_WEIGHTS = Licence(
    name="LTX-Video Open Weights License 0.X",
    url="https://huggingface.co/Lightricks/LTX-Video/blob/main/LTX-Video-Open-Weights-License-0.X.txt",
    must_accept=True,
    note="Terms of its own, some of which depend on what your business earns: read them.",
)
UPSCALER = Source(
    repository="Lightricks/ltxv-spatial-upscaler-0.9.7", revision="c96c168c2bd8bbc82c9fe8259e5f89f8b2ea293f"
)
DISTILLED_2B = Source(
    repository="Lightricks/LTX-Video",
    revision="8984fa25007f376c1a299016d0957a37a2f797bb",
    file="ltxv-2b-0.9.8-distilled.safetensors",
)

DISTILLED = (1000.0, 993.7, 987.5, 981.2, 975.0, 909.4, 725.0)
"""Timesteps of the distilled weights, as configs/ltxv-13b-0.9.8-distilled.yaml and ltxv-2b-0.9.8-distilled.yaml of
https://github.com/Lightricks/LTX-Video have them. The documentation of diffusers adds one at 0.03, which only costs."""

REFINING = (1000.0, 909.4, 725.0, 421.9)
"""Timesteps of the second pass, after the upscaler, and the one before them that `REFINING_STRENGTH` leaves out."""
REFINING_STRENGTH, ADAIN, TONE_MAP = 0.999, 1.0, 0.6
"""Of the second pass, as the documentation of diffusers has them for LTX-Video-0.9.8-13B-distilled."""

DECODE_TIMESTEP, DECODE_NOISE = 0.05, 0.025
"""The decoder makes the last step itself, from this little noise."""
TILED_FROM = 60_000_000
"""From how many pixels on, of all frames together, a film is decoded in tiles. At once ten seconds of 1216x704 take
19 GiB and those of 704x480 take 8; in tiles it is 6."""
GROWTH = 2  # of the upscaler, in width and in height


def _spec(name: str, summary: str, source: Source, **more: Any) -> EngineSpec:
    """Return a spec with what both have in common."""
    common = {
        "modes": ("text-to-video", "image-to-video", "video-to-video"),
        "fps": 24.0,
        "shortest_s": 1.0,
        "longest_s": 10.0,
        "default_s": 5.0,
        "frame_step": 8,
        "size_step": 32,
        "licence": OPEN_WEIGHTS,
        "takes_loras": True,
    }
    return EngineSpec(name=name, summary=summary, source=source, **(common | more))


SPECS: dict[str, EngineSpec] = {
    spec.name: spec
    for spec in (
        _spec(
            "ltx-video-2b",
            "LTX-Video, the small one: the quickest of all.",
            Source(repository="Lightricks/LTX-Video-0.9.5", revision="e58e28c39631af4d1468ee57a853764e11c1d37e"),
            sizes=((704, 480), (480, 704)),
            typical_s=4.0,
            presets={
                "draft": Recipe(
                    num_inference_steps=7, guidance_scale=1.0, typical_s=2.0, size=(512, 320), source=DISTILLED_2B
                ),
                "live": Recipe(num_inference_steps=7, guidance_scale=1.0, typical_s=4.0, source=DISTILLED_2B),
                "quality": Recipe(num_inference_steps=40, guidance_scale=3.0, typical_s=12.0),
            },
            variants=(
                Variant(name="bf16", vram_gb=20),
                Variant(name="offload", vram_gb=10),
                Variant(name="offload-fp8", vram_gb=7.5),
            ),
            gpus=("L40S", "H100"),
        ),
        _spec(
            "ltx-video-13b",
            "LTX-Video, the large one, distilled: detail at the speed of a live show.",
            Source(
                repository="Lightricks/LTX-Video-0.9.8-13B-distilled",
                revision="7c64400e1861cc0d7b98d570a1926d5408ec60cd",
            ),
            extras=(UPSCALER,),
            sizes=((704, 480), (480, 704)),
            typical_s=8.0,
            presets={
                "draft": Recipe(num_inference_steps=7, guidance_scale=1.0, typical_s=4.0, size=(512, 320)),
                "live": Recipe(num_inference_steps=7, guidance_scale=1.0, typical_s=8.0),
                "quality": Recipe(num_inference_steps=10, guidance_scale=1.0, typical_s=10.0, size=(1216, 704)),
            },
            variants=(
                Variant(name="bf16", vram_gb=44),
                Variant(name="fp8", vram_gb=30),
                Variant(name="offload", vram_gb=15),
                Variant(name="offload-fp8", vram_gb=11),
            ),
            gpus=("H100", "L40S"),
        ),
    )
}


def engine(spec: EngineSpec, place: Place) -> "Ltx":
    """Return the engine of a spec."""
    return Ltx(spec, place)


class Ltx(DiffusionEngine):
    """Both sizes by LTXConditionPipeline. `quality` of the 13B draws small, enlarges the latent, and refines it."""

    kind = "LTXConditionPipeline"  # model_index.json of 0.9.5 names one that takes no conditions

    def scheduler(self, plan: Plan) -> Any:
        """Return a scheduler that takes the timesteps of `arguments` as they are."""
        del plan
        return schedules.literal()

    def distilled_transformer(self, source: Source) -> Any:
        """Return the transformer of a checkpoint in Lightricks' own layout, or of a repository."""
        if source.file is None:
            return super().distilled_transformer(source)
        from diffusers import LTXVideoTransformer3DModel

        assert self.spec.source  # noqa: S101 - loaded
        return LTXVideoTransformer3DModel.from_single_file(
            str(self.found(source)),
            config=str(self.found(self.spec.source)),
            subfolder="transformer",
            dtype=hardware.dtype_of(self.card),
            local_files_only=True,
        )

    def arguments(self, plan: Plan) -> dict[str, Any]:
        """Return the schedule, the frame rate, and what to begin with."""
        from diffusers.pipelines.ltx import pipeline_ltx_condition as ltx

        levels = ltx.linear_quadratic_schedule(plan.recipe.num_inference_steps) * 1000
        timesteps = levels.tolist() if plan.guided else list(DISTILLED)
        begin: dict[str, Any] = {}
        if plan.image is not None:
            begin = {"image": plan.image, "frame_index": 0}
        elif plan.video:  # goes on from the first half of it
            half = plan.video[: self.spec.fitting_frames(plan.num_frames // 2)]
            # Not as `video=`: of a list of pictures the pipeline of diffusers 0.42.1 takes the first for the video.
            begin = {"conditions": ltx.LTXVideoCondition(video=half, frame_index=0)}
        return {"frame_rate": int(self.spec.fps), "timesteps": timesteps} | begin

    def denoise(self, plan: Plan, report: Report) -> Any:
        """Return the clean latents: in one pass, or in two with the upscaler between them."""
        if plan.request.preset != "quality" or not self.spec.extras:
            return self.call(plan, report).frames
        step = self.spec.size_step
        small = replace(plan, width=_half(plan.width, step), height=_half(plan.height, step))
        plan.width, plan.height = small.width * GROWTH, small.height * GROWTH
        total = len(DISTILLED) + len(REFINING) - 1
        latents = self.call(small, report, total=total).frames
        larger = self._upscaler()(
            latents=latents, adain_factor=ADAIN, tone_map_compression_ratio=TONE_MAP, output_type="latent"
        )
        return self.call(
            plan,
            report,
            begin=len(DISTILLED),
            total=total,
            latents=larger.frames,
            timesteps=list(REFINING),
            denoise_strength=REFINING_STRENGTH,
        ).frames

    def unpacked(self, latents: Any, plan: Plan) -> Any:
        """Return tokens as a film; those of a picture or video to begin with stand before it."""
        if latents.ndim == 5:  # noqa: PLR2004 - a film already
            return latents[0]
        pipe = self.pipe
        frames = (plan.num_frames - 1) // pipe.vae_temporal_compression_ratio + 1
        height, width = (side // pipe.vae_spatial_compression_ratio for side in (plan.height, plan.width))
        tokens = latents[:, latents.shape[1] - frames * height * width :]
        patches = pipe.transformer_spatial_patch_size, pipe.transformer_temporal_patch_size
        return pipe._unpack_latents(tokens, frames, height, width, *patches)[0]  # noqa: SLF001

    def still_latents(self, pixels: Any) -> Any:
        """Encode pictures, scaled as in the loop."""
        vae = self.pipe.vae
        latents = vae.encode(pixels.to(vae.device, vae.dtype).unsqueeze(2)).latent_dist.mode()
        return self.normalised(latents)[:, :, 0]

    def normalised(self, latents: Any) -> Any:
        """Return latents of the VAE, scaled as in the loop."""
        vae = self.pipe.vae
        scale = vae.latents_mean, vae.latents_std, vae.config.scaling_factor
        return self.pipe._normalize_latents(latents, *scale)  # noqa: SLF001

    def focus(self) -> None:
        """Do nothing: previews go through the decoder. A latent stands for 32 x 32 pixels, too many for one colour."""

    def picture(self, latent: Any) -> Frame:
        """Return a picture of one frame of a clean latent, decoded by itself."""
        seen: Frame = pictures(self.decode(latent[None]))[0]
        return seen

    def decoded(self, latents: Any, plan: Plan) -> Decoded:
        """Yield all frames at once: the decoder looks both ways in time."""
        yield self.decode(latents, plan.request.seed)

    def decode(self, latents: Any, seed: int = 0) -> Any:
        """Return 3 x frames x height x width in -1..1 of latents that are scaled as in the loop."""
        import torch

        vae = self.pipe.vae
        scale = vae.latents_mean, vae.latents_std, vae.config.scaling_factor
        latents = self.pipe._denormalize_latents(latents, *scale).to(vae.device, vae.dtype)  # noqa: SLF001
        timestep = None
        if vae.config.timestep_conditioning:
            dice = torch.Generator("cpu").manual_seed(seed)
            noise = torch.randn(latents.shape, generator=dice).to(latents)
            latents = (1 - DECODE_NOISE) * latents + DECODE_NOISE * noise
            timestep = torch.tensor([DECODE_TIMESTEP], device=latents.device, dtype=latents.dtype)
        pixels = latents[0, 0].numel() * vae.spatial_compression_ratio**2 * vae.temporal_compression_ratio
        with in_tiles(vae, wanted=pixels >= TILED_FROM):
            return vae.decode(latents, timestep, return_dict=False)[0][0]

    def _upscaler(self) -> Any:
        from diffusers import LTXLatentUpsamplePipeline

        if self._enlarge is None:
            folder = self.found(self.spec.extras[0])
            self._enlarge = LTXLatentUpsamplePipeline.from_pretrained(
                folder, vae=self.pipe.vae, dtype=hardware.dtype_of(self.card), local_files_only=True
            )
            self._enlarge.latent_upsampler.to(self.pipe.vae.device)
        return self._enlarge

    _enlarge: Any = None


def _half(side: int, step: int) -> int:
    return max(1, round(side / GROWTH / step)) * step
