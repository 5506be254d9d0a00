"""Pictures and videos that a render begins with, and nothing outside the folder."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpu.media import locate, open_picture, open_video
from sakuga.errors import MediaMissing, RenderFailed
from tests.fakes.footage import FPS, draw_footage


def test_a_picture_is_cropped_to_cover_the_size(tmp_path: Path) -> None:
    Image.fromarray(np.full((300, 100, 3), 200, np.uint8)).save(tmp_path / "a.png")
    assert open_picture(tmp_path, "a.png", (96, 64)).size == (96, 64)
    assert open_picture(tmp_path, "a.png").size == (100, 300)


def test_names_that_lead_out_of_the_folder_or_nowhere_are_missing(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "secret.png").write_bytes(b"x")
    (tmp_path / "media" / "link.png").symlink_to(tmp_path / "secret.png")
    for name in ("../secret.png", str(tmp_path / "secret.png"), "link.png", "none.png", "", "."):
        with pytest.raises(MediaMissing):
            locate(tmp_path / "media", name)


def test_what_is_no_picture_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"GIF89a but not really")
    with pytest.raises(RenderFailed, match="no picture"):
        open_picture(tmp_path, "a.png", (96, 64))
    with pytest.raises(RenderFailed, match="no video"):
        open_video(tmp_path, "a.png", (96, 64), 9, 16)


def test_a_video_is_as_long_as_asked_for_and_its_last_picture_is_held(tmp_path: Path) -> None:
    draw_footage(tmp_path, seconds=0.5)
    assert len(open_video(tmp_path, "0.mp4", (96, 64), 5, FPS)) == 5
    longer = open_video(tmp_path, "0.mp4", (96, 64), 13, FPS)
    assert len(longer) == 13
    assert {picture.size for picture in longer} == {(96, 64)}
    assert longer[-1] == longer[7]
    assert longer[7] != longer[6]


def test_what_moves_in_a_video_keeps_its_pace_at_any_number_of_pictures_a_second(tmp_path: Path) -> None:
    draw_footage(tmp_path, seconds=0.5)
    film = open_video(tmp_path, "0.mp4", (96, 64), 8, FPS)
    assert open_video(tmp_path, "0.mp4", (96, 64), 4, FPS / 2) == film[::2]
    assert open_video(tmp_path, "0.mp4", (96, 64), 8, FPS * 2) == [picture for picture in film[:4] for _ in range(2)]
    assert open_video(tmp_path, "0.mp4", (96, 64), 6, FPS * 1.5) == [film[index] for index in (0, 0, 1, 2, 2, 3)]
