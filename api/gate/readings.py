"""The readings of a text: the words that a reader may take it for, whatever stands between its letters."""

import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from itertools import groupby

WORD = re.compile(r"[a-z0-9]+|[^\W_a-z0-9]+")
LEET = {ord(sign): letter for sign, letter in zip("01345678@$!|+9", "oieasgtbasiitg", strict=True)}
ONE_STROKE = {ord("l"): "i"}  # capital I, small l and 1 are one stroke in most fonts: nobody can tell them apart
MASK = "*#%?○●◯\u3007"  # the last: the ideographic zero
SIGNS = f"@$!|+{MASK}"
ENDS = SIGNS + "0123456789"
BREAKS = re.compile(f"[{re.escape(f'!|+{MASK}')}]++")
# A word with signs for letters. In every pattern here what was taken is not given back: time stays linear.
DRESSED = re.compile(
    rf"[a-z0-9{re.escape(SIGNS)}]++|(?<![^\W_])[^\W_a-z0-9{re.escape(SIGNS)}]++[{MASK}]++[^\W_a-z0-9]*+"
)
LAUGHTER = re.compile(r"(?<![a-z0-9])(?:l++o++)++l++(?![a-z0-9])")  # lolll, which one stroke makes another word
LETTER = re.compile(r"[^\W\d_]")
MASKS = re.compile(f"[{MASK}]")
TIED = re.compile(r"(?<![a-z0-9])[a-z0-9]++(?:(?:[^\w\s]|_){1,3}+[a-z0-9]++)++")
ALONE = re.compile(r"(?<![^\W_])[^\W_](?:[\W_]{1,3}+[^\W_](?![^\W_]))++")  # letters that stand alone
SEPARATORS = re.compile(r"[\W_]+")
VOWEL = re.compile(r"[aeiou]")
FRAGMENTS = 4  # a word that was torn apart has up to so many
LONGEST = 14  # letters in such a word
LONG_ENOUGH = 6  # letters: two ordinary words hardly ever make a longer one of the lists by chance


class Reading:
    """A skeleton and its readings, in which every l is an i."""

    def __init__(self, text: str) -> None:
        self.text = LAUGHTER.sub("0", text).translate(ONE_STROKE)
        self.words = WORD.findall(self.text)

    @cached_property
    def dressed(self) -> list[str]:
        """Words with digits and signs for letters: `s3x`, `$ex`. Numbers are no words.

        What stands at an end or between two words may be a letter or not: `$3x!`, `sex1`, `s3x+cat`.
        """
        found = dict.fromkeys(
            read
            for word in DRESSED.findall(self.text)
            for part in dict.fromkeys((word, *BREAKS.split(word)))
            for read in (part, part.rstrip(ENDS), part.lstrip(ENDS), part.strip(ENDS), part.strip(SIGNS))
        )
        return [word.translate(LEET) for word in found if LETTER.search(word)]

    @cached_property
    def masked(self) -> list[str]:
        """Words that hide some letters, each as one dot: `f*ck`."""
        found = dict.fromkeys(word.strip("?!") for word in DRESSED.findall(self.text))
        return [MASKS.sub(".", word) for word in found if MASKS.search(word) and LETTER.search(word)]

    @cached_property
    def spelled(self) -> list[str]:
        """Rows of single letters, joined: `s e x`, `$.3.x`."""
        rows = (
            SEPARATORS.sub("", row[0])
            for read in dict.fromkeys((self.text, self.text.translate(LEET)))
            for row in ALONE.finditer(read)
            if LETTER.search(self.text, row.start(), row.end())
        )
        return list(dict.fromkeys(rows))

    @cached_property
    def joined(self) -> list[str]:
        """Words with something between their letters, joined: `s e x`, `se.xy`, and `fu ck`, where `ck` is no word."""
        tied = (SEPARATORS.sub("", found) for found in TIED.findall(self.text))
        torn = (word for word, whole in self._neighbours if not whole)
        return list(dict.fromkeys((*self.spelled, *tied, *torn)))

    @cached_property
    def glued(self) -> list[str]:
        """Long words that neighbouring ones make together, though each may be one by itself: `hen tai`."""
        return list(dict.fromkeys(word for word, whole in self._neighbours if whole and len(word) >= LONG_ENOUGH))

    @cached_property
    def _neighbours(self) -> list[tuple[str, bool]]:
        return list(_neighbours(self.words))


@lru_cache(maxsize=10_000)
def runs(word: str) -> tuple[str, tuple[int, ...]]:
    """Return a word with each letter once, and how often each stood in a row: `boob` is ("bob", (1, 2, 1))."""
    pairs = [(letter, sum(1 for _ in row)) for letter, row in groupby(word)]
    return "".join(letter for letter, _ in pairs), tuple(count for _, count in pairs)


def _neighbours(tokens: list[str]) -> Iterator[tuple[str, bool]]:
    """Yield what neighbouring words make together, and whether each of them has a vowel, as words do."""
    vowels = [VOWEL.search(token) is not None for token in tokens]
    for index, first in enumerate(tokens):
        joined, whole = first, vowels[index]
        for position in range(index + 1, min(index + FRAGMENTS, len(tokens))):
            joined, whole = joined + tokens[position], whole and vowels[position]
            if len(joined) > LONGEST:
                break
            yield joined, whole
