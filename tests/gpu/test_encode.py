import json
import subprocess
import threading
from itertools import groupby
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from gpu.encode import WAITING, Encoder
from gpu.engines import Sound
from sakuga.errors import RenderFailed
from tests.gpu.conftest import ask


def moving_square(count: int, height: int = 480, width: int = 832):
    for index in range(count):
        frame = np.full((height, width, 3), (200, 60, 40), np.uint8)
        frame[100:200, 10 + index : 110 + index] = (250, 250, 250)
        yield frame


def tone(seconds: float, rate: int = 24_000, channels: int = 2) -> Sound:
    wave = np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate).astype(np.float32) / 2
    return Sound(np.stack([wave] * channels), rate)


def encode(items, request, folder):
    with Encoder(request, folder) as film:
        for item in items:
            film.add(item)
        return film.finish()


def probe(path: str, *what: str) -> dict:
    command = ["ffprobe", "-v", "error", "-of", "json", *what, path]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def encoders() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "encoder"]


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return encode(moving_square(81), ask(num_frames=81), tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    items = [*moving_square(81), tone(6.0)]  # a second longer than the pictures
    return encode(items, ask(num_frames=81), tmp_path_factory.mktemp("spoken"))


def test_a_clip_is_what_browsers_play(clip):
    stream, *others = probe(clip.video_path, "-show_streams")["streams"]
    assert (others, clip.has_sound) == ([], False)
    assert (stream["codec_name"], stream["pix_fmt"], stream["width"], stream["height"]) == ("h264", "yuv420p", 832, 480)
    assert (stream["r_frame_rate"], stream["avg_frame_rate"], stream["nb_frames"]) == ("16/1", "16/1", "81")
    assert float(stream["duration"]) == pytest.approx(81 / 16)
    colours = [stream[f"color_{what}"] for what in ("space", "primaries", "transfer", "range")]
    assert colours == ["bt709", "bt709", "bt709", "tv"]


@pytest.mark.parametrize("made", ["clip", "spoken"])
def test_the_index_comes_before_the_pictures(made, request):
    data = Path(request.getfixturevalue(made).video_path).read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_colours_come_back_as_they_went_in(clip):
    with av.open(clip.video_path) as container:
        frame = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert np.abs(frame[400, 400].astype(int) - (200, 60, 40)).max() < 8


def test_the_poster_is_a_frame_from_after_the_middle(clip):
    with Image.open(clip.poster_path) as poster:
        assert (poster.format, poster.size) == ("JPEG", (832, 480))
        white = np.flatnonzero(np.asarray(poster)[150, :, 1] > 150)
    assert white[0] == pytest.approx(10 + 44, abs=2)


def test_the_size_and_the_length_are_those_of_the_frames_not_of_the_request(tmp_path):
    result = encode(moving_square(5, 256, 320), ask(num_frames=9, fps=24.0), tmp_path)
    assert (result.width, result.height, result.num_frames, result.fps) == (320, 256, 5, 24)
    stream = probe(result.video_path, "-show_streams")["streams"][0]
    assert (stream["width"], stream["height"], stream["nb_frames"]) == (320, 256, "5")
    with Image.open(result.poster_path) as poster:
        assert poster.size == (320, 256)


def test_a_sound_is_a_second_track_as_long_as_the_pictures(spoken):
    picture, sound = probe(spoken.video_path, "-show_streams")["streams"]
    assert spoken.has_sound
    assert (picture["codec_name"], sound["codec_name"]) == ("h264", "aac")
    assert (sound["channels"], sound["channel_layout"], sound["sample_rate"]) == (2, "stereo", "48000")
    assert float(sound["duration"]) == pytest.approx(float(picture["duration"]), abs=0.03)
    assert float(sound["start_time"]) == pytest.approx(0, abs=0.03)


def test_pictures_and_sound_lie_side_by_side_in_the_file(spoken):
    packets = probe(spoken.video_path, "-show_entries", "packet=stream_index,pos")["packets"]
    order = [packet["stream_index"] for packet in sorted(packets, key=lambda packet: int(packet["pos"]))]
    assert max(len(list(run)) for _, run in groupby(order)) <= 12  # a player never has to look far ahead


@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (44_100, 2), (48_000, 1)])
def test_sound_of_any_rate_and_of_one_channel_comes_back_with_its_pitch(tmp_path, rate, channels):
    result = encode([tone(1.0, rate, channels), *moving_square(16)], ask(num_frames=16), tmp_path)
    with av.open(result.video_path) as container:
        left, right = np.concatenate([f.to_ndarray() for f in container.decode(audio=0)], axis=1)
    pitch = np.abs(np.fft.rfft(left[4800:43_200])).argmax() / 0.8
    assert pitch == pytest.approx(440, abs=2)
    assert np.abs(left[4800:43_200]).max() == pytest.approx(0.5, abs=0.05)
    assert np.allclose(left, right, atol=0.01)


def test_files_are_named_after_the_job_and_attempt_and_stay_in_the_folder(tmp_path):
    result = encode(moving_square(2), ask(job_id="../../job/01", attempt=2, num_frames=2), tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"______job_01.2.mp4", "______job_01.2.jpg"}
    assert Path(result.video_path).parent == tmp_path


def test_an_engine_that_breaks_leaves_neither_files_nor_a_thread(tmp_path):
    def breaking():
        yield from moving_square(3)
        raise RenderFailed(reason="out of paper")

    with pytest.raises(RenderFailed, match="out of paper"):
        encode(breaking(), ask(), tmp_path)
    assert (list(tmp_path.iterdir()), encoders()) == ([], [])


def test_an_encoder_that_breaks_stops_the_drawing_and_is_told_once(tmp_path):
    drawn = 0

    def endless():
        nonlocal drawn
        yield from moving_square(2)
        while True:
            drawn += 1
            yield np.zeros((16, 16, 3), np.uint8)

    with pytest.raises(RenderFailed, match="among those of 832x480"):
        encode(endless(), ask(), tmp_path)
    assert drawn <= 3 * WAITING
    assert (list(tmp_path.iterdir()), encoders()) == ([], [])


def test_a_folder_that_can_not_be_written_is_an_error_and_no_hang(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        encode(moving_square(40), ask(), tmp_path / "gone")
    assert encoders() == []


def test_no_more_frames_wait_than_fit_into_memory(tmp_path):
    # Given an encoder that can't keep up
    slow = threading.Event()

    class Slow(Encoder):
        def _write(self):
            slow.wait()
            return super()._write()

    with Slow(ask(num_frames=100), tmp_path) as film:
        frames = moving_square(100, 48, 320)
        drawing = threading.Thread(target=lambda: [film.add(frame) for frame in frames])
        drawing.start()
        while not film._waiting.full():
            pass
        # Then the drawing waits for it
        drawing.join(0.05)
        assert drawing.is_alive()
        # And goes on when there is room
        slow.set()
        drawing.join()
        assert film.finish().num_frames == 100


def test_no_frames_are_an_error(tmp_path):
    with pytest.raises(RenderFailed, match="no frames"):
        encode(iter([tone(1.0)]), ask(), tmp_path)
    assert list(tmp_path.iterdir()) == []
