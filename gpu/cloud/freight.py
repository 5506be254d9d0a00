"""Brings weights to where engines run, into a folder here or into Modal's volume, and says how far it is."""

import asyncio
import hashlib
import math
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any, Self

import modal
from pydantic import BaseModel, ConfigDict, ValidationError

from gpu import weights
from gpu.cloud.catalog import Catalog
from sakuga.engine import GIGABYTE, MODAL_PROGRESS, Adapter, EngineSpec, Source
from sakuga.errors import CloudFailed, RenderFailed, SettingsInvalid, restored

FETCHED = "fetched"
"""Folder in the volume: an empty file for each engine and LoRA that has come, so that one look shows all."""
MINUTE = 60
MEGABYTE = GIGABYTE // 1024
INSTALL = "make demo RENDERER=local ENGINE=tiny"
QUIET_S = 2
"""Seconds without news until the download is asked whether it still lives."""


Cargo = EngineSpec | Adapter
"""What is brought: the weights of an engine, or a LoRA of the studio file that lies on the Hub."""


class Survey(BaseModel):
    """What a cargo is, and what of it is missing, in bytes."""

    model_config = ConfigDict(frozen=True)

    name: str
    total_bytes: int
    missing_bytes: int
    free_bytes: int | None = None

    def __str__(self) -> str:
        free = "" if self.free_bytes is None else f", {size(self.free_bytes)} are free"
        missing = f"{size(self.missing_bytes)} are to come" if self.missing_bytes else "all of it is there"
        return f"{self.name}: {missing}{free}"


class Arrival(BaseModel):
    """How far a download is."""

    model_config = ConfigDict(frozen=True)

    done_bytes: int
    total_bytes: int
    seconds_left: float | None = None

    def __str__(self) -> str:
        return f"{size(self.done_bytes)} of {size(self.total_bytes)}{self._left}"

    @property
    def _left(self) -> str:
        if self.seconds_left is None:
            return ""
        return f", {math.ceil(self.seconds_left / MINUTE)} min left" if self.done_bytes < self.total_bytes else ""


Tell = Callable[[Arrival], None]


def size(count: int) -> str:
    """Return a number of bytes in words: 26.4 GB, or 230 MB for a LoRA."""
    return f"{count / GIGABYTE:.1f} GB" if count >= GIGABYTE else f"{math.ceil(count / MEGABYTE)} MB"


def mark(cargo: Cargo) -> str:
    """Return the name of the file that says that these very bytes have come."""
    told = "".join(source.model_dump_json() for source in _sources(cargo))
    name = cargo.name if isinstance(cargo, EngineSpec) else "lora"
    return f"{name}-{hashlib.sha256(told.encode()).hexdigest()[:8]}"


def terms(cargo: Cargo) -> str:
    """Return the licence of an engine's weights in a line; of a LoRA, where its author tells of it."""
    if not isinstance(cargo, EngineSpec):
        (source,) = _sources(cargo)
        return f"{cargo.name}: {source.file}, a LoRA. Its terms: https://huggingface.co/{source.repository}"
    licence = cargo.licence
    if licence is None:
        return f"{cargo.name}: no licence is known"
    consent = "; it has to be accepted" if licence.must_accept else ""
    return " ".join(part for part in (f"{cargo.name}: {licence.name}{consent}.", licence.note, licence.url) if part)


def lacking(specs: Sequence[EngineSpec], catalog: Catalog, there: Collection[str]) -> str:
    """Say which weights and LoRAs of engines have left no mark yet, and how to bring them; nothing if all have."""
    told: dict[str, None] = {}
    engines: dict[str, None] = {}
    for spec in specs:
        cargos: list[Cargo] = [spec, *catalog.hub_loras(spec)]
        for cargo in cargos:
            if mark(cargo) not in there:
                what = "weights" if isinstance(cargo, EngineSpec) else "LoRA"
                told[f"the {what} of {cargo.name}"] = None
                engines[spec.name] = None
    if not told:
        return ""
    return f"Not on Modal yet: {', '.join(told)}. Bring them: python -m sakuga gpu weights {' '.join(engines)}"


def ready() -> None:
    """Raise SettingsInvalid unless what speaks with the Hub is installed here: the studio itself does without."""
    try:
        import_module("gpu.weights.download")
    except ImportError as error:
        problem = f"What fetches weights is not installed here ({error.name}). Install it once: {INSTALL}"
        raise SettingsInvalid(problem=problem) from error


