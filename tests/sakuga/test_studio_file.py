"""The studio file is read again while the show goes on."""

import os
from pathlib import Path

import pytest

from sakuga.errors import StudioFileInvalid
from sakuga.studio_file import LOOK_EVERY_S, StudioFile


class Clock:
    """Goes on when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def later(self) -> None:
        self.now += LOOK_EVERY_S


def write(path: Path, text: str, age: int) -> None:
    path.write_text(text)
    os.utime(path, ns=(age * 10**9, age * 10**9))


def test_a_change_is_seen_within_half_a_second_and_not_looked_for_more_often(tmp_path: Path) -> None:
    path, clock = tmp_path / "studio.toml", Clock()
    write(path, 'title = "One"', 1)
    file = StudioFile(path, clock)
    write(path, 'title = "Two"', 2)
    assert file.catalog.title == "One"
    clock.later()
    assert file.catalog.title == "Two"
    assert file.catalog is file.catalog


def test_a_mistake_in_it_is_told_and_the_last_good_one_stays(tmp_path: Path) -> None:
    path, clock = tmp_path / "studio.toml", Clock()
    write(path, 'title = "One"', 1)
    file = StudioFile(path, clock)
    write(path, "[limits]\nwaiting = 0", 2)
    clock.later()
    assert file.catalog.title == "One"
    assert "limits.waiting" in (file.look() or "")
    write(path, 'title = "Three"', 3)
    clock.later()
    assert (file.catalog.title, file.look()) == ("Three", None)


def test_a_file_that_comes_or_goes_is_a_change(tmp_path: Path) -> None:
    path, clock = tmp_path / "studio.toml", Clock()
    file = StudioFile(path, clock)
    assert file.catalog.title == "Sakuga"
    write(path, 'title = "One"', 1)
    clock.later()
    assert file.catalog.title == "One"
    path.unlink()
    clock.later()
    assert file.catalog.title == "Sakuga"


def test_the_first_reading_must_be_right(tmp_path: Path) -> None:
    write(tmp_path / "studio.toml", "nonsense =", 1)
    with pytest.raises(StudioFileInvalid):
        StudioFile(tmp_path / "studio.toml")
