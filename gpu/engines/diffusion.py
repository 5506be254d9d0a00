"""What all engines on diffusers share: load once, then words to latents to frames, heard step by step."""

import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from gpu import hardware, weights
from gpu.engines import Frame, Place, Report, Sound
from gpu.loras import Loras
from gpu.plan import Plan
from gpu.preview import LatentMap, PreviewBudget, pictures
from gpu.probe import Probe
from gpu.prompts import PromptMemory
from gpu.stages import Stages
from gpu.wardrobe import Wardrobe
from sakuga.engine import GIGABYTE, EngineSpec, Making, RenderRequest, Source
from sakuga.errors import FramesInvalid, RenderFailed


class DiffusionEngine:
    """One pipeline of diffusers, resident. A family fills in what is particular to it."""

    cache_threshold: float | None = None
    """For `quality`: how little the first block's output must change for a step's other blocks to be skipped."""

    previews_by_decoder = False
    """Whether previews go through the decoder, where a latent stands for too many pixels to say much by itself."""

    def __init__(self, spec: EngineSpec, place: Place) -> None:
        self.spec = spec
        self.place = place
        self.making: Making | None = None
        self.pipe: Any = None
        self._stages = Stages()
        self._budget = PreviewBudget()

    # --- what a family says ------------------------------------------------------------------------------------------

    def open(self, folder: Path, dtype: Any) -> Any:
        """Return the pipeline of a repository's folder; its class stands in model_index.json there."""
        from diffusers import DiffusionPipeline

        return DiffusionPipeline.from_pretrained(
            folder, dtype=dtype, variant=weights.variant(folder), local_files_only=True
        )

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

    def unpacked(self, latents: Any, plan: Plan) -> Any:
        """Return latents of the loop as channels x frames x height x width, as the VAE's encoder scales them."""
        del plan
        return latents[0]

    def still_latents(self, pixels: Any) -> Any:
        """Encode n x 3 x h x w in -1..1, each as a film of one frame; return n x c x h' x w', scaled as in the loop."""
        raise NotImplementedError

    def decoded(self, latents: Any, plan: Plan) -> Iterator[Any]:
        """Yield 3 x frames x height x width in -1..1, in order, from what `denoise` returned."""
        raise NotImplementedError

    def sound(self, plan: Plan) -> Sound | None:
        """Return the sound that was made with the latents, if there is one."""
        del plan
        return None

    # --- the life of a render ----------------------------------------------------------------------------------------

    def load(self) -> None:
        """Bring the weights into the card's memory. Raises WeightsMissing, RenderFailed."""
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
        self._prepare()
        loras = Loras(self.pipe, self.spec.name, media=self.place.media, weights=self.place.weights)
        self._wardrobe = Wardrobe(self.pipe, loras, self.distilled_transformer, self._prepare)
        self._siblings: dict[Any, Any] = {}
        PromptMemory(self.pipe, self._heard_text)
        name = f"{self.spec.name}-{self._revision[:12]}.safetensors"
        with torch.no_grad():
            self._map = LatentMap.fitted(self._one_by_one, self.place.cache / "previews" / name)

    def render(self, request: RenderRequest, report: Report) -> Iterator[Frame | Sound]:
        """Yield the frames of a request, and its sound. Raises RenderError, and whatever `report` raises."""
        plan = Plan.of(request, self.spec, self.place)
        self.making = None
        self._stages.seconds = {}
        self._budget.begin()
        self._wardrobe.wear(plan.recipe.source, plan.request.adapters)
        latents = self.denoise(plan, report)
        yield from self._frames(latents, plan, report)
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
            self._synchronise()
            last = time.perf_counter()
            look = partial(self._look, clean, plan) if self._budget.affordable() else None
            done = min(begin + step, total)
            report("denoise", done, total, self._stages.fraction("denoise", done / total), look)

        try:
            with Probe(pipe.scheduler, heard), self._skipping(plan):
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
        if not self.previews_by_decoder:
            return self._map.picture(film[:, middle])
        picture = next(self.decoded(film[None, :, middle : middle + 1], plan))
        seen: Frame = pictures(picture)[0]
        return seen

    def sibling(self, kind: Any) -> Any:
        """Return another pipeline over the same weights, made once.

        Not by `from_pipe`: that of diffusers 0.42.1 ends with `to(dtype=float32)`, on the shared weights too.
        """
        if kind not in self._siblings:
            takes = inspect.signature(kind.__init__).parameters
            parts = dict(self.pipe.config) | self.pipe.components
            made = kind(**{name: part for name, part in parts.items() if name in takes})
            made.set_progress_bar_config(disable=True)
            PromptMemory(made, self._heard_text)
            self._siblings[kind] = made
        found = self._siblings[kind]
        found.transformer = self.pipe.transformer  # a preset may have exchanged it
        return found

    # --- within ------------------------------------------------------------------------------------------------------

    def _look(self, clean: Callable[[], Any], plan: Plan) -> Frame:
        import torch

        with self._budget.spending(), torch.no_grad():
            return self.look(clean(), plan)

    def _frames(self, latents: Any, plan: Plan, report: Report) -> Iterator[Frame]:
        import torch

        chunks, count = self.decoded(latents, plan), 0
        while True:
            with self._stages.spent("decode"), torch.no_grad():
                chunk = next(chunks, None)
                if chunk is None:
                    return
                if not bool(torch.isfinite(chunk).all()):
                    raise FramesInvalid(engine=self.spec.name)
                film = pictures(chunk)
            for picture in film:
                count += 1
                yield picture
            report("decode", count, plan.num_frames, self._stages.fraction("decode", count / plan.num_frames), None)

    def skips(self, plan: Plan) -> bool:
        """Whether the pipeline of a plan can skip blocks."""
        del plan
        return self.cache_threshold is not None

    @contextmanager
    def _skipping(self, plan: Plan) -> Iterator[None]:
        """Skip blocks whose outcome is foreseen. Of a schedule of few steps there is nothing to skip."""
        if plan.request.preset != "quality" or not self.skips(plan):
            yield
            return
        from diffusers import FirstBlockCacheConfig

        self.pipe.transformer.enable_cache(FirstBlockCacheConfig(threshold=self.cache_threshold))
        try:
            yield
        finally:
            self.pipe.transformer.disable_cache()

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

    def _heard_text(self, seconds: float) -> None:
        self._stages.seconds["text"] = self._stages.seconds.get("text", 0.0) + seconds

    def _synchronise(self) -> None:
        """Wait for the card, so that a step that is told has been made."""
        if self.card.is_cuda:
            import torch

            torch.cuda.synchronize()

    def _made(self, plan: Plan) -> Making:
        import torch

        source = self.spec.source
        return Making(
            engine=self.spec.name,
            preset=plan.request.preset,
            mode=plan.request.mode,
            repository=source.repository if source else "",
            revision=self._revision,
            num_inference_steps=plan.recipe.num_inference_steps,
            guidance_scale=plan.recipe.guidance_scale,
            adapters=tuple(f"{adapter.name}:{adapter.weight:g}" for adapter in plan.request.adapters),
            variant=self._variant.name if self._variant else None,
            device=self.card.name,
            seconds={stage: round(spent, 3) for stage, spent in self._stages.seconds.items()},
            peak_vram_gb=round(torch.cuda.max_memory_allocated() / GIGABYTE, 2) if self.card.is_cuda else 0.0,
        )


def _given(arguments: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is None: a pipeline that lacks the argument must not be given it."""
    return {name: value for name, value in arguments.items() if value is not None}
