"""A role: what the holder of a key may do, each role all that the ones before it may."""

from enum import IntEnum
from typing import Self


class Role(IntEnum):
    """Ordered, so that `role >= Role.BOT` reads as it is meant. In data a role stands by its label."""

    OVERLAY = 1
    VIEWER = 2
    BOT = 3
    MODERATOR = 4
    BROADCASTER = 5

    @property
    def label(self) -> str:
        """The name in data: `moderator`."""
        return self.name.lower()

    @classmethod
    def named(cls, label: str) -> Self:
        """Return the role of that label. Raises KeyError."""
        return cls[label.upper()]
