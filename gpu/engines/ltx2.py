"""LTX-2 (Lightricks, 2026): picture and sound, drawn together."""

from typing import Any

import numpy as np

from gpu.engines import Place, Report, Sound
from gpu.engines.ltx import Ltx
from gpu.pipeline import schedules
from gpu.pipeline.plan import Plan
from sakuga.engine import EngineSpec, Licence, Recipe, Source, Variant

REPOSITORY, REVISION = "Lightricks/LTX-2", "dfcc2108383fe1aaa0584bdf55d368a4bdadd90c"
DISTILLED = Source(repository=REPOSITORY, revision=REVISION, file="ltx-2-19b-distilled-lora-384.safetensors")

DISTILLED_SIGMAS = (1.0, 0.99375, 0.9875, 0.98125, 0.975, 0.909375, 0.725, 0.421875)
"""The noise levels that the distilled weights were trained on."""

SPECS: dict[str, EngineSpec] = {
    "ltx-2": EngineSpec(
        name="ltx-2",
        summary="LTX-2: a clip with its own sound.",
        source=Source(repository=REPOSITORY, revision=REVISION),
        licence=Licence(
            name="LTX-2 Community License",
            url="https://huggingface.co/Lightricks/LTX-2/blob/main/LICENSE",
            must_accept=True,
            note="Businesses that earn 10 million dollars a year and more need a paid licence.",
        ),
        modes=("text-to-video", "image-to-video"),
        sizes=((768, 512), (512, 768)),
        size_step=32,
        fps=24.0,
        shortest_s=1.0,
        longest_s=10.0,
        default_s=5.0,
        frame_step=8,
        typical_s=10.0,
        presets={
            "draft": Recipe(
                num_inference_steps=8, guidance_scale=1.0, typical_s=5.0, size=(512, 320), source=DISTILLED
            ),
            "live": Recipe(num_inference_steps=8, guidance_scale=1.0, typical_s=10.0, source=DISTILLED),
            "quality": Recipe(num_inference_steps=40, guidance_scale=3.0, typical_s=90.0),
        },
        variants=(
            Variant(name="bf16", vram_gb=90),
            Variant(name="fp8", vram_gb=60),
            Variant(name="offload", vram_gb=44),
            Variant(name="offload-fp8", vram_gb=22),
        ),
        gpus=("H200", "B200"),
        sound=True,
        takes_loras=True,
    )
}

FEW_STEPS = {
    "stg_scale": 0.0,
    "modality_scale": 1.0,
    "guidance_rescale": 0.0,
    "audio_guidance_scale": 1.0,
    "audio_stg_scale": 0.0,
    "audio_modality_scale": 1.0,
    "audio_guidance_rescale": 0.0,
}
"""All guidance off: the pipeline has several kinds on by default, each of which costs one more forward a step."""

OF_2_0 = {"use_cross_timestep": False, "spatio_temporal_guidance_blocks": [29]}
"""What its successors, for which the pipeline has its defaults, do otherwise: the documentation of LTX2Pipeline and
constants.py of https://github.com/Lightricks/LTX-2."""


def engine(spec: EngineSpec, place: Place) -> "Ltx2":
    """Return the engine."""
    return Ltx2(spec, place)


class Ltx2(Ltx):
    """LTX2Pipeline: the latents are LTX-Video's in form, and a sound is drawn beside them."""

    kind = "LTX2Pipeline"
    _heard: Any = None  # the latents of the sound that was drawn last

    def load(self) -> None:
        """Load as ever. Raises WeightsMissing, RenderFailed."""
        super().load()
        vae = self.pipe.vae

        # LTX2ImageToVideoPipeline of diffusers 0.42.1 gives the VAE pictures in the number format of the words.
        vae.encoder.register_forward_pre_hook(lambda _, given: (given[0].to(vae.dtype), *given[1:]))

    def scheduler(self, plan: Plan) -> Any:
        """Return the distilled levels, or the repository's own schedule."""
        if plan.guided:
            return self._own_scheduler
        return schedules.pinned(self._own_scheduler.config, DISTILLED_SIGMAS)

    def pipeline(self, plan: Plan) -> Any:
        """Return the sibling for pictures where there is one to begin with."""
        from diffusers import LTX2ImageToVideoPipeline

        return self.pipe if plan.image is None else self.sibling(LTX2ImageToVideoPipeline)

    def arguments(self, plan: Plan) -> dict[str, Any]:
        """Return the frame rate, the guidance of a few-step schedule, and the picture to begin with."""
        few = {} if plan.guided else FEW_STEPS
        return {"frame_rate": self.spec.fps, "image": plan.image} | OF_2_0 | few

    def denoise(self, plan: Plan, report: Report) -> Any:
        """Return the clean latents of the picture; those of the sound are kept."""
        output = self.call(plan, report)
        self._heard = output.audio
        return self.normalised(output.frames)  # this pipeline gives them as the decoder takes them

    def sound(self, plan: Plan) -> Sound | None:
        """Return the sound, cut to the length of the film."""
        import torch

        pipe = self.pipe
        with torch.no_grad():
            spectrum = pipe.audio_vae.decode(self._heard.to(pipe.audio_vae.dtype), return_dict=False)[0]
            wave = pipe.vocoder(spectrum)[0].float().cpu()
        self._heard = None
        rate = int(pipe.vocoder.config.output_sampling_rate)
        samples = round(plan.num_frames / self.spec.fps * rate)
        return Sound(np.asarray(wave[:, :samples].clamp(-1, 1), dtype=np.float32), rate)
