"""Chat commands: from the words of a line to what the viewer asks for."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal, TypeGuard

Name = Literal["anime", "queue", "pos"]
DOUBLE_QUOTES = '"\u201c\u201d\u201e\u201f\uff02\u00ab\u00bb\u300c\u300d\u300e\u300f'
SINGLE_QUOTES = "'\u2018\u2019\u201a\u201b"
PREFIX = "!"
OPTIONS = ("style", "character", "preset")
OPTION = re.compile(rf"(?:^|\s)(?:--|\u2014|\u2013)({'|'.join(OPTIONS)})(?:\s+|=)([\w-]+)(?=\s|$)", re.IGNORECASE)
CAST = 3  # characters in a clip; the gateway takes no more
COMMAND = re.compile(r"(\w+)(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Command:
    """What a viewer asks for; all but `name` only count for `anime`."""

    name: Name
    prompt: str = ""
    style: str | None = None
    characters: tuple[str, ...] = ()
    preset: str | None = None


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
    return wish(name, found[2]) if _ours(name) else None


def wish(name: Name, text: str) -> Command:
    """Return the command with the prompt without its quotes, and the options that stand outside of them.

    `--style name`, `--preset name` and, up to three times, `--character name`; of two styles or presets the first
    counts. Chat clients may have turned the two hyphens into a dash.
    """
    options: dict[str, list[str]] = {option: [] for option in OPTIONS}
    words, at = "", 0
    for found in OPTION.finditer(text):
        if sum(character in DOUBLE_QUOTES for character in text[: found.start()]) % 2 == 0:
            options[found[1].lower()].append(found[2].lower())
            words, at = words + text[at : found.start()], found.end()
    return Command(
        name,
        unquoted(words + text[at:]),
        style=next(iter(options["style"]), None),
        characters=tuple(dict.fromkeys(options["character"]))[:CAST],
        preset=next(iter(options["preset"]), None),
    )


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
