"""Chat commands: from the words of a line to what the viewer asks for."""

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Literal, get_args

from sakuga.ballot import CHOICES
from sakuga.chat import ChatPolicy, CommandName

Name = Literal[CommandName, "ensemble"]
TOGETHER = "+"  # behind a word for `anime`: the words go into the pot
DOUBLE_QUOTES = '"\u201c\u201d\u201e\u201f\uff02\u00ab\u00bb\u300c\u300d\u300e\u300f'
SINGLE_QUOTES = "'\u2018\u2019\u201a\u201b"
OPTIONS = ("style", "character", "preset")
OPTION = re.compile(
    rf"(?:^|\s)(?:--|\u2014|\u2013)({'|'.join(OPTIONS)})(?:(?:\s+|=)(\w[\w-]*))?(?=\s|$)", re.IGNORECASE
)
CAST = 3  # characters in a clip; the gateway takes no more
COMMAND = re.compile(r"(\w+)(.*)", re.DOTALL)
CUT = re.compile(r"(#|c-?)?([0-9]{1,9})[.,:;!?]*", re.IGNORECASE)
FIRST = re.compile(r"\s*(\S+)(.*)", re.DOTALL)
KNOWN_AS = re.compile(r"[\w-]{1,40}")
LOGIN = re.compile(r"@?([a-z0-9_]{1,25})[,.:!?]*", re.IGNORECASE)
ASKING: frozenset[Name] = frozenset({"anime", "again", "remix"})
MODERATORS: frozenset[Name] = frozenset(
    {
        "promote", "demote", "hold", "approve", "skip", "pause", "resume",
        "open", "close", "clear", "ban", "dump", "undump", "budget",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Command:
    """What a viewer asks for. Prompt, style, characters and preset count for `anime`, `remix` and `ensemble`."""

    name: Name
    prompt: str = ""
    style: str | None = None
    characters: tuple[str, ...] = ()
    preset: str | None = None
    number: int | None = None
    """Of a cut: 42 for `#42`, `C-042` and `42`."""
    choice: int | None = None
    """On the ballot, for `vote`."""
    login: str = ""
    """Of a viewer, for `ban`."""
    names: tuple[str, ...] = ()
    """Of styles or characters, for `style` and `character`."""


def parse(text: str, chat: ChatPolicy) -> Command | None:
    """Return the command that a line holds, or None: other bots' commands are theirs.

    Prefix and word may be typed full-width, as Japanese keyboards do.
    """
    if _plain(text[: len(chat.prefix)]).lower() != chat.prefix.lower():
        return None
    found = COMMAND.match(text[len(chat.prefix) :])
    if found is None:
        return None
    word = _plain(found[1]).lower()
    name: CommandName
    for name in get_args(CommandName):
        if word in chat.commands.words_of(name):
            return meant(name, found[2])
    return None


def meant(name: CommandName, text: str) -> Command:
    """Return the command with what stands behind its word. A plus right behind `anime` is for all together."""
    if name == "anime":
        return wish("ensemble", text[1:]) if _plain(text[:1]) == TOGETHER else wish(name, text)
    if name == "remix":
        return remix(text)
    if name in ("style", "character"):
        return Command(name, names=names(text))
    return order(name, text)


def remix(text: str) -> Command:
    """Return the command with the cut that it begins with, and what to change.

    A bare number is a cut only if nothing else is said: `2 cats` is a change.
    """
    found = wish("remix", text)
    first = FIRST.fullmatch(found.prompt)
    cut = CUT.fullmatch(_plain(first[1])) if first else None
    if first is None or cut is None or (cut[1] not in ("#", "c-", "C-") and first[2].strip()):
        return found
    return replace(found, number=int(cut[2]), prompt=unquoted(first[2]))


def names(text: str) -> tuple[str, ...]:
    """Return up to three names of styles or characters, in small letters."""
    found = (word.strip(".,:;!?") for word in _plain(text).lower().split())
    return tuple(dict.fromkeys(word for word in found if KNOWN_AS.fullmatch(word)))[:CAST]


def wish(name: Name, text: str) -> Command:
    """Return the command with the prompt without its quotes, and the options that stand outside of them.

    `--style name`, `--preset name` and, up to three times, `--character name`; of two styles or presets the first
    counts, and one without a name says nothing. Chat clients may have turned the two hyphens into a dash.
    """
    options: dict[str, list[str]] = {option: [] for option in OPTIONS}
    words, at = "", 0
    for found in OPTION.finditer(text):
        if sum(character in DOUBLE_QUOTES for character in text[: found.start()]) % 2 == 0:
            if found[2]:
                options[found[1].lower()].append(found[2].lower())
            words, at = words + text[at : found.start()], found.end()
    return Command(
        name,
        unquoted(words + text[at:]),
        style=next(iter(options["style"]), None),
        characters=tuple(dict.fromkeys(options["character"]))[:CAST],
        preset=next(iter(options["preset"]), None),
    )


def order(name: Name, text: str) -> Command:
    """Return the command with the cut, the choice on the ballot or the viewer that its first word names.

    A bare 1, 2 or 3 is a choice on the ballot; `#1` is a cut. What names nothing is left out.
    """
    first = next(iter(_plain(text).split()), "")
    if name == "ban":
        viewer = LOGIN.fullmatch(first)
        return Command(name, login=viewer[1].lower() if viewer else "")
    cut = CUT.fullmatch(first)
    number = int(cut[2]) if cut else None
    if name == "vote" and cut and number is not None and not cut[1] and 1 <= number <= CHOICES:
        return Command(name, choice=number)
    return Command(name, number=number)


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


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text)
