"""The workspace on Modal as this studio uses it: the app, its engines, and a client that has been answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import modal

from gpu import app
from sakuga.engine import EngineSpec
from sakuga.errors import SettingsInvalid

RENTED: Mapping[str, EngineSpec] = {spec.name: spec for spec in app.RENTED}
DEFAULT_ENGINE = "wan2.1-t2v-1.3b"


@dataclass(frozen=True, slots=True)
class Workspace:
    """The app by name, and what the studio's settings say of it."""

    client: modal.Client
    app: str
    media: Path
    gpu: str | None  # instead of those that the engines prefer
    idle_s: int
    offered: tuple[str, ...]  # engines; the first is the default

    @property
    def engines(self) -> tuple[str, ...]:
        """The studio's engines that can be rented."""
        return tuple(name for name in self.offered if name in RENTED) or (DEFAULT_ENGINE,)

    @property
    def engine(self) -> str:
        """The first of them."""
        return self.engines[0]

    def pools(self, spec: EngineSpec) -> list[modal.Function]:
        """Return what stands for an engine's containers; the last is the worker's. A GPU of one's own has its own."""
        found = modal.Cls.from_name(self.app, spec.class_name, client=self.client)
        chosen = [found.with_options(gpu=self.gpu)().render] if self.gpu else []
        return [found().render, *chosen]

    def function(self, name: str) -> modal.Function:
        """Return a function of the app."""
        return modal.Function.from_name(self.app, name, client=self.client)

    def volume(self, name: str) -> modal.Volume:
        """Return a volume of the workspace."""
        return modal.Volume.from_name(name, create_if_missing=True, client=self.client)


def known(name: str, specs: Mapping[str, EngineSpec]) -> EngineSpec:
    """Return the spec of a name. Raises SettingsInvalid."""
    if name not in specs:
        raise SettingsInvalid(problem=f"There is no engine {name!r} for that. Choose one of: {', '.join(specs)}.")
    return specs[name]


def rented(names: Sequence[str]) -> list[EngineSpec]:
    """Return the specs of engines that can be rented, each once. Raises SettingsInvalid."""
    return [known(name, RENTED) for name in dict.fromkeys(names)]
