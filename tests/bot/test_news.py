from datetime import UTC, datetime

import pytest

from bot.news import Banned, Deed, Redeemed, Retracted, Supported, Unbanned, read, written
from sakuga.job import RequestedBy

MIKA = RequestedBy(platform="twitch", id="3000", login="mika", display_name="Mika \u2728", roles=["vip"], bits=100)


@pytest.mark.parametrize(
    "deed",
    [
        Retracted("message", "twitch", message_id="m-1", viewer="twitch:3000"),
        Banned("twitch:3000", "twitch:jo", datetime(2026, 11, 20, 12, tzinfo=UTC)),
        Banned("twitch:3000"),
        Unbanned("twitch:3000", "twitch:jo"),
        Supported("m-2", "cheer", MIKA, 100),
        Redeemed("r-1", "reward", 5000, MIKA, 'a "cat"\u3042', powerup=True),
    ],
)
def test_a_deed_is_read_as_it_was_written(deed: Deed) -> None:
    assert read(written(deed)) == deed


@pytest.mark.parametrize("text", ["", "Line {}", "Banned", "Banned {}", 'Supported {"id": 7}'])
def test_other_text_is_no_deed(text: str) -> None:
    with pytest.raises(ValueError, match=r"deed|validation|JSON"):
        read(text)
