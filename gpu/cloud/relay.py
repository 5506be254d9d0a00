"""Carries what is told of some work into a queue on Modal, from a thread of its own: no work waits for the network."""

import logging
import queue
import threading
import uuid
from collections import deque
from types import TracebackType
from typing import Any, Self

import modal

from sakuga.engine import Progress

log = logging.getLogger(__name__)

KEPT_S = 3600
"""Seconds that Modal keeps a partition after its last item. Who comes back later asks for the result alone."""
WAITING = 64
"""Reports that may wait for the network; then the oldest goes."""
AT_ONCE = 16
LAST_WORD_S = 10.0
"""Seconds that the end of a render may take to be told; its result is on its way by another road."""


class Relay:
    """A `with` block. Reports sent within arrive in their order; at its end the partition is told that it ended.

    Where the network or the queue has no room, previews are left out first, then the oldest reports.
    """

    def __init__(self, items: modal.Queue, partition: str) -> None:
        self.run = uuid.uuid4().hex  # a partition may hold several: an input that was preempted runs again
        self._items = items
        self._partition = partition
        self._waiting: deque[dict[str, Any]] = deque(maxlen=WAITING)
        self._news = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._carry, daemon=True, name="relay")

    def send(self, progress: Progress) -> None:
        """Hand over one report and return at once."""
        self.tell(progress=progress.model_dump(mode="json"))

    def tell(self, **content: Any) -> None:
        """Hand over one item of another kind and return at once."""
        with self._news:
            if content.get("progress", {}).get("preview"):
                for late in self._waiting:  # only the newest picture is worth its bytes
                    _strip(late)
            self._waiting.append({"run": self.run, **content})
            self._news.notify()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._news:
            self._ended = True
            self._news.notify()
        self._thread.join(LAST_WORD_S)

    def _carry(self) -> None:
        ended = False
        while not ended:
            with self._news:
                self._news.wait_for(lambda: self._waiting or self._ended)
                items = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
                ended = self._ended and not self._waiting
            if ended:
                items.append({"run": self.run, "ended": True})
            self._put(items)

    def _put(self, items: list[dict[str, Any]]) -> None:
        try:
            for without_pictures in (False, True):
                if without_pictures:
                    for item in items:
                        _strip(item)
                try:
                    self._items.put_many(items, block=False, partition=self._partition, partition_ttl=KEPT_S)
                except queue.Full:
                    continue
                return
            log.warning("relay.full dropped=%d", len(items))
        except Exception as error:  # noqa: BLE001 - who watches sees less of it, and the render goes on
            log.warning("relay.failed reason=%s dropped=%d", type(error).__name__, len(items))


def _strip(item: dict[str, Any]) -> None:
    if item.get("progress", {}).get("preview"):
        item["progress"] = {**item["progress"], "preview": None}
