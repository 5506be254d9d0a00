"""Viewers' words: made safe to store, show and draw, or refused with the reason."""

import unicodedata

from sakuga.errors import PromptEmpty, PromptTooLong, PromptUnreadable

JOINERS = {"\u200c", "\u200d"}  # needed by emoji and by Persian
BIDI = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # can turn the text around it
BLANKS = set("\u034f\u115f\u1160\u2800\u3164\uffa0")  # show nothing, though their category says otherwise
TAGS = range(0xE0000, 0xE1000)  # chat clients append one to send the same line twice
MARKS_IN_A_ROW = 4
NAME_LENGTH = 25


def clean_prompt(text: str, limit: int) -> str:
    """Return the prompt in NFC, on one line, without invisible characters.

    Raises PromptUnreadable for control and bidi characters, PromptEmpty, and PromptTooLong above `limit` characters.
    """
    for index, character in enumerate(text):
        if character in BIDI or (unicodedata.category(character) in {"Cc", "Cs"} and not character.isspace()):
            raise PromptUnreadable(character=f"U+{ord(character):04X}", index=index)
    prompt = visible(text)
    if not any(unicodedata.category(character)[0] in "LNS" for character in prompt):
        raise PromptEmpty
    if len(prompt) > limit:
        raise PromptTooLong(length=len(prompt), limit=limit)
    return prompt


def clean_name(text: str) -> str:
    """Return a name that is safe to show: what can't be shown is left out."""
    return clean_line(text)[:NAME_LENGTH].strip()


def clean_line(text: str) -> str:
    """Return a text on one line, without what can't be shown or would turn the writing direction."""
    kept = (c for c in text if c not in BIDI and (c.isspace() or unicodedata.category(c) not in {"Cc", "Cs"}))
    return visible("".join(kept))


def visible(text: str) -> str:
    """Return the text in NFC on one line, without characters that show nothing."""
    kept: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", text):
        category = unicodedata.category(character)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        hidden = category == "Cf" or character in BLANKS or ord(character) in TAGS
        if marks <= MARKS_IN_A_ROW and (not hidden or character in JOINERS):
            kept.append(character)
    return " ".join("".join(kept).split()).strip("".join(JOINERS))
