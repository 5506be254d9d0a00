from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from gpu.encode import encode
from sakuga.errors import RenderFailed
from tests.gpu.conftest import ask


def moving_square(count: int):
    for index in range(count):
        frame = np.full((480, 832, 3), (200, 60, 40), np.uint8)
        frame[100:200, 10 + index : 110 + index] = (250, 250, 250)
        yield frame


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return encode(moving_square(81), ask(num_frames=81), tmp_path_factory.mktemp("clip"))


def test_a_clip_is_what_browsers_play(clip):
    with av.open(clip.video_path) as container:
        video = container.streams.video[0]
        context = video.codec_context
        assert (context.name, context.pix_fmt, context.width, context.height) == ("h264", "yuv420p", 832, 480)
        assert (video.average_rate, video.base_rate, video.frames) == (16, 16, 81)
        assert float(video.duration * video.time_base) == pytest.approx(81 / 16)
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (1, 1, 1, 1)


def test_the_index_comes_before_the_pictures(clip):
    data = Path(clip.video_path).read_bytes()
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


def test_files_are_named_after_the_job_and_attempt_and_stay_in_the_folder(tmp_path):
    result = encode(moving_square(2), ask(job_id="../../job/01", attempt=2, num_frames=2), tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"______job_01.2.mp4", "______job_01.2.jpg"}
    assert Path(result.video_path).parent == tmp_path


def test_an_engine_that_breaks_leaves_nothing_behind(tmp_path):
    def breaking():
        yield from moving_square(3)
        raise RenderFailed(reason="out of paper")

    with pytest.raises(RenderFailed, match="out of paper"):
        encode(breaking(), ask(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_frames_are_an_error(tmp_path):
    with pytest.raises(RenderFailed, match="no frames"):
        encode(iter(()), ask(), tmp_path)
    assert list(tmp_path.iterdir()) == []
