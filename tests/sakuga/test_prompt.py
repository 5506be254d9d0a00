import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sakuga.errors import PromptEmpty, PromptTooLong, PromptUnreadable, RequestRefused
from sakuga.prompt import clean_name, clean_prompt


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("girl with sword", "girl with sword"),
        ("  two\t words\nand more \r\n", "two words and more"),
        ("ひまわり畑を走る列車", "ひまわり畑を走る列車"),
        ("family 👨‍👩‍👧 at the sea", "family 👨‍👩‍👧 at the sea"),
        ("cafe\u0301", "café"),
        ("sent by a chat client \U000e0000", "sent by a chat client"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("z" + "\u0316" * 40 + "algo", "z" + "\u0316" * 4 + "algo"),
    ],
)
def test_a_prompt_is_kept_as_one_visible_line(typed: str, kept: str) -> None:
    assert clean_prompt(typed, 300) == kept


@pytest.mark.parametrize("typed", ["", "   ", "\u200b\u200b", "...", "\U000e0041", "\u3164\u2800"])
def test_a_prompt_without_words_is_empty(typed: str) -> None:
    with pytest.raises(PromptEmpty):
        clean_prompt(typed, 300)


@pytest.mark.parametrize(
    ("typed", "named"), [("a\x00b", "U+0000 at 1"), ("\x1b[31mred", "U+001B at 0"), ("abc\u202egnp", "U+202E at 3")]
)
def test_control_and_bidi_characters_are_refused_by_name_and_place(typed: str, named: str) -> None:
    with pytest.raises(PromptUnreadable, match="U\\+") as refusal:
        clean_prompt(typed, 300)
    assert named in str(refusal.value)


def test_a_long_prompt_is_refused_with_its_length_and_the_limit() -> None:
    assert len(clean_prompt("a" * 300, 300)) == 300
    with pytest.raises(PromptTooLong, match="301 characters and 300 fit"):
        clean_prompt("a" * 301, 300)


@given(st.text(max_size=400))
def test_whatever_is_typed_is_refused_or_made_safe(typed: str) -> None:
    try:
        prompt = clean_prompt(typed, 300)
    except RequestRefused:
        return
    assert 0 < len(prompt) <= 300
    assert not any(unicodedata.category(c) in {"Cc", "Cs"} for c in prompt)
    assert not set(prompt) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\n")


@given(st.text(max_size=80))
def test_names_are_never_refused_and_fit_the_strip(typed: str) -> None:
    assert len(clean_name(typed)) <= 25
    assert clean_name("Mika\u202e\x00") == "Mika"
