"""What was seen lately: remembers keys for a while, in bounded memory."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable


class Recent:
    """A set that forgets: keys older than `within_s` seconds, and the oldest when there are more than `most`."""

    def __init__(self, within_s: float, *, most: int = 2000, clock: Callable[[], float] = time.monotonic) -> None:
        self._within_s = within_s
        self._most = most
        self._clock = clock
        self._seen: OrderedDict[Hashable, float] = OrderedDict()

    def add(self, key: Hashable) -> bool:
        """Add a key unless it is there. Return whether it was added."""
        now = self._clock()
        while self._seen:
            oldest = next(iter(self._seen))
            if now - self._seen[oldest] < self._within_s and len(self._seen) <= self._most:
                break
            del self._seen[oldest]
        if key in self._seen:
            return False
        self._seen[key] = now
        return True
