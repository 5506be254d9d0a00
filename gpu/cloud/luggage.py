"""What travels between this PC and Modal's volume: LoRAs, pictures and videos go there, hero clips come home."""

import asyncio
import io
from pathlib import Path, PurePosixPath

import modal
from modal.exception import NotFoundError

from gpu.cloud import heroes

CARRIED = {".safetensors", ".png", ".jpg", ".jpeg", ".webp", ".mp4", ".webm", ".mov", ".mkv", ".gif"}
"""Endings of what a render can begin with or be dressed in."""


async def send(volume: modal.Volume, folder: Path) -> list[str]:
    """Put the media folder's files into a volume and return their names. What is there already is not sent again."""
    files = await asyncio.to_thread(_carried, folder)
    if files:
        async with volume.batch_upload.aio(force=True) as batch:  # compares contents with what Modal knows
            for name, path in files.items():
                batch.put_file(path, f"/{name}")
    return list(files)


def _carried(folder: Path) -> dict[str, Path]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix.lower() in CARRIED)
    files = {path.relative_to(folder).as_posix(): path for path in found}
    return {name: path for name, path in files.items() if not name.startswith(f"{heroes.FOLDER}/")}


async def send_plan(volume: modal.Volume, plan: heroes.Plan) -> None:
    """Tell what is to be drawn at night."""
    async with volume.batch_upload.aio(force=True) as batch:
        batch.put_file(io.BytesIO(plan.model_dump_json().encode()), f"/{heroes.FOLDER}/{heroes.PLAN}")


async def names(volume: modal.Volume, path: str) -> set[str]:
    """Return the names in a folder of a volume; none where there is no such folder."""
    try:
        return {PurePosixPath(entry.path).name for entry in await volume.listdir.aio(path)}
    except NotFoundError:
        return set()


async def collect(volume: modal.Volume, folder: Path) -> list[str]:
    """Bring hero clips from a volume below the media folder, and remove those that have come; return their names.

    A clip comes after its poster and its sidecar, so that a folder that is watched never shows half of one.
    """
    there = await names(volume, f"/{heroes.FOLDER}")
    shelf = folder / heroes.FOLDER
    clips = sorted(name for name in there if name.endswith(".mp4"))
    for clip in clips:
        parts = [PurePosixPath(clip).with_suffix(ending).name for ending in (".json", ".jpg", ".mp4")]
        for name in parts:
            if name in there:
                await _fetch(volume, f"/{heroes.FOLDER}/{name}", shelf / name)
        for name in parts[1:]:  # the sidecar stays, and says that this prompt has been drawn
            if name in there:
                await volume.remove_file.aio(f"/{heroes.FOLDER}/{name}")
    return clips


async def _fetch(volume: modal.Volume, path: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    with part.open("wb") as file:
        async for chunk in volume.read_file.aio(path):
            file.write(chunk)
    part.replace(target)
