"""Weights on disk: where they lie, in the layout of the Hub's own cache, and whether they are all there.

Below the folder it is `models--OWNER--NAME/` with `blobs/`, `refs/main` and `snapshots/COMMIT/`, so that whatever knows
the Hub's cache knows ours. A source without a revision stays at the commit of its first download: `refs/main`.
"""

import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpu.weights import layout
from sakuga.engine import EngineSpec, Source
from sakuga.errors import LicenceNotAccepted, WeightsMissing

if TYPE_CHECKING:
    from gpu.weights.download import Download

COMMIT = re.compile(r"[0-9a-f]{40}")


def find(source: Source, folder: Path, *, engine: str) -> Path:
    """Return the folder of a repository's files, or the file or folder of it that the source names.

    Asks nobody. Raises WeightsMissing, which names `engine`, unless all of it is there.
    """
    found = lying(source, folder)
    if found is None:
        raise WeightsMissing(engine=engine)
    return found


def lying(source: Source, folder: Path) -> Path | None:
    """Return where a source lies, or None unless all of it is there."""
    commit = pin(source, folder)
    if commit is None:
        return None
    snapshot = home(source.repository, folder) / "snapshots" / commit
    names = {path.relative_to(snapshot).as_posix() for path in snapshot.rglob("*") if path.is_file()}
    return snapshot / (source.file or "") if layout.whole(names, _index(snapshot), source.file) else None


def present(spec: EngineSpec, folder: Path) -> bool:
    """Return whether all weights of an engine lie there: its own, its extras' and its presets'."""
    return all(lying(source, folder) for source in sources(spec))


def sources(spec: EngineSpec) -> tuple[Source, ...]:
    """Return everything that an engine loads from the Hub. Of a distilled repository that is its transformer."""
    found = [spec.source, *spec.extras] if spec.source else [*spec.extras]
    found += [_distilled(recipe.source) for recipe in spec.presets.values() if recipe.source]
    return tuple(dict.fromkeys(found))


def commit_of(path: Path) -> str:
    """Return the commit that a path of `find` belongs to, or an empty string for a path of another kind."""
    return next((commit for above, commit in pairwise(path.parts) if above == "snapshots"), "")


def variant(folder: Path) -> str | None:
    """Return what from_pretrained must be told as `variant` for a repository's folder: bf16, or None."""
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*.safetensors")]
    return layout.variant(layout.needed(names, _index(folder)))


def fetch(spec: EngineSpec, folder: Path, *, accept_licence: bool = False, endpoint: str | None = None) -> "Download":
    """Ask the Hub for what is missing of an engine's weights; iterating over the answer brings it.

    `endpoint` is another address of the Hub. Raises LicenceNotAccepted, SpaceExhausted, WeightsUnreachable.
    """
    licence = spec.licence
    if licence and licence.must_accept and not accept_licence:
        raise LicenceNotAccepted(engine=spec.name, licence=licence.name, url=licence.url)
    return fetch_sources(spec.name, sources(spec), folder, endpoint=endpoint)


def fetch_sources(engine: str, wanted: Iterable[Source], folder: Path, *, endpoint: str | None = None) -> "Download":
    """Ask the Hub for what is missing of these sources, on behalf of an engine; like `fetch`."""
    from gpu.weights.download import Download

    return Download(engine, wanted, folder, endpoint)


def home(repository: str, folder: Path) -> Path:
    """Return the folder of a repository in the cache."""
    return folder / f"models--{repository.replace('/', '--')}"


def pin(source: Source, folder: Path) -> str | None:
    """Return the commit that a source stands for here: its own, or that of the first download; None before it."""
    revision = source.revision or "main"
    if COMMIT.fullmatch(revision):
        return revision
    reference = home(source.repository, folder) / "refs" / revision
    return reference.read_text("utf-8").strip() if reference.is_file() else None


def _distilled(source: Source) -> Source:
    return source if source.file else source.model_copy(update={"file": "transformer"})


def _index(snapshot: Path) -> dict[str, Any] | None:
    file = snapshot / layout.INDEX
    return layout.read_index(file.read_text("utf-8")) if file.is_file() else None
