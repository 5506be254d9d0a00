"""Media: the pictures and videos of the streamer's folder that a render may begin with."""

from pathlib import Path
from typing import Any

from sakuga.errors import MediaMissing, RenderFailed


def locate(folder: Path, name: str) -> Path:
    """Return the file of that name below a folder. Raises MediaMissing, also for a name that leads out of it."""
    root = folder.resolve()
    path = (root / name).resolve()
    if root not in path.parents or not path.is_file():
        raise MediaMissing(name=name)
    return path


def open_picture(folder: Path, name: str, size: tuple[int, int]) -> Any:
    """Return a PIL picture, cropped to cover `size` (width, height). Raises MediaMissing, RenderFailed."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(locate(folder, name)) as picture:
            return ImageOps.fit(ImageOps.exif_transpose(picture).convert("RGB"), size, Image.Resampling.LANCZOS)
    except (UnidentifiedImageError, OSError) as error:
        raise RenderFailed(reason=f"{name} is no picture that can be read") from error


def open_video(folder: Path, name: str, size: tuple[int, int], num_frames: int) -> list[Any]:
    """Return the first frames of a video as PIL pictures that cover `size`; its last one is held if it is too short.

    Raises MediaMissing, RenderFailed.
    """
    import av
    from PIL import Image, ImageOps

    path, pictures = locate(folder, name), []
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                pictures.append(
                    ImageOps.fit(Image.fromarray(frame.to_ndarray(format="rgb24")), size, Image.Resampling.LANCZOS)
                )
                if len(pictures) == num_frames:
                    break
    except (av.error.FFmpegError, IndexError) as error:
        raise RenderFailed(reason=f"{name} is no video that can be read") from error
    if not pictures:
        raise RenderFailed(reason=f"{name} has no pictures")
    return pictures + pictures[-1:] * (num_frames - len(pictures))
