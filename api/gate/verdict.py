"""The verdict: what the gate decided about a text, and why in words that repeat nothing of it."""

from dataclasses import dataclass
from enum import StrEnum


class Decision(StrEnum):
    """What is done with a text."""

    ACCEPT = "accept"
    HOLD = "hold"
    REFUSE = "refuse"


STERNNESS = tuple(Decision)


@dataclass(frozen=True)
class Verdict:
    """A decision and its reason: a fixed phrase for moderators that holds neither the text nor the word."""

    decision: Decision
    reason: str = ""

    @property
    def accepted(self) -> bool:
        """Whether the text goes through as it is."""
        return self.decision is Decision.ACCEPT

    @property
    def refused(self) -> bool:
        """Whether nobody may let the text through. A name that is refused is shown as `SOMEBODY`."""
        return self.decision is Decision.REFUSE

    def sterner(self, other: "Verdict") -> "Verdict":
        """Return the sterner of two verdicts; this one if they are alike."""
        return other if STERNNESS.index(other.decision) > STERNNESS.index(self.decision) else self


ACCEPTED = Verdict(Decision.ACCEPT)
SOMEBODY = "somebody"  # stands where a viewer's name was refused
