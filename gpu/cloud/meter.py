"""What a container was alive for, and each clip's share of the time in which nothing was drawn."""

import re
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import modal

from gpu.price import GPU_USD_PER_S


@dataclass(slots=True)
class Tally:
    """Seconds of one container, and the clips that it drew."""

    engine: str
    alive_s: float = 0.0
    busy_s: float = 0.0
    clips: int = 0


class Meter:
    """Counts for one container, and reads in a Dict what others of its engine counted.

    Boot and idle are paid for like drawing. Which clip caused them nobody can say while a container lives, so each is
    charged the mean of the containers of the last days: Modal forgets an entry of a Dict seven days after its last use.
    """

    def __init__(self, ledger: modal.Dict, engine: str, *, boot_s: float, idle_s: float) -> None:
        self._ledger = ledger
        self._key = f"{engine}.{uuid.uuid4().hex}"
        self._tally = Tally(engine)
        self._born = time.time() - boot_s
        self._first_guess_s = boot_s + idle_s
        others: list[Tally] = []
        with suppress(Exception):  # an estimate may be rough; neither a container nor a render must fail of it
            others = [Tally(**entry) for entry in ledger.values() if entry["engine"] == engine]
        self._idle_s = sum(other.alive_s - other.busy_s for other in others)
        self._clips = sum(other.clips for other in others)

    @property
    def overhead_s(self) -> float:
        """Seconds of boot and idle that a clip is charged: without history, as if it were its container's only one."""
        return max(0.0, self._idle_s / self._clips) if self._clips else self._first_guess_s

    def drew(self, seconds: float) -> None:
        """Count a clip that took so many seconds."""
        self._tally.busy_s += seconds
        self._tally.clips += 1
        self.close()

    def close(self) -> None:
        """Write down what was counted so far. May be repeated."""
        self._tally.alive_s = time.time() - self._born
        entry: dict[str, Any] = asdict(self._tally)
        with suppress(Exception):
            self._ledger.put(self._key, entry)


def asked_for(device: str, gpus: Sequence[str]) -> str:
    """Return which GPU was asked for, in Modal's names, when torch calls the one that came `device`.

    One of the engine's own list if its name is in it, else any that has a price: the streamer may have named another.
    What can't be told counts as the first of the list.
    """
    words = {part for word in re.split(r"[^A-Z0-9]+", device.upper()) for part in (word, word.removesuffix("G"))}
    named = (gpu for gpu in (*gpus, *GPU_USD_PER_S) if set(re.split(r"[^A-Z0-9]+", gpu.strip("!+").upper())) <= words)
    return next(named, gpus[0] if gpus else "")
