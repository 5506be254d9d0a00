import io

import numpy as np
import pytest
from PIL import Image

from gpu.telling import Telling
from sakuga.engine import Progress
from sakuga.errors import RenderCancelled
from tests.gpu.conftest import ask


@pytest.fixture
def heard() -> list[Progress]:
    return []


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 100.0

    monkeypatch.setattr("gpu.telling.time.monotonic", lambda: Clock.now)
    return Clock


def picture(width: int, height: int) -> np.ndarray:
    return np.full((height, width, 3), (10, 200, 90), np.uint8)


def test_reports_are_numbered_without_a_gap_and_never_go_back(heard):
    telling = Telling(heard.append)
    for step, fraction in enumerate((0.2, 0.5, 0.4, 1.5)):
        telling.report("denoise", step, 4, fraction)
    assert [report.sequence for report in heard] == [1, 2, 3, 4]
    assert [report.fraction for report in heard] == [0.2, 0.5, 0.5, 1.0]


def test_a_preview_is_a_small_jpeg(heard):
    telling = Telling(heard.append)
    telling.report("denoise", 1, 4, 0.2, picture(1280, 704))
    telling.report("denoise", 2, 4, 0.3, lambda: picture(256, 144))
    sizes = []
    for report in heard:
        with Image.open(io.BytesIO(report.preview)) as image:
            assert image.format == "JPEG"
            sizes.append(image.size)
    assert sizes == [(472, 260), (256, 144)]


def test_the_time_left_is_taken_from_the_speed_once_there_is_one(heard, clock):
    telling = Telling(heard.append)
    telling.report("loading", 0, 1, 0.0)
    clock.now += 40  # which says nothing of the speed of drawing
    telling.report("loading", 1, 1, 0.0)
    clock.now += 1
    telling.report("text", 1, 1, 0.05)
    clock.now += 1
    telling.report("denoise", 1, 4, 0.2)
    clock.now += 2
    telling.report("denoise", 2, 4, 0.5)
    assert [report.seconds_left for report in heard] == [None, None, None, 8.0, 4.0]


def test_an_engine_that_is_loaded_once_more_in_the_middle_begins_the_guessing_anew(heard, clock):
    telling = Telling(heard.append)
    clock.now += 3
    telling.report("denoise", 2, 4, 0.5)
    telling.report("loading", 0, 1, 0.0)
    clock.now += 9
    telling.report("denoise", 1, 4, 0.25)
    clock.now += 1
    telling.report("denoise", 3, 4, 0.75)
    assert [report.seconds_left for report in heard] == [3.0, None, None, 10.0]


def test_before_there_is_a_speed_a_paced_render_counts_down(heard, clock):
    telling = Telling(heard.append)
    telling.expect(ask(pace_s=6.0))
    clock.now += 2
    telling.report("text", 0, 1, 0.01)
    assert heard[-1].seconds_left == 4.0


def test_the_first_report_after_a_stop_ends_the_render_and_makes_no_preview(heard):
    stopped = False
    telling = Telling(heard.append, stopped=lambda: stopped)
    telling.report("denoise", 1, 4, 0.2)
    stopped = True
    with pytest.raises(RenderCancelled):
        telling.report("denoise", 2, 4, 0.3, lambda: pytest.fail("nobody looks at it"))
    assert len(heard) == 1
