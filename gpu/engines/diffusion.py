"""What all engines on diffusers share: load once, then words to latents to frames, heard step by step."""

import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from gpu import weights
from gpu.engines import Frame, Place, Report, Sound
from gpu.pipeline import card, hardware
from gpu.pipeline.film import Decoded, developed
from gpu.pipeline.loras import Loras
from gpu.pipeline.plan import Plan
from gpu.pipeline.preview import LatentMap, PreviewBudget
from gpu.pipeline.probe import Probe
from gpu.pipeline.prompts import PromptMemory
from gpu.pipeline.siblings import Siblings
from gpu.pipeline.skipping import skipping
from gpu.pipeline.stages import Stages
from gpu.pipeline.wardrobe import Wardrobe, is_lora
from sakuga.engine import EngineSpec, Making, RenderRequest, Source
from sakuga.errors import RenderFailed


class DiffusionEngine:
    """One pipeline of diffusers, resident. A family fills in what is particular to it."""

    kind = "DiffusionPipeline"
    """The class of diffusers to open a repository with; this one finds it in model_index.json."""

    cache_threshold: float | None = None
    """For `quality`: how little the first block's output must change for a step's other blocks to be skipped."""

    small_tiles: ClassVar[dict[str, int]] = {}
    """What the VAE's `enable_tiling` takes for smaller tiles than its own, on cards too small for the model."""

    def __init__(self, spec: EngineSpec, place: Place) -> None:
        self.spec = spec
        self.place = place
        self.making: Making | None = None
        self.pipe: Any = None
        self._stages = Stages()
        self._budget = PreviewBudget()
        self._steps_made = 0

    # --- what a family says ------------------------------------------------------------------------------------------

    def open(self, folder: Path, dtype: Any) -> Any:
        """Return the pipeline of a repository's folder; its class stands in model_index.json there.

        The VAE comes as exact as it is kept, for `hardware.prepare` to find out what it may be rounded to.
        """
        import diffusers
        import torch

        kind = getattr(diffusers, self.kind)
        kinds = {"vae": torch.float32, "default": dtype}
        return kind.from_pretrained(folder, dtype=kinds, variant=weights.variant(folder), local_files_only=True)

    def distilled_transformer(self, source: Source) -> Any:
        """Return the transformer of a preset's own repository."""
        folder = self.found(source.model_copy(update={"file": "transformer"}))
        return type(self.pipe.transformer).from_pretrained(
            folder, dtype=hardware.dtype_of(self.card), local_files_only=True
        )

    def scheduler(self, plan: Plan) -> Any:
        """Return the scheduler for a plan: by default the repository's own."""
        del plan
        return self._own_scheduler

    def pipeline(self, plan: Plan) -> Any:
        """Return the pipeline for a plan: a sibling where its mode needs one."""
        del plan
        return self.pipe

    def arguments(self, plan: Plan) -> dict[str, Any]:
        """Return what the pipeline's call takes besides what all of them take."""
        del plan
        return {}

    def steps(self, plan: Plan) -> int:
        """Return how many steps the loop makes."""
        return plan.recipe.num_inference_steps

    def skips(self, plan: Plan) -> bool:
        """Whether the pipeline of a plan can skip blocks."""
        del plan
        return True

    def unpacked(self, latents: Any, plan: Plan) -> Any:
        """Return latents of the loop as channels x frames x height x width, as the VAE's encoder scales them."""
        del plan
        return latents[0]

    def still_latents(self, pixels: Any) -> Any:
        """Encode n x 3 x h x w in -1..1, each as a film of one frame; return n x c x h' x w', scaled as in the loop."""
        raise NotImplementedError

    def decoded(self, latents: Any, plan: Plan) -> Decoded:
        """Yield 3 x frames x height x width in -1..1, in order, from what `denoise` returned."""
        raise NotImplementedError

    def sound(self, plan: Plan) -> Sound | None:
        """Return the sound that was made with the latents, if there is one."""
        del plan
        return None

    # --- the life of a render ----------------------------------------------------------------------------------------

    def load(self) -> None:
        """Bring into the card's memory what `live` is drawn with. Raises WeightsMissing, RenderFailed."""
        import torch

        if self.spec.source is None:
            raise RenderFailed(reason=f"{self.spec.name} has no weights")
        self.card = hardware.Hardware.found(self.place.device)
        self._variant = hardware.choose(self.spec.variants, self.card)
        folder = self.found(self.spec.source)
        self._revision = weights.commit_of(folder)
        self.pipe = self.open(folder, hardware.dtype_of(self.card))
        self.pipe.set_progress_bar_config(disable=True)
        self._own_scheduler = self.pipe.scheduler
        offloaded = bool(self._variant and "offload" in self._variant.name)
        if offloaded and self.small_tiles:
            self.pipe.vae.enable_tiling(**self.small_tiles)
            self.pipe.vae.use_tiling = False
        self._prepare()
        loras = Loras(self.pipe, self.spec.name, media=self.place.media, weights=self.place.weights)
        self._wardrobe = Wardrobe(self.pipe, loras, self.distilled_transformer, self._prepare, offloaded=offloaded)
        self._siblings = Siblings(self.pipe, self._remember_words)
        self._remember_words(self.pipe)
        with torch.no_grad():
            self.focus()
            self._budget.generous = not self.card.is_cuda
            if self.card.is_cuda:
                self.rehearse()
        if live := self.spec.presets.get("live"):
            self._wardrobe.wear(live.source, ())

    def focus(self) -> None:
        """Make previews possible: by a linear map that is fitted on the VAE."""
        name = f"{self.spec.name}-{self._revision[:12]}.safetensors"
        self._map = LatentMap.fitted(self._one_by_one, self.place.cache / "previews" / name)

    def rehearse(self) -> None:
        """Make previews of an empty picture of the usual size, so that what one costs is known before the first."""
        import torch

        width, height = self.spec.sizes[0]
        latent = self.still_latents(torch.zeros(1, 3, height, width))[0].unsqueeze(1)
        for _ in range(2):  # kernels are chosen and loaded in the first
            with self._budget.spending(width * height):
                self.picture(latent)

    def render(self, request: RenderRequest, report: Report) -> Iterator[Frame | Sound]:
        """Yield the frames of a request, and its sound. Raises RenderError, and whatever `report` raises."""
        plan = Plan.of(request, self.spec, self.place)
        self.making = None
        self._stages.seconds = {}
        self._steps_made = 0
        card.forget_peak(self.card)
        self._wardrobe.wear(plan.recipe.source, plan.request.adapters)
        self._budget.begin()
        latents = self.denoise(plan, report)

        def told(count: int) -> None:
            report("decode", count, plan.num_frames, self._stages.fraction("decode", count / plan.num_frames), None)

        spent = partial(self._stages.spent, "decode")
        yield from developed(self.decoded(latents, plan), spent, self.spec.name, told)
        if sound := self.sound(plan):
            yield sound
        self._stages.learn()
        self.making = self._made(plan)

    def denoise(self, plan: Plan, report: Report) -> Any:
        """Return the clean latents of a plan, as its pipeline gives them."""
        return self.call(plan, report).frames

    def call(self, plan: Plan, report: Report, *, begin: int = 0, total: int | None = None, **more: Any) -> Any:
        """Call the pipeline, heard step by step, and return its output. `report` may raise to stop it.

        For one of several passes, `begin` is the number of steps before it and `total` that of all.
        """
        import torch

        if begin == 0:
            report("text", 0, 1, self._stages.fraction("text", 0.0), None)
        pipe = self.pipeline(plan)
        pipe.scheduler = self.scheduler(plan)
        # Stochastic schedules draw from the global dice, so these are thrown by the seed as well.
        torch.manual_seed(plan.request.seed)
        total = total or self.steps(plan)
        before, text = self._stages.seconds.get("denoise", 0.0), self._stages.seconds.get("text", 0.0)
        began = last = time.perf_counter()

        def heard(step: int, clean: Callable[[], Any]) -> None:
            nonlocal last
            card.wait(self.card)
            last = time.perf_counter()
            self._steps_made += 1
            done = min(begin + step, total)
            pixels = plan.width * plan.height
            look = partial(self._look, clean, plan) if self._budget.affordable(pixels) else None
            with self._budget.spending(pixels) if look else nullcontext():
                report("denoise", done, total, self._stages.fraction("denoise", done / total), look)

        try:
            with Probe(pipe.scheduler, heard), skipping(pipe.transformer, self._threshold(plan)):
                output = pipe(
                    **_given(plan.arguments | self.arguments(plan) | more),
                    generator=torch.Generator("cpu").manual_seed(plan.request.seed),
                    output_type="latent",
                )
        finally:
            pipe.maybe_free_model_hooks()
        self._stages.seconds["denoise"] = before + last - began - (self._stages.seconds.get("text", 0.0) - text)
        return output

    def look(self, clean: Any, plan: Plan) -> Frame:
        """Return a small picture of a clean latent of the loop: its middle frame."""
        film = self.unpacked(clean, plan)
        middle = film.shape[1] // 2
        return self.picture(film[:, middle : middle + 1])

    def picture(self, latent: Any) -> Frame:
        """Return a small picture of one frame of a clean latent: channels x 1 x height x width, as in the loop."""
        return self._map.picture(latent[:, 0])

    def sibling(self, kind: Any) -> Any:
        """Return another pipeline over the same weights, made once."""
        return self._siblings.of(kind)

    # --- within ------------------------------------------------------------------------------------------------------

    def _look(self, clean: Callable[[], Any], plan: Plan) -> Frame:
        import torch

        with torch.no_grad():
            return self.look(clean(), plan)

    def _threshold(self, plan: Plan) -> float | None:
        """Return when blocks are skipped. Of a schedule of few steps there is nothing to skip."""
        return self.cache_threshold if plan.request.preset == "quality" and self.skips(plan) else None

    def _prepare(self) -> None:
        """Put the pipeline on the card; again when its transformer was exchanged."""
        hardware.prepare(self.pipe, self._variant, self.card, self.place.cache, compile=self.place.compile)

    def found(self, source: Source) -> Path:
        """Return where weights lie. Raises WeightsMissing."""
        return weights.find(source, self.place.weights, engine=self.spec.name)

    def _one_by_one(self, pixels: Any) -> Any:
        """Encode pictures; the VAE of HunyuanVideo 1.5 in diffusers 0.42.1 takes no more than one at a time."""
        import torch

        return torch.cat([self.still_latents(picture) for picture in pixels.split(1)])

    def _remember_words(self, pipe: Any) -> None:
        def heard(seconds: float) -> None:
            self._stages.seconds["text"] = self._stages.seconds.get("text", 0.0) + seconds

        PromptMemory(pipe, heard, wait=partial(card.wait, self.card))

    def _made(self, plan: Plan) -> Making:
        source, distilled = self.spec.source, plan.recipe.source
        worn = ["preset:1"] if is_lora(distilled) else []
        return Making(
            engine=self.spec.name,
            preset=plan.request.preset,
            mode=plan.request.mode,
            repository=source.repository if source else "",
            revision=self._revision,
            distilled=self._named(distilled) if distilled else "",
            num_inference_steps=self._steps_made,
            guidance_scale=plan.recipe.guidance_scale,
            adapters=tuple(worn + [f"{adapter.name}:{adapter.weight:g}" for adapter in plan.request.adapters]),
            variant=self._variant.name if self._variant and self.card.is_cuda else None,  # a CPU computes in fp32
            device=self.card.name,
            seconds={stage: round(spent, 3) for stage, spent in self._stages.seconds.items()},
            peak_vram_gb=card.peak_gb(self.card),
        )

    def _named(self, source: Source) -> str:
        file = source.file or "transformer"
        commit = source.revision or weights.commit_of(self.found(source.model_copy(update={"file": file})))
        return f"{source.repository}@{commit}/{file}"


def _given(arguments: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is None: a pipeline that lacks the argument must not be given it."""
    return {name: value for name, value in arguments.items() if value is not None}
