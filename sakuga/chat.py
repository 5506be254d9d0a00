"""Chat: the words that the bot listens to and speaks, as the table ``[chat]`` of the studio file says."""

import re
from string import Formatter
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from sakuga.prompt import visible
from sakuga.reward import RewardPolicy

CommandName = Literal[
    "anime", "queue", "pos", "cancel", "vote", "style", "character", "again", "remix", "credit", "gallery",
    "help",
    "promote", "demote", "hold", "approve", "skip", "pause", "resume", "open", "close", "clear", "ban", "dump",
    "undump", "budget",
]  # fmt: skip
LONGEST_TEXT = 300
# Twitch takes a line that begins so for a command to itself, and the bot is often a moderator there.
SPOKEN_TO_TWITCH = ("/", ".")


def _word(word: str) -> str:
    if not re.fullmatch(r"\w{1,25}", word) or word != word.lower():
        msg = f"{word!r} can't be a command: a word has up to 25 small letters, digits and _"
        raise ValueError(msg)
    return word


def _text(text: str) -> str:
    if text != visible(text) or not text or text.startswith(SPOKEN_TO_TWITCH):
        msg = "a text stands on one line, shows every character, and does not begin with / or ."
        raise ValueError(msg)
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        msg = "a brace that is to be shown is written twice, as in {{"
        raise ValueError(msg) from error
    for _, field, shape, conversion in parts:
        if field is not None and (not re.fullmatch(r"[a-z]+", field) or shape or conversion):
            msg = "between braces stands the name of something and no more, as in {cut}"
            raise ValueError(msg)
    return text


def _prefix(prefix: str) -> str:
    if not re.fullmatch(r"[!-~]{1,5}", prefix) or prefix.startswith((*SPOKEN_TO_TWITCH, "@", "#")):
        msg = f"{prefix!r} can't begin a command: take up to five signs such as ! or sk!, not / . @ or #"
        raise ValueError(msg)
    return prefix


Words = Annotated[tuple[Annotated[str, AfterValidator(_word)], ...], Field(max_length=10)]
Text = Annotated[str, StringConstraints(max_length=LONGEST_TEXT), AfterValidator(_text)]


class Commands(BaseModel):
    """The words of each command: the first is named in answers, and none turns the command off."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    anime: Words = Field(default=("anime",), description="Asks for a clip; with + behind it, together with others.")
    queue: Words = Field(default=("queue",), description="Says who waits.")
    pos: Words = Field(default=("pos",), description="Says where the viewer's job is.")
    cancel: Words = Field(default=("cancel", "remove"), description="Takes the viewer's own job off the list.")
    vote: Words = Field(default=("vote",), description="Votes on the ballot, or for a waiting job.")
    style: Words = Field(
        default=("style", "styles"), description="Lists the styles; moderators set the show's with a name."
    )
    character: Words = Field(
        default=("character", "characters"), description="Lists the characters; moderators set the show's with names."
    )
    again: Words = Field(default=("again",), description="Asks for the viewer's last prompt once more.")
    remix: Words = Field(default=("remix",), description="Asks for a cut that is there already, with a change.")
    credit: Words = Field(default=("credit",), description="Says how many bits the viewer has for later.")
    gallery: Words = Field(default=("gallery",), description="Says where finished clips are.")
    help: Words = Field(default=("help",), description="Lists the commands.")
    promote: Words = Field(default=("promote",), description="Moderators: draws a job next.")
    demote: Words = Field(default=("demote",), description="Moderators: draws a job last.")
    hold: Words = Field(default=("hold",), description="Moderators: takes a job out of the order.")
    approve: Words = Field(default=("approve",), description="Moderators: lets a held job wait for its turn.")
    skip: Words = Field(default=("skip",), description="Moderators: ends a job, or the one that is being drawn.")
    pause: Words = Field(default=("pause",), description="Moderators: lets nobody begin.")
    resume: Words = Field(default=("resume",), description="Moderators: goes on after a pause.")
    open: Words = Field(default=("open",), description="Moderators: takes requests.")
    close: Words = Field(default=("close",), description="Moderators: takes no more requests.")
    clear: Words = Field(default=("clear",), description="Moderators: ends all that wait.")
    ban: Words = Field(default=("ban",), description="Moderators: keeps a viewer out and stops what they have.")
    dump: Words = Field(default=("dump",), description="Moderators: blacks out the stage.")
    undump: Words = Field(default=("undump",), description="Moderators: gives the stage back.")
    budget: Words = Field(default=("budget",), description="Moderators: says what was spent and what is left.")

    @model_validator(mode="after")
    def _one_meaning_each(self) -> Self:
        meant: dict[str, str] = {}
        for name in type(self).model_fields:
            for word in getattr(self, name):
                if meant.setdefault(word, name) != name:
                    msg = f"{word!r} stands for both {meant[word]} and {name}: choose one"
                    raise ValueError(msg)
        return self

    def words_of(self, name: CommandName) -> tuple[str, ...]:
        """Return the words of a command, the one to show first."""
        words: tuple[str, ...] = getattr(self, name)
        return words


class ChatPolicy(BaseModel):
    """The table ``[chat]`` of the studio file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prefix: Annotated[str, AfterValidator(_prefix)] = Field(default="!", description="What a command begins with.")
    commands: Commands = Commands()
    shared_chat: bool = Field(default=False, description="Hears what other channels of a shared chat say, too.")
    follow_stream: bool = Field(default=True, description="Begins and ends the session with the stream.")
    warm_when_live: bool = Field(default=True, description="Gets a GPU ready when the stream begins.")
    open_when_live: bool = Field(default=False, description="Opens the queue when the stream begins.")
    offline_grace_s: float = Field(
        default=120,
        ge=0,
        le=3600,
        description="Seconds without a stream after which it is over and what waits is cancelled.",
    )
    reward: RewardPolicy = RewardPolicy()
    youtube_replies: bool = Field(
        default=False, description="Whether the bot answers in YouTube's chat too: each answer costs 20 units a day."
    )
    youtube_hours: float = Field(
        default=4, gt=0, le=24, description="Hours of stream a day that YouTube's quota is to last for."
    )
    texts: dict[str, Text] = Field(default_factory=dict, description="Other words for answers, by their key.")
