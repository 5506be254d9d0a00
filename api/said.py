"""What was last said to many who ask for the same: made once per change, not once per poll."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Generic, TypeVar

from sakuga.events import Events

KEPT_S = 0.5  # though nothing happened: estimates change by themselves

Answer = TypeVar("Answer")


class Said(Generic[Answer]):
    """An answer, good until something happens in the studio."""

    def __init__(self) -> None:
        self._making = asyncio.Lock()
        self._answer: Answer | None = None
        self._at = ""
        self._until = 0.0

    async def now(self, events: Events, make: Callable[[], Awaitable[Answer]]) -> Answer:
        """Return the answer as it is now. Whoever asks while it is being made waits for it and makes none."""
        at = await events.last_id()  # before it is made: what happens meanwhile makes the next poll look again
        if (kept := self._kept(at)) is not None:
            return kept
        async with self._making:
            if (kept := self._kept(at)) is not None:
                return kept
            self._answer = await make()
            self._at, self._until = at, monotonic() + KEPT_S
            return self._answer

    def _kept(self, at: str) -> Answer | None:
        return self._answer if at == self._at and monotonic() < self._until else None
