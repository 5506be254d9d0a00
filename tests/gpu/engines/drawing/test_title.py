import numpy as np
import pytest
from PIL import Image

from gpu.engines.drawing.storyboard import read
from gpu.engines.drawing.title import TitleCard
from tests.gpu.conftest import ask

HOSTILE = {
    "empty": "",
    "one 500-letter word": "W" * 500,
    "500 ideographs": "夢" * 500,
    "right to left": "שלום עולם مرحبا بالعالم \u202eabc\u202c",
    "emoji": "🦊👩‍👩‍👧‍👦🏳️‍🌈🇯🇵 in the rain ☔️",
    "zero width": "gi\u200brl\ufeff \u2060 wi\u00adth a sw\u200dord",
    "zalgo": "g" + "\u0337\u0321\u034a" * 60 + "irl",
    "control and broken": "cat\x00\x1b[31m\r\n\t\ud800 \uffff \U000e0041",
    "markup": "<script>alert(1)</script> %s {0} ${x} ../../etc/passwd",
}


def card(**fields) -> TitleCard:
    return TitleCard((832, 480), ask(**fields), np.random.default_rng(1))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_any_text_can_be_a_prompt_or_a_name(text):
    assert card(prompt=text, requested_by=text).picture.size == (832, 480)
    assert read(text, text, 1).subjects


def test_a_long_word_stays_on_the_paper():
    empty, full = (np.asarray(card(prompt=text).picture).astype(int) for text in ("", "W" * 500))
    changed = np.argwhere(np.abs(full - empty).max(axis=2) > 40)
    assert changed[:, 1].min() > 62
    assert changed[:, 1].max() < 700
    assert changed[:, 0].max() < 400


def test_another_attempt_is_another_take():
    assert np.asarray(card(attempt=2).picture).tobytes() != np.asarray(card(attempt=1).picture).tobytes()


def test_the_card_is_gone_after_it_has_lifted_off():
    shot = Image.new("RGB", (832, 480), (10, 20, 30))
    assert card().cover(shot, 0.0).getpixel((400, 300)) != (10, 20, 30)
    assert card().cover(shot, 1.1) is shot
