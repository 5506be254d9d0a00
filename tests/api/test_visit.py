"""Whatever stands in an address: who asks is somebody that the studio can take, and the line is safe to show."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from api.visit import Asked, declined

WORDS = st.text(max_size=120) | st.sampled_from(["%user%", "%bits%", "True", "False", "x&mod=True", "@", "/ban me"])


@given(st.fixed_dictionaries(dict.fromkeys(Asked.model_fields, WORDS)))
def test_anything_is_somebody(said: dict[str, str]) -> None:
    viewer = Asked.model_validate(said).viewer
    assert 0 <= viewer.bits <= 1_000_000
    assert viewer.platform in {"twitch", "youtube", "kick", "api"}
    assert ("moderator" in viewer.roles) == (said["mod"].strip().lower() in {"true", "1"})


@given(WORDS, st.text(max_size=600))
def test_a_line_is_one_short_line_without_unsafe_signs(name: str, words: str) -> None:
    asked = Asked(user=name)
    line = declined("odd", words, asked.viewer.name).chat
    assert len(line) <= 450
    assert not any(unicodedata.category(sign) in {"Cc", "Cs"} or sign in "\u2028\u2029\u202e" for sign in line)


def test_a_line_begins_with_a_name_and_so_with_no_command_of_the_platform() -> None:
    assert declined("odd", "/ban me", "Mika").chat == "@Mika /ban me"
