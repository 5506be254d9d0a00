"""The engines in Markdown, from their specs: one table of all, then a section for each."""

from collections.abc import Iterator, Sequence

from docs.figures import paces, span
from docs.table import table
from gpu.bench.floors import work_of
from gpu.engines import ENGINES, find_spec
from sakuga.engine import EngineSpec, Preset, Recipe, Source

Row = Sequence[object]


def describe() -> str:
    """Return all engines, in the order in which they are declared."""
    specs = [find_spec(name) for name in ENGINES]
    heads = ("Engine", "From", "Size", "Seconds", "Frames", "Sound", "LoRAs", "Licence", "GPUs to rent")
    return "\n\n".join([table(heads, map(_line, specs)), *map(_section, specs)])


def _line(spec: EngineSpec) -> Row:
    return (
        f"[`{spec.name}`](#{anchor(spec.name)})",
        ", ".join(mode.removesuffix("-to-video") for mode in spec.modes),
        ", ".join(map(_size, spec.sizes)),
        f"{spec.shortest_s:g} to {spec.longest_s:g}, usually {spec.default_s:g}",
        f"{spec.fps:g} a second; a multiple of {spec.frame_step}, plus 1",
        "yes" if spec.sound else "no",
        "yes" if spec.takes_loras else "no",
        _terms(spec),
        ", ".join(spec.gpus),
    )


def _section(spec: EngineSpec) -> str:
    parts = [f"## {spec.name}", spec.summary]
    if spec.licence and spec.licence.note:
        parts.append(spec.licence.note)
    if spec.presets:
        heads = ("Preset", "Steps", "Guidance", "Size", "Expected, s")
        parts.append(table(heads, (_preset(spec, name, recipe) for name, recipe in spec.presets.items())))
    if spec.variants:
        ways = (f"`{variant.name}` from {variant.vram_gb:g} GB" for variant in spec.variants)
        parts.append(f"Held in memory as {', '.join(ways)}.")
    if spec.licence:  # without one there is nothing to fetch: the weights are made here
        parts.append(table(("Weights", "For", "Commit"), _weights(spec)))
    return "\n\n".join(parts)


def _preset(spec: EngineSpec, name: Preset, recipe: Recipe) -> Row:
    size, work = _size(recipe.size or spec.sizes[0]), work_of(spec, name)
    expected = span(paces(work, spec.gpus[0]), 1) if work else f"{recipe.typical_s:g}"
    return f"`{name}`", recipe.num_inference_steps, f"{recipe.guidance_scale:g}", size, expected


def _weights(spec: EngineSpec) -> Iterator[Row]:
    """Yield each source once, with what it is for."""
    uses: dict[Source, list[str]] = {}
    if spec.source:
        uses.setdefault(spec.source, []).append("the engine")
    for extra in spec.extras:
        uses.setdefault(extra, []).append("the engine, too")
    for preset, recipe in spec.presets.items():
        if recipe.source:
            uses.setdefault(recipe.source, []).append(f"`{preset}`")
    for source, purposes in uses.items():
        name = source.repository + (f"/{source.file}" if source.file else "")
        yield (
            f"[{name}](https://huggingface.co/{source.repository})",
            ", ".join(purposes),
            source.revision or "the first",
        )


def _terms(spec: EngineSpec) -> str:
    licence = spec.licence
    if licence is None:
        return ""
    name = f"[{licence.name}]({licence.url})" if licence.url else licence.name
    return f"{name}, to be accepted" if licence.must_accept else name


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def anchor(name: str) -> str:
    """Return the anchor that GitHub gives a heading of that name."""
    return "".join(letter for letter in name.lower() if letter.isalnum() or letter in "-_")
