"""Media: the pictures and videos of the streamer's folder that a render may begin with."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from sakuga.errors import MediaMissing, RenderFailed

ROUNDED_S = 0.001
"""By how much the times in a video may be off: some formats keep milliseconds."""


def locate(folder: Path, name: str) -> Path:
    """Return the file of that name below a folder. Raises MediaMissing, also for a name that leads out of it."""
    root = folder.resolve()
    path = (root / name).resolve()
    if root not in path.parents or not path.is_file():
        raise MediaMissing(name=name)
    return path


def open_picture(folder: Path, name: str, size: tuple[int, int] | None = None) -> Any:
    """Return a PIL picture, upright, and cropped to cover `size` (width, height) if that is given.

    Raises MediaMissing, RenderFailed.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(locate(folder, name)) as file:
            picture = ImageOps.exif_transpose(file).convert("RGB")
    except (UnidentifiedImageError, OSError) as error:
        raise RenderFailed(reason=f"{name} is no picture that can be read") from error
    return ImageOps.fit(picture, size, Image.Resampling.LANCZOS) if size else picture


def open_video(folder: Path, name: str, size: tuple[int, int], num_frames: int, fps: float) -> list[Any]:
    """Return the beginning of a video as PIL pictures that cover `size`: `fps` for each of its seconds.

    Its last picture is held if it is too short. Raises MediaMissing, RenderFailed.
    """
    import av
    from PIL import Image, ImageOps

    path = locate(folder, name)
    try:
        with av.open(str(path)) as container:
            pictures = [
                ImageOps.fit(Image.fromarray(frame.to_ndarray(format="rgb24")), size, Image.Resampling.LANCZOS)
                for frame in islice(_at(container.decode(video=0), fps), num_frames)
            ]
    except (av.error.FFmpegError, IndexError) as error:
        raise RenderFailed(reason=f"{name} is no video that can be read") from error
    if not pictures:
        raise RenderFailed(reason=f"{name} has no pictures")
    return pictures + pictures[-1:] * (num_frames - len(pictures))


def _at(frames: Iterable[Any], fps: float) -> Iterator[Any]:
    """Yield the frame that is seen at each 1/fps of a second, so that what moves keeps its pace."""
    seen, begin, moment = None, 0.0, 0
    for number, frame in enumerate(frames):
        time = number / fps if frame.time is None else frame.time
        if seen is None:
            begin = time
        while seen is not None and moment / fps + ROUNDED_S < time - begin:
            yield seen
            moment += 1
        seen = frame
    if seen is not None:
        yield seen
