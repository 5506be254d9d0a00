"""Streams frames into an MP4 that every browser starts at once, and keeps one of them as the poster."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from PIL import Image

from gpu.engines import Frame
from sakuga.engine import RenderRequest, RenderResult
from sakuga.errors import RenderFailed

POSTER_AT = 0.55
"""Where in the clip the poster is taken, as a part of its length: after the title card, before the last move."""

X264 = {"preset": "veryfast", "crf": "20", "tune": "animation"}


def encode(frames: Iterable[Frame], request: RenderRequest, folder: Path) -> RenderResult:
    """Write `<job id>.<attempt>.mp4` and `.jpg` into `folder` as the frames arrive; until done they end in `.part`.

    H.264, yuv420p, BT.709, constant frame rate, index first. Raises RenderFailed when there were no frames.
    """
    stem = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in request.job_id)[:80]
    video, poster = (folder / f"{stem}.{request.attempt}{ending}" for ending in (".mp4", ".jpg"))
    unfinished = video.with_suffix(".mp4.part"), poster.with_suffix(".jpg.part")
    try:
        count = _write_video(frames, request, *unfinished)
        if count == 0:
            raise RenderFailed(reason="the engine drew no frames")
        for part, whole in zip(unfinished, (video, poster), strict=True):
            part.replace(whole)
    finally:
        for part in unfinished:
            part.unlink(missing_ok=True)
    return RenderResult(
        video_path=str(video),
        poster_path=str(poster),
        width=request.width,
        height=request.height,
        fps=request.fps,
        num_frames=count,
    )


def _write_video(frames: Iterable[Frame], request: RenderRequest, video: Path, poster: Path) -> int:
    poster_index = int(request.num_frames * POSTER_AT)
    count = 0
    # faststart re-opens the file by its name, so it must be a real file.
    with av.open(str(video), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(request.fps).limit_denominator(1001), options=X264)
        stream.width, stream.height, stream.pix_fmt = request.width, request.height, "yuv420p"
        stream.codec_context.color_range = ColorRange.MPEG
        stream.codec_context.colorspace = Colorspace.ITU709
        stream.codec_context.color_primaries = ColorPrimaries.BT709
        stream.codec_context.color_trc = ColorTrc.BT709
        for count, picture in enumerate(frames, start=1):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)
            container.mux(stream.encode(frame))
            if count == poster_index + 1 or count == 1:
                Image.fromarray(picture).save(poster, format="JPEG", quality=88)
        container.mux(stream.encode())
    return count
