"""The word list: marked words, and which marks a text earns by the words that it has in any of its readings."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from enum import StrEnum

from api.gate.readings import Reading, runs
from api.gate.skeleton import skeleton

ENDINGS = ("s", "ed", "d", "ing", "er", "ers")
LONG = 5  # letters from which a word takes more endings than s, and one letter doubled: spic is none of spiced
STRETCHED = 3  # times a letter stands in a row that nobody writes by mistake
UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")  # scripts without spaces
KATAKANA = re.compile(r"[\u30a1-\u30faー]")
SMALL, LARGE = "ァィゥェォッャュョヮ", "アイウエオツヤユヨワ"
HIRAGANA = {code: chr(code + 0x60) for code in range(0x3041, 0x3097)}
KANA = {code: letter.translate(str.maketrans(SMALL, LARGE)) for code, letter in HIRAGANA.items()}
KANA |= {ord(small): large for small, large in zip(SMALL, LARGE, strict=True)}  # all in large katakana
SHORT_ROW = 3  # letters of katakana up to which a word is only taken as a whole row: グロ is no piece of グローブ
HEAD = 3  # letters by which words inside a longer one are looked up


class Mark(StrEnum):
    """What is known of a word."""

    YOUNG = "young"
    INTIMATE = "intimate"
    REFUSE = "refuse"
    HOLD = "hold"
    OWN_REFUSE = "own refuse"
    OWN_HOLD = "own hold"
    HIDDEN = "hidden"  # a word to refuse may be meant where letters are masked, or where two words make it by chance


class WordList:
    """Words with marks. Built once for a policy; looking through a text takes time linear in its length."""

    def __init__(self, innocent: Iterable[str] = ()) -> None:
        self._marks: dict[str, set[Mark]] = defaultdict(set)  # by the word, its words joined
        self._phrases: dict[str, set[tuple[str, ...]]] = defaultdict(set)  # of several words, by the first
        self._stretched: dict[str, set[str]] = defaultdict(set)  # by the word with each letter once
        self._masked: dict[int, set[str]] = defaultdict(set)  # by length
        self._inside: dict[str, set[tuple[str, bool]]] = defaultdict(set)  # unspaced scripts, by the first letter
        self._heads: dict[str, set[str]] = defaultdict(set)  # words that are found in a row of single letters
        self._stems: dict[str, set[str]] = defaultdict(set)  # words that are found inside longer ones
        harmless = [Reading(skeleton(word)).text for word in innocent]
        self._innocent = set(harmless)
        self._innocent_rows = re.compile("|".join(map(re.escape, filter(UNSPACED.search, harmless))) or r"(?!)")

    def add(self, phrases: Iterable[str], mark: Mark) -> None:
        """Mark these words and phrases."""
        for phrase in phrases:
            parts = tuple(Reading(skeleton(phrase)).words)
            joined = "".join(parts)
            if UNSPACED.search(joined):
                row = joined.translate(KANA)
                short = len(row) <= SHORT_ROW and all(map(KATAKANA.match, joined))
                self._inside[row[0]].add((row, short))
                joined = row
            elif joined:
                self._stretched[runs(joined)[0]].add(joined)
                if len(parts) > 1:
                    self._phrases[parts[0]].add(parts)
                if len(joined) > HEAD:
                    self._heads[joined[:HEAD]].add(joined)
            if mark is Mark.REFUSE and len(joined) >= HEAD:
                self._masked[len(joined)].add(joined)
            self._marks[joined].add(mark)

    def add_stems(self, stems: Iterable[str], mark: Mark) -> None:
        """Mark words that hold one of these anywhere."""
        for stem in (Reading(skeleton(stem)).text for stem in stems):
            self._stems[stem[:HEAD]].add(stem)
            self._marks[stem].add(mark)

    def marks(self, text: Reading) -> set[Mark]:
        """Return the marks of all words that the text has."""
        found: set[Mark] = set()
        for word in self._found(text):
            found |= self._marks[word]
        hidden = (*(word for mask in text.masked for word in self._behind(mask)), *self._equal_to(text.glued))
        if any(Mark.REFUSE in self._marks[word] for word in hidden):
            found.add(Mark.HIDDEN)
        return found

    def _found(self, text: Reading) -> Iterator[str]:
        for token in {*text.words, *text.dressed} - self._innocent:
            for form in _uninflected(token):
                yield from self._alike(form)
            yield from _within(self._stems, token)
            if max(runs(token)[1]) > 1:
                yield from _within(self._stems, re.sub(r"(.)\1+", r"\1", token))
                yield from _within(self._stems, re.sub(r"(.)\1{2,}", r"\1\1", token))
        for index, token in enumerate(text.words):
            for phrase in self._phrases.get(token, ()):
                if tuple(text.words[index : index + len(phrase)]) == phrase:
                    yield "".join(phrase)
        yield from self._equal_to(text.joined)
        for row in text.spelled:
            yield from _within(self._heads, row)
        yield from self._in_rows(text.text)

    def _in_rows(self, text: str) -> Iterator[str]:
        """Yield the words of scripts without spaces."""
        text = self._innocent_rows.sub(lambda found: " " * len(found[0]), text)
        row = text.translate(KANA)
        for start, letter in enumerate(row):
            for word, short in self._inside.get(letter, ()):
                if row.startswith(word, start) and _stands(text, start, start + len(word), short=short):
                    yield word

    def _equal_to(self, joined: Iterable[str]) -> Iterator[str]:
        for word in joined:
            row = word.translate(KANA)
            if row in self._marks:
                yield row
            yield from self._alike(word)

    def _alike(self, token: str) -> Iterator[str]:
        """Yield the words that a token is, or is a stretched form of: every row of a letter is at least as long."""
        once, counts = runs(token)
        for word in self._stretched.get(once, ()):
            enough = len(word) >= LONG or max(counts) >= STRETCHED
            stretched = all(has >= needs for has, needs in zip(counts, runs(word)[1], strict=True))
            if word == token or (enough and stretched):
                yield word

    def _behind(self, mask: str) -> Iterator[str]:
        mask = mask.translate(KANA)
        for word in self._masked.get(len(mask), ()):
            if all(shown in {".", letter} for shown, letter in zip(mask, word, strict=True)):
                yield word


def _within(known: dict[str, set[str]], token: str) -> Iterator[str]:
    for start in range(len(token) - HEAD + 1):
        for word in known.get(token[start : start + HEAD], ()):
            if token.startswith(word, start):
                yield word


def _uninflected(token: str) -> Iterator[str]:
    yield token
    for ending in ENDINGS:
        stem = token.removesuffix(ending)
        if stem != token and (len(stem) >= LONG or (ending == "s" and stem)):
            yield stem


def _stands(text: str, start: int, end: int, *, short: bool) -> bool:
    """Whether a find is no piece of a longer word: a row of katakana is one. Short words are none in hiragana."""
    if KATAKANA.match(text, start):
        before = start > 0 and KATAKANA.match(text, start - 1)
        after = short and end < len(text) and KATAKANA.match(text, end)
        return not before and not after
    return not short
