"""A line of chat, the same for every platform: who said it and the words that count."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from sakuga.job import RequestedBy

# Emoji sequences and several scripts need these two in between; everything else of category Cf shows nothing.
JOINERS = "\u200c\u200d"
# What chat clients append to get past Twitch's filter of repeated lines, and what category Cf misses.
BLANKS = "\u034f\u115f\u1160\u2800\u3164\uffa0"
TAGS = range(0xE0000, 0xE1000)
NOT_WORDS = frozenset({"cheermote", "emote", "gif"})


@dataclass(frozen=True, slots=True)
class Line:
    """One message. `id` is the platform's and stays the same when a message is delivered twice."""

    id: str
    text: str
    viewer: RequestedBy


def visible(text: str) -> str:
    """Return the text without characters that show nothing, with single spaces."""
    kept = "".join(
        character
        for character in text
        if character in JOINERS
        or not (unicodedata.category(character) == "Cf" or character in BLANKS or ord(character) in TAGS)
    )
    return re.sub(r"\s+", " ", kept).strip(" " + JOINERS)


def words(fragments: Iterable[tuple[str, str]], *, is_reply: bool = False) -> str:
    """Join the fragments of a message, given as (type, text), without cheermotes, emotes and pictures.

    A reply begins with the name of whom it answers; that goes too, so that a command in a reply is one.
    """
    spoken = [(kind, text) for kind, text in fragments if kind not in NOT_WORDS]
    if is_reply and spoken and spoken[0][0] == "mention":
        spoken = spoken[1:]
    return visible("".join(text for _, text in spoken))
