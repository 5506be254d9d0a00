"""The skeleton of a text: what a reader sees in it, written in plain letters, for matching only.

Unicode's UTS 39 calls so what two texts that look alike have in common. Ours also drops what shows nothing.
"""

import re
import unicodedata
from functools import lru_cache

from confusable_homoglyphs.confusables import confusables_data

LETTERS = "abcdefghijklmnopqrstuvwxyz"
NAMED = re.compile(
    r"LATIN (?:CAPITAL |SMALL |LETTER )+(?:CAPITAL |REVERSED |TURNED |OPEN |BARRED )*([A-Z])(?: WITH .+)?"
)
# These scripts have letters of one stroke that look like a Latin one, and texts that nobody means to be Latin.
APART = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC", "HALFWIDTH")
# What the tables don't have: letters by meaning rather than by shape, and alphabets drawn as signs.
BY_HAND = dict(zip("ǝəɘ€£¥₴₩þðøłħŧяицшω", "eeeelyswpdolhtrnuww", strict=True))
BY_HAND |= dict(zip("卂乃匚乇卄丨爪卩丂乂ㄒㄩㄚㄥㄖ", "abcehlmpsxtuylo", strict=True))  # rare ones; 山 and 千 are words
LUNATE = {0x3F2: "c", 0x3F9: "c"}  # sigmas by name, and by their normal form
SIGNS = (0x1F150, 0x1F170, 0x1F1E6)  # circled, squared and regional letters, 26 of each in a row
BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
VARIATIONS, TAGS = range(0xFE00, 0xFE10), range(0xE0000, 0xE1000)
OVERLAYS, POINTS, KANA_MARKS, ABOVE_AND_BELOW = 1, range(10, 37), 8, 200  # canonical combining classes
ROUNDS = 4


def skeleton(text: str) -> str:
    """Return the text in small plain letters: alike for texts that look alike. Twice is the same as once."""
    if text.isascii() and text.isprintable():
        return text.lower()
    for _ in range(ROUNDS):  # what one step leaves may compose anew; two rounds are usual
        before, text = text, _step(text)
        if text == before:
            break
    return text


def _step(text: str) -> str:
    # Shapes before case: a capital nu is an n, a small one a v.
    read = unicodedata.normalize("NFKC", text.translate(LUNATE)).translate(AS_WRITTEN)
    folded = unicodedata.normalize("NFKC", read.casefold())
    return unicodedata.normalize("NFKC", "".join(map(_plain, folded)))


@lru_cache(maxsize=20_000)
def _plain(character: str) -> str:
    """Return what one character is read as: plain letters, itself, or nothing."""
    if _invisible(character):
        return ""
    if character.isascii():
        return character.lower()
    if character in LOOKALIKES:
        return LOOKALIKES[character]
    base = unicodedata.normalize("NFD", character)[0]
    if base != character and unicodedata.name(base, "").startswith(("LATIN", "GREEK", "CYRILLIC")):
        return _plain(base)
    named = NAMED.fullmatch(unicodedata.name(character, ""))
    return named[1].lower() if named else character


def _invisible(character: str) -> bool:
    """Whether a character shows nothing, or only sits on the one before it.

    The vowel signs of Thai and of India's scripts are marks too, and stay: their words need them.
    """
    combining = unicodedata.combining(character)
    sits = combining in {OVERLAYS, KANA_MARKS} or combining in POINTS or combining >= ABOVE_AND_BELOW
    variation = ord(character) in VARIATIONS or ord(character) in TAGS
    return (
        sits or variation or character in BLANKS or unicodedata.category(character) in {"Cf", "Cc", "Cs", "Me"}
    ) and not character.isspace()


def _lookalikes() -> dict[str, str]:
    found = dict(BY_HAND)
    for first in SIGNS:
        found |= {chr(first + index): letter for index, letter in enumerate(LETTERS)}
    for letter in LETTERS + LETTERS.upper():
        for glyph in confusables_data.get(letter, ()):
            shape = glyph["c"]
            name = unicodedata.name(shape, "") if len(shape) == 1 else ""
            alone = not unicodedata.normalize("NFKC", shape).startswith(" ")  # accents without a letter
            if name and alone and not shape.isascii() and not name.startswith(APART):
                found.setdefault(shape, letter.lower())
                found.setdefault(shape.lower(), letter.lower())  # texts are in small letters by then
    return found


LOOKALIKES = _lookalikes()
AS_WRITTEN = {ord(shape): letter for shape, letter in LOOKALIKES.items() if len(shape) == 1}
