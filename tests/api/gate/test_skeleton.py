# ruff: noqa: RUF001 - letters that look like others are what is tested
import unicodedata

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from api.gate.skeleton import skeleton


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Night Sky", "night sky"),
        ("ｎｉｇｈｔ", "night"),
        ("𝓷𝓲𝓰𝓱𝓽 𝕤𝕜𝕪", "night sky"),
        ("ⓝⓘⓖⓗⓣ 🅂🄺🅈", "night sky"),
        ("🅝🅘🅖🅗🅣 🆂🅺🆈", "night sky"),
        ("🇸🇰🇾", "sky"),
        ("ɴɪɢʜᴛ ꜱᴋʏ", "night sky"),
        ("ⁿⁱᵍʰᵗ", "night"),
        ("nіght ѕкү", "night sky"),  # Cyrillic
        ("nιght", "night"),  # Greek
        ("ni\u200bg\u2060h\ufefft", "night"),
        ("ni\u00adg\u034fht", "night"),
        ("\u202enight\u202c", "night"),
        ("night\U000e0073\U000e006b", "night"),
        ("n\u0336i\u0336g\u0336h\u0336t\u0336", "night"),
        ("n" + "\u0301" * 30 + "ight", "night"),
        ("nĭğħŧ", "night"),
        ("n\u20ddight", "night"),
        ("ni\x00ght", "night"),
        ("Straße", "strasse"),
    ],
)
def test_what_looks_alike_is_read_alike(written: str, read: str) -> None:
    assert skeleton(written) == read


@pytest.mark.parametrize(
    "text", ["ひまわり畑を走る列車", "ガラスの靴、バレエ", "星空の口笛", "가나다 별", "ไม้ยมก", "हिन्दी"]
)
def test_other_scripts_keep_the_signs_that_make_their_words(text: str) -> None:
    assert skeleton(text) == unicodedata.normalize("NFKC", text)


def test_half_width_kana_is_kana() -> None:
    assert skeleton("ｶﾞﾗｽ") == "ガラス"


@hypothesis_settings(deadline=None)
@given(st.text(max_size=200))
def test_twice_is_the_same_as_once(text: str) -> None:
    once = skeleton(text)
    assert skeleton(once) == once
