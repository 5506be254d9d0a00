"""A line of chat, the same for every platform: who said it and the words that count."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sakuga.job import RequestedBy
from sakuga.prompt import visible

NOT_WORDS = frozenset({"cheermote", "emote", "gif"})


@dataclass(frozen=True, slots=True)
class Line:
    """One message. `id` is the platform's and stays the same when a message is delivered twice."""

    id: str
    text: str
    viewer: RequestedBy
    mentioned: Mapping[str, str] = field(default_factory=dict)
    """Viewers whom it names, by login: `{"jo": "twitch:3001"}`."""


def words(fragments: Iterable[tuple[str, str]], *, is_reply: bool = False) -> str:
    """Join the fragments of a message, given as (type, text), without cheermotes, emotes and pictures.

    A reply begins with the name of whom it answers; that goes too, so that a command in a reply is one.
    """
    spoken = [(kind, text) for kind, text in fragments if kind not in NOT_WORDS]
    if is_reply and spoken and spoken[0][0] == "mention":
        spoken = spoken[1:]
    return visible("".join(text for _, text in spoken))
