"""Hero clips: prompts of the streamer's own, drawn at night while nobody asks for a clip, and kept until collected."""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from gpu.cloud.catalog import Catalog, Look
from sakuga.engine import Adapter, EngineSpec, Preset, RenderRequest
from sakuga.errors import SettingsInvalid, StudioFileInvalid

FOLDER = "hero"
"""Below the media folder, here and on Modal."""
PLAN = "plan.json"
A_NIGHT = 12
"""Clips in one night at most: on an H100 some dimes, whatever the list holds."""
NOTHING_TO_DRAW = """\
--nightly draws what the table [hero] of {path} names, and it names nothing. Write there, for example:

[hero]
prompts = ["a tram in the rain", "fireworks over the bay"]"""


class Plan(BaseModel):
    """What is to be drawn, and how: all that a night needs to know of the studio file."""

    model_config = ConfigDict(frozen=True)

    engine: str
    gpu: str | None = None  # instead of those that the engine prefers
    preset: Preset
    style: str
    style_prompt: str = ""
    negative_prompt: str = ""
    adapters: tuple[Adapter, ...] = ()
    seconds: float
    prompts: tuple[str, ...]

    def __str__(self) -> str:
        count = f"{len(self.prompts)} clips of" if len(self.prompts) > 1 else "a clip of"
        return f"{count} {self.seconds:g} s with {self.engine} ({self.preset}), in the style {self.style}"


def plan(catalog: Catalog, path: Path, engines: Mapping[str, EngineSpec], usual: str, gpu: str | None = None) -> Plan:
    """Return what the studio file at `path` wants to be drawn, by one of these engines.

    `usual` is taken where the studio file names none that is here. Raises SettingsInvalid, StudioFileInvalid.
    """
    hero = catalog.hero
    prompts = dict.fromkeys(prompt.strip() for prompt in hero.prompts if prompt.strip())
    if not prompts:
        raise SettingsInvalid(problem=NOTHING_TO_DRAW.format(path=path))
    if hero.engine and hero.engine not in engines:
        problem = f"hero.engine: there is no engine {hero.engine!r} on Modal; choose one of {', '.join(engines)}"
        raise StudioFileInvalid(path=path, problem=problem)
    spec = engines[next(name for name in (hero.engine, catalog.engine, usual) if name and name in engines)]
    if "text-to-video" not in spec.modes:
        problem = f"hero.engine: {spec.name} begins with a picture; choose an engine that draws from words alone"
        raise StudioFileInvalid(path=path, problem=problem)
    seconds = hero.seconds or spec.default_s
    if not spec.shortest_s <= seconds <= spec.longest_s:
        problem = f"hero.seconds: {spec.name} draws clips of {spec.shortest_s:g} to {spec.longest_s:g} seconds"
        raise StudioFileInvalid(path=path, problem=problem)
    style = hero.style or catalog.style
    look = catalog.styles.get(style, Look())
    return Plan(
        engine=spec.name,
        gpu=gpu,
        preset=catalog.preset if catalog.preset in spec.presets else next(iter(spec.presets), catalog.preset),
        style=style,
        style_prompt=look.prompt.strip(" ,"),
        negative_prompt=look.negative_prompt.strip(" ,"),
        adapters=look.adapters(style, spec),
        seconds=seconds,
        prompts=tuple(prompts),
    )


def missing(shelf: Path, plan: Plan, spec: EngineSpec, attempt: int) -> Iterator[RenderRequest]:
    """Yield a request for each prompt that has no clip on the shelf yet and never had.

    With another engine, preset, style or length it is another clip.
    """
    recipe = spec.presets.get(plan.preset)
    width, height = (recipe and recipe.size) or spec.sizes[0]
    for prompt in plan.prompts:
        told = (plan.engine, plan.preset, plan.style, f"{plan.seconds:g}", prompt)
        digest = hashlib.sha256("\n".join(told).encode()).hexdigest()
        request = RenderRequest(
            job_id=f"hero-{digest[:16]}",
            number=0,
            attempt=attempt,
            engine=plan.engine,
            prompt=prompt,
            style=plan.style,
            style_prompt=plan.style_prompt,
            negative_prompt=plan.negative_prompt,
            seed=int(digest[:8], 16) % 2**31,
            width=width,
            height=height,
            num_frames=spec.num_frames(plan.seconds),
            fps=spec.fps,
            preset=plan.preset,
            adapters=plan.adapters,
        )
        if not (shelf / f"{request.job_id}.json").exists():
            yield request


def keep(shelf: Path, request: RenderRequest, answer: dict[str, Any]) -> None:
    """Put a clip on the shelf, with a sidecar that says what was asked for, and what really drew it.

    The sidecar stays there when the clip is collected, and says that it was drawn.
    """
    shelf.mkdir(parents=True, exist_ok=True)
    video, poster = f"{request.job_id}.mp4", f"{request.job_id}.jpg"
    (shelf / video).write_bytes(answer["video"])
    (shelf / poster).write_bytes(answer["poster"])
    result = {**answer["result"], "renderer": "modal", "video_path": video, "poster_path": poster}
    sidecar = {"request": request.model_dump(mode="json"), "result": result, "finished_at": round(time.time(), 3)}
    (shelf / f"{request.job_id}.json").write_text(json.dumps(sidecar, ensure_ascii=False, indent=1), "utf-8")
