"""The throttle: how often one caller may change things, or fail to log in. Kept in this process, gone with it."""

import math
from time import monotonic_ns
from typing import cast

from pyrate_limiter import InMemoryBucket, Rate, RateItem

from sakuga.errors import RateLimited
from sakuga.latest import Latest

KEPT = 4096  # callers that are remembered; one that was forgotten begins anew


class Throttle:
    """So many times in a sliding window, for each name apart."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._buckets: Latest[InMemoryBucket] = Latest(KEPT)

    def count(self, name: str) -> None:
        """Count one more for a name. Raises RateLimited with the seconds until there is room again."""
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = InMemoryBucket([self._rate])
        self._buckets[name] = bucket
        now_ms = monotonic_ns() // 1_000_000
        bucket.leak(now_ms)
        item = RateItem(name, now_ms)
        if not bucket.put(item):
            wait_ms = cast("int", bucket.waiting(item))  # other buckets of the library return awaitables
            raise RateLimited(retry_after_s=max(1, math.ceil(wait_ms / 1000)))
