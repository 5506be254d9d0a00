"""How long the Modal renderer waits, for what."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds something may take."""

    answer: float = 8.0  # any question; the client itself would try for 56
    poll: float = 5.0  # until a question for a result comes back without one
    pause: float = 1.0  # after a question that failed
    outage: float = 120.0  # that a render goes on unwatched while Modal can't be reached: it is paid for already
    last_word: float = 1.0  # until the queue has told what happened before the result
    stop: float = 10.0  # until a cancelled render has ended; up to three times that where its steps are long
    stray: float = 60.0  # until one that could not be stopped is looked for again: longer than any start


USUAL = Patience()
