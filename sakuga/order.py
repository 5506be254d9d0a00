"""The order: what a renderer is told to draw, put together from a job, the catalog and the engine that draws it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sakuga.catalog import Catalog, Style
from sakuga.engine import Adapter, EngineSpec, RenderRequest
from sakuga.job import Job


@dataclass(frozen=True, slots=True)
class Look:
    """What a style and characters add to the viewer's words."""

    prompt: str = ""
    negative_prompt: str = ""
    adapters: tuple[Adapter, ...] = ()
    image: str | None = None


def look(catalog: Catalog, spec: EngineSpec, style: str, characters: Sequence[str] = ()) -> Look:
    """Return the look of a style with its characters, as far as the engine can draw it.

    Names that the studio file no longer has add nothing. A file that several of them name is loaded once, with the
    weight of the first.
    """
    cast = [catalog.characters[name] for name in characters if name in catalog.characters]
    named: list[tuple[str, Style]] = [(style, catalog.styles[style])] if style in catalog.styles else []
    named += [(name, catalog.characters[name]) for name in characters if name in catalog.characters]
    pictures = [character.image for character in cast if character.image] if "image-to-video" in spec.modes else []
    return Look(
        prompt=_joined(part.prompt for _, part in named),
        negative_prompt=_joined(part.negative_prompt for _, part in named),
        adapters=_adapters(named, spec),
        image=next(iter(pictures), None),
    )


def order(job: Job, catalog: Catalog, spec: EngineSpec) -> RenderRequest:
    """Return the request for a job's present attempt: everything is settled by it but the renderer."""
    preset = job.preset if job.preset in spec.presets or not spec.presets else catalog.presets_of(spec)[0]
    recipe = spec.presets.get(preset)
    width, height = (recipe.size if recipe else None) or spec.sizes[0]
    seen = look(catalog, spec, job.style, job.characters)
    return RenderRequest(
        job_id=job.id,
        number=job.number,
        attempt=job.attempt,
        engine=spec.name,
        prompt=job.direction or job.prompt,
        style=job.style,
        style_prompt=seen.prompt,
        negative_prompt=seen.negative_prompt,
        seed=job.seed,
        width=width,
        height=height,
        num_frames=spec.num_frames(job.duration_s),
        fps=spec.fps,
        preset=preset,
        adapters=seen.adapters,
        image=seen.image,
        requested_by=job.requested_by.name,
    )


def _adapters(named: Iterable[tuple[str, Style]], spec: EngineSpec) -> tuple[Adapter, ...]:
    """Return the LoRAs for this engine. One is named after what it draws: `hana`, and `hana+2` for its second."""
    found: dict[tuple[str | None, str | None, str], Adapter] = {}
    for name, part in named if spec.takes_loras else ():
        for number, lora in enumerate(part.loras, 1):
            if not lora.engines or spec.name in lora.engines:
                adapter = lora.adapter(name if number == 1 else f"{name}+{number}")
                found.setdefault((lora.repository, lora.revision, lora.file), adapter)
    return tuple(found.values())


def _joined(words: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(part.strip(" ,") for part in words if part.strip(" ,")))
