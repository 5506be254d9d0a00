"""The catalog, as far as a GPU is sent something for it: LoRAs that lie on the Hub, and what is drawn at night."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gpu.character import studio_file
from sakuga.engine import Adapter, EngineSpec, Preset, Source
from sakuga.errors import StudioFileInvalid


class Entry(BaseModel):
    """A part of the studio file. What has no meaning here is passed over; the studio itself checks all of it."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Lora(Entry):
    """A LoRA to draw with."""

    file: str = Field(pattern=r"(?i)\.safetensors$")  # other formats can run code
    repository: str | None = None
    revision: str | None = None
    weight: float = 1.0
    engines: tuple[str, ...] = ()

    def adapter(self, name: str) -> Adapter:
        """Return what an engine is told of it."""
        if self.repository is None:
            return Adapter(name=name, file=self.file, weight=self.weight)
        source = Source(repository=self.repository, revision=self.revision, file=self.file)
        return Adapter(name=name, source=source, weight=self.weight)


class Look(Entry):
    """A style or a character."""

    prompt: str = ""
    negative_prompt: str = ""
    loras: tuple[Lora, ...] = ()
    engines: tuple[str, ...] = ()  # characters only

    def adapters(self, name: str, spec: EngineSpec) -> tuple[Adapter, ...]:
        """Return its LoRAs for an engine, each once, named after the look: `hana`, and `hana+2` for the second."""
        if not spec.takes_loras or not _open_to(spec, self.engines):
            return ()
        found: dict[tuple[str | None, str | None, str], Adapter] = {}
        for number, lora in enumerate(self.loras, 1):
            if _open_to(spec, lora.engines):
                adapter = lora.adapter(name if number == 1 else f"{name}+{number}")
                found.setdefault((lora.repository, lora.revision, lora.file), adapter)
        return tuple(found.values())


class Hero(Entry):
    """Clips that the studio draws for itself at night."""

    engine: str | None = None
    style: str | None = None
    prompts: tuple[str, ...] = ()
    seconds: float | None = None


BUILT_IN = {"anime": Look(prompt="anime style, clean line art, cel shading")}
"""The styles of a studio file that has none, as in sakuga.catalog."""


class Catalog(Entry):
    """What the studio file says of engines, looks and heroes."""

    style: str = "anime"
    engine: str | None = None
    preset: Preset = "live"
    styles: dict[str, Look] = BUILT_IN
    characters: dict[str, Look] = {}
    hero: Hero = Hero()

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the studio file; without one, the defaults. Raises StudioFileInvalid."""
        try:
            return cls.model_validate(studio_file.read(path))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            problem = "LoRAs must be .safetensors" if first["type"] == "string_pattern_mismatch" else first["msg"]
            raise StudioFileInvalid(path=path, problem=f"{where}: {problem}") from error

    def hub_loras(self, spec: EngineSpec) -> list[Adapter]:
        """Return the LoRAs on the Hub that styles and characters may draw with on an engine, each once."""
        found: dict[Source, Adapter] = {}
        for name, look in (*self.styles.items(), *self.characters.items()):
            for adapter in look.adapters(name, spec):
                if adapter.source:
                    found.setdefault(adapter.source, adapter)
        return list(found.values())


def _open_to(spec: EngineSpec, engines: tuple[str, ...]) -> bool:
    return not engines or spec.name in engines
