"""Chat commands: from the words of a line to what the viewer asks for."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal, TypeGuard

Name = Literal["anime", "queue", "pos"]
DOUBLE_QUOTES = '"\u201c\u201d\u201e\u201f\uff02\u00ab\u00bb\u300c\u300d\u300e\u300f'
SINGLE_QUOTES = "'\u2018\u2019\u201a\u201b"
PREFIX = "!"
STYLE = re.compile(r"(?:^|\s)(?:--|\u2014|\u2013)style(?:\s+|=)([\w-]+)(?=\s|$)", re.IGNORECASE)
COMMAND = re.compile(r"(\w+)(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Command:
    """What a viewer asks for; `prompt` and `style` only count for `anime`."""

    name: Name
    prompt: str = ""
    style: str | None = None


def parse(text: str, prefix: str) -> Command | None:
    """Return the command that a line holds, or None: other bots' commands are theirs.

    The prefix may be typed full-width, as Japanese keyboards do.
    """
    if unicodedata.normalize("NFKC", text[: len(prefix)]) != prefix:
        return None
    found = COMMAND.match(text[len(prefix) :])
    if found is None:
        return None
    name = found[1].lower()
    return Command(name, *styled(found[2])) if _ours(name) else None


def styled(text: str) -> tuple[str, str | None]:
    """Return the prompt without its quotes, and the style that `--style name` asks for outside of them.

    Chat clients may have turned the two hyphens into a dash.
    """
    for found in STYLE.finditer(text):
        if sum(character in DOUBLE_QUOTES for character in text[: found.start()]) % 2 == 0:
            return unquoted(text[: found.start()] + text[found.end() :]), found[1].lower()
    return unquoted(text), None


def unquoted(text: str) -> str:
    """Return the text without the quotes around it: one pair of any shape, or an opening one that was never closed."""
    text = text.strip()
    if text[:1] and text[0] in DOUBLE_QUOTES:
        rest = text[1:]
        closing = [place for place, character in enumerate(rest) if character in DOUBLE_QUOTES]
        return rest.rstrip(DOUBLE_QUOTES).strip() if closing in ([], [len(rest) - 1]) else text
    if len(text) > 1 and text[0] in SINGLE_QUOTES and text[-1] in SINGLE_QUOTES:
        return text[1:-1].strip()
    return text


def _ours(name: str) -> TypeGuard[Name]:
    return name in ("anime", "queue", "pos")
