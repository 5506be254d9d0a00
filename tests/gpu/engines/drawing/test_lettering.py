import pytest
from PIL import Image

from gpu.engines.drawing import lettering
from gpu.engines.drawing.lettering import clean, font, width, wrap, write


def test_cleaned_text_has_no_control_bidi_or_broken_characters():
    assert clean("a\x00b\u202e c\ud800\n\n d\u200b") == "ab c d"


def test_cleaned_text_is_at_most_500_characters():
    assert len(clean("夢 " * 2000)) == 500


def test_lines_stay_within_the_limit_and_the_last_one_shows_that_text_is_left():
    for text in ("W" * 500, "夢" * 500, "a few words and then some more " * 16):
        lines = wrap(clean(text), "text", 32, 600, 3)
        assert len(lines) == 3
        assert all(width(line, "text", 32) <= 600 for line in lines)
        assert lines[-1].endswith("…")


def test_short_text_is_left_alone():
    assert wrap("girl with sword", "text", 32, 600, 3) == ["girl with sword"]
    assert wrap("", "text", 32, 600, 3) == []


def test_our_own_faces_come_with_us():
    assert font("title", 20).getname()[0] == "Dela Gothic One"
    assert font("text", 20).getname()[0] == "Zen Kaku Gothic New"


def test_characters_that_no_font_shows_are_left_out():
    image = Image.new("RGB", (200, 60))
    write(image, (10, 40), "\U000f0000\U00013b00", "text", 30, color=(255, 255, 255))
    assert image.getbbox() is None or width("\U000f0000", "text", 30) == 0


@pytest.fixture
def _bare_machine(monkeypatch):
    caches = (lettering._found, lettering._fallback, lettering._shows, lettering._font_for)
    for cache in caches:
        cache.cache_clear()
    monkeypatch.setattr(lettering, "PLACES", ())
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.mark.usefixtures("_bare_machine")
def test_a_machine_without_fonts_still_writes_what_our_own_can():
    image = Image.new("RGB", (200, 60))
    write(image, (10, 40), clean("夢 café 🦊"), "text", 30, color=(255, 255, 255))
    assert image.getbbox() is not None
    assert lettering.runs("夢 é 🦊", "text") == [("text", " é ")]
