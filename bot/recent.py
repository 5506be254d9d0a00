"""What was seen lately: remembers keys for a while, in bounded memory."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable


class Recent:
    """A set that forgets: keys after `within_s` seconds, and the oldest when there are more than `most`."""

    def __init__(self, within_s: float, *, most: int = 2000, clock: Callable[[], float] = time.monotonic) -> None:
        self._within_s = within_s
        self._most = most
        self._clock = clock
        self._until: OrderedDict[Hashable, float] = OrderedDict()

    def add(self, key: Hashable, *, within_s: float | None = None) -> bool:
        """Add a key unless it is there, for longer or shorter than usual if `within_s` says so.

        Return whether it was added.
        """
        now = self._clock()
        while self._until and (self._until[next(iter(self._until))] <= now or len(self._until) > self._most):
            self._until.popitem(last=False)
        if self._until.get(key, now) > now:
            return False
        self._until[key] = now + (self._within_s if within_s is None else within_s)
        self._until.move_to_end(key)
        return True

    def forget(self, key: Hashable) -> None:
        """Forget a key before its time."""
        self._until.pop(key, None)
