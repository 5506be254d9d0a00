"""Turns frames, and sound where there is one, into an MP4 that every browser starts at once, beside the drawing."""

import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from queue import Queue
from types import TracebackType
from typing import Any, Final, Self

import av
import numpy as np
from av.packet import Packet
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from PIL import Image

from gpu.engines import Frame, Sound
from sakuga.engine import RenderRequest, RenderResult
from sakuga.errors import RenderCancelled, RenderFailed

POSTER_AT = 0.55
"""Where in the clip the poster is taken, as a part of its length: after the title card, before the last move."""

X264 = {"preset": "veryfast", "crf": "20", "tune": "animation"}
SOUND_RATE = 48_000
SOUND_BITS = 160_000  # per second
WAITING = 16
"""Frames that may wait for the encoder: as many as four latent frames decode to; 43 MB at 1280x704."""

END: Final = None


class Encoder:
    """Writes `<job id>.<attempt>.mp4` and `.jpg` into a folder from a thread of its own, so that drawing goes on.

    H.264, yuv420p, BT.709, constant frame rate, AAC in stereo, index first. The size is that of the first frame. Until
    `finish` the files end in `.part`; left without it, or with an error, none stays.
    """

    def __init__(self, request: RenderRequest, folder: Path) -> None:
        stem = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in request.job_id)[:80]
        self._request = request
        self._files = [folder / f"{stem}.{request.attempt}{ending}" for ending in (".mp4", ".jpg")]
        self._parts = [file.with_name(f"{file.name}.part") for file in self._files]
        self._waiting: Queue[Frame | Sound | None] = Queue(WAITING)
        self._items = self._taken()
        self._left = False
        self._made: RenderResult | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="encoder", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread.is_alive():
            self._left = True
            self._waiting.put(END)
            self._thread.join()
        for part in self._parts:
            part.unlink(missing_ok=True)

    def add(self, item: Frame | Sound) -> None:
        """Take the next frame, or the sound of the clip at any time. The array is not to be changed after.

        Waits while too many frames wait. Raises what broke the encoder.
        """
        if self._error:
            raise self._error
        self._waiting.put(item)

    def finish(self) -> RenderResult:
        """Wait for the last frame and give the files their names. Raises RenderFailed when there were no frames."""
        self._waiting.put(END)
        self._thread.join()
        if self._error:
            raise self._error
        assert self._made  # noqa: S101 - the thread ends with the one or the other
        for part, whole in zip(self._parts, self._files, strict=True):
            part.replace(whole)
        return self._made

    def _work(self) -> None:
        try:
            self._made = self._write()
        except BaseException as error:  # noqa: BLE001 - raised in the thread that draws
            self._error = error
            self._left = True
            for _ in self._items:  # nobody waits for room
                pass

    def _taken(self) -> Iterator[Frame | Sound]:
        while (item := self._waiting.get()) is not END:
            if not self._left:
                yield item

    def _write(self) -> RenderResult:
        film, poster = self._parts
        sound: Sound | None = None
        picture: Frame | None = None
        packets: list[Packet[Any]] = []  # the header needs to know whether a sound will come
        count = 0
        # faststart opens the file again by its name, so it must be a real file.
        with av.open(str(film), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            stream = self._stream(container)
            for item in self._items:
                if isinstance(item, Sound):
                    sound = item if item.samples.size else None
                    continue
                if count == 0:
                    stream.height, stream.width = item.shape[:2]
                if (stream.height, stream.width, 3) != item.shape:
                    raise RenderFailed(reason=f"a frame of {item.shape} among those of {stream.width}x{stream.height}")
                if count <= self._request.num_frames * POSTER_AT:
                    picture = item
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(item), format="rgb24")
                packets += stream.encode(
                    frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)
                )
                count += 1
            if self._left:
                raise RenderCancelled
            if picture is None:
                raise RenderFailed(reason="the engine drew no frames")
            packets += stream.encode()
            if sound:
                packets += _spoken(container, sound, Fraction(count) / stream.codec_context.framerate)
                packets.sort(key=_moment)
            container.mux(packets)
        Image.fromarray(picture).save(poster, format="JPEG", quality=88)
        return RenderResult(
            video_path=str(self._files[0]),
            poster_path=str(self._files[1]),
            width=picture.shape[1],
            height=picture.shape[0],
            fps=self._request.fps,
            num_frames=count,
            has_sound=sound is not None,
        )

    def _stream(self, container: av.container.OutputContainer) -> av.VideoStream:
        rate = Fraction(self._request.fps).limit_denominator(1001)
        stream = container.add_stream("libx264", rate=rate, options=X264)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.color_range = ColorRange.MPEG
        stream.codec_context.colorspace = Colorspace.ITU709
        stream.codec_context.color_primaries = ColorPrimaries.BT709
        stream.codec_context.color_trc = ColorTrc.BT709
        return stream


def _spoken(container: av.container.OutputContainer, sound: Sound, length_s: Fraction) -> list["Packet[Any]"]:
    """Return a sound as packets of AAC, no longer than the pictures."""
    stream = container.add_stream("aac", rate=SOUND_RATE, layout="stereo", bit_rate=SOUND_BITS)
    samples = np.clip(sound.samples[:2, : round(length_s * sound.rate)], -1, 1).astype(np.float32)
    both = np.ascontiguousarray(samples[[0, -1]])  # FFmpeg would make one channel quieter by 3 dB
    frame = av.AudioFrame.from_ndarray(both, format="fltp", layout="stereo")
    frame.sample_rate, frame.pts = sound.rate, 0
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=SOUND_RATE)
    even = [*resampler.resample(frame), *resampler.resample(None)]
    return [packet for frame in [*even, None] for packet in stream.encode(frame)]


def _moment(packet: "Packet[Any]") -> Fraction:
    return (packet.dts or 0) * packet.time_base