def survey(cargo: Cargo, folder: Path) -> Survey:
    """Ask the Hub what is missing in a folder. Raises SpaceExhausted, WeightsUnreachable."""
    asked = weights.fetch_sources(cargo.name, _sources(cargo), folder)
    return Survey(
        name=cargo.name,
        total_bytes=asked.total_bytes,
        missing_bytes=asked.missing_bytes,
        free_bytes=asked.free_bytes,
    )


def bring(cargo: Cargo, folder: Path, tell: Tell, *, accepted: bool = False) -> None:
    """Bring what is missing into a folder. Raises LicenceNotAccepted, SpaceExhausted, WeightsUnreachable."""
    if isinstance(cargo, EngineSpec):
        download = weights.fetch(cargo, folder, accept_licence=accepted)
    else:
        download = weights.fetch_sources(cargo.name, _sources(cargo), folder)
    for arriving in download:
        tell(Arrival.model_validate(asdict(arriving)))


def _sources(cargo: Cargo) -> tuple[Source, ...]:
    if isinstance(cargo, EngineSpec):
        return weights.sources(cargo)
    return (cargo.source,) if cargo.source else ()


async def survey_there(fetch: modal.Function, cargo: Cargo) -> Survey:
    """Do what `survey` does, for Modal's volume."""
    with _same_version():
        return Survey.model_validate(_good(await fetch.remote.aio(cargo.name, "", check=True, **_named(cargo))))


async def bring_there(
    fetch: modal.Function, client: modal.Client, cargo: Cargo, tell: Tell, *, accepted: bool = False
) -> None:
    """Do what `bring` does, on Modal. Cancelling it stops the download there; what has arrived is kept."""
    partition = f"weights-{uuid.uuid4().hex}"
    call = await fetch.spawn.aio(cargo.name, partition, accepted=accepted, **_named(cargo))
    ended = False
    try:
        with _same_version():
            async for item in _news(client, partition, call):
                tell(Arrival.model_validate(item["arrival"]))
            _good(await call.get.aio())
        ended = True
    finally:
        if not ended:
            await asyncio.shield(call.cancel.aio())


def _named(cargo: Cargo) -> dict[str, Any]:
    """Return what a function on Modal has to be told of a cargo beside its name: it knows engines, not LoRAs."""
    return {} if isinstance(cargo, EngineSpec) else {"source": _sources(cargo)[0].model_dump()}


@contextmanager
def _same_version() -> Iterator[None]:
    """Raise CloudFailed where what is deployed knows other arguments or answers than this studio."""
    try:
        yield
    except (TypeError, LookupError, ValidationError, RenderFailed) as error:  # the last: it lacks the engine
        reason = "what is deployed there is of another version. Deploy it again: python -m sakuga gpu deploy"
        raise CloudFailed(reason=reason) from error


async def _news(client: modal.Client, partition: str, call: modal.FunctionCall) -> AsyncIterator[dict[str, Any]]:
    """Yield what a call tells in a partition, until it says that it ended or has none left to say it."""
    items, heard, over = modal.Queue.from_name(MODAL_PROGRESS, create_if_missing=True, client=client), 0, False
    while not over:
        try:
            await call.get.aio(timeout=0)
            over = True  # look for what is left, once
        except TimeoutError:
            pass
        count = 0
        async for item in items.iterate.aio(partition=partition, item_poll_timeout=0 if over else QUIET_S):
            count += 1
            if count <= heard:
                continue
            heard = count
            if "ended" in item:
                return
            yield item


def _good(answer: dict[str, Any]) -> dict[str, Any]:
    if error := answer.get("error"):
        raise restored(error["code"], error["data"])
    return answer


class Counter:
    """Shows how far a download is: over and over in one line of a terminal, else a line for each tenth."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tenth = -1
        self._overwrites = sys.stdout.isatty()
        self._line_is_open = False

    def __call__(self, arrival: Arrival) -> None:
        """Show it, unless there is nothing to bring."""
        tenth = 10 * arrival.done_bytes // max(arrival.total_bytes, 1)
        if self._overwrites and arrival.total_bytes:
            sys.stdout.write(f"\r{self._name}: {arrival}   ")
            self._line_is_open = True
        elif tenth > self._tenth and arrival.total_bytes:
            sys.stdout.write(f"{self._name}: {arrival}\n")
        self._tenth = tenth
        sys.stdout.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End the line; say that all of it is there, if it is."""
        ending = "\n" if self._line_is_open else ""
        sys.stdout.write(f"{ending}{self._name}: all of it is there.\n" if kind is None else ending)
