"""The output gate: what must hold of a finished file before it may become a clip."""

import asyncio

import av

from sakuga.engine import RenderResult
from sakuga.errors import ClipUnplayable


async def check(result: RenderResult) -> None:
    """Raise ClipUnplayable unless the video is a readable H.264 file of the size and length that was promised."""
    try:
        playable = await asyncio.to_thread(_playable, result)
    except (av.error.FFmpegError, OSError) as error:
        raise ClipUnplayable from error
    if not playable:
        raise ClipUnplayable


def _playable(result: RenderResult) -> bool:
    with av.open(result.video_path) as container:
        if not container.streams.video:
            return False
        stream = container.streams.video[0]
        promised = (result.width, result.height, result.num_frames)
        first = next(container.decode(stream), None)
        return stream.name == "h264" and first is not None and (stream.width, stream.height, stream.frames) == promised
