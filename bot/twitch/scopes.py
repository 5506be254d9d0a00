"""What the bot asks Twitch's leave for, and what is off without it."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Literal

Seat = Literal["bot", "channel"]
SEATS: tuple[Seat, ...] = ("bot", "channel")
"""The account that speaks, and the one whose channel it is. One account may take both."""

READ_CHAT, WRITE_CHAT = "user:read:chat", "user:write:chat"
REDEMPTIONS, MODERATE, READ_BITS = "channel:manage:redemptions", "channel:moderate", "bits:read"

WANTED: Mapping[Seat, tuple[str, ...]] = MappingProxyType(
    {"bot": (READ_CHAT, WRITE_CHAT), "channel": (REDEMPTIONS, MODERATE, READ_BITS)}
)
NEEDED = frozenset(WANTED["bot"])
"""Without these there is no bot; without any other one, that part is off."""

PARTS: Mapping[str, str] = MappingProxyType(
    {
        READ_CHAT: "hearing the chat",
        WRITE_CHAT: "answering in chat",
        REDEMPTIONS: "channel points",
        MODERATE: "bans and time-outs that reach the queue",
        READ_BITS: "power-ups that cost bits",
    }
)


def wanted(*seats: Seat) -> list[str]:
    """Return what a login for these seats asks for."""
    return [scope for seat in SEATS if seat in seats for scope in WANTED[seat]]


def lacking(scopes: Collection[str], *seats: Seat) -> list[str]:
    """Return what is wanted for these seats and not among `scopes`."""
    return [scope for scope in wanted(*seats) if scope not in scopes]


def told(scopes: Collection[str]) -> str:
    """Return scopes with what is off without them, to be read: `bits:read (power-ups that cost bits)`."""
    return ", ".join(f"{scope} ({PARTS[scope]})" for scope in scopes)
