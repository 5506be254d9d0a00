"""The latest values by key, in bounded memory."""

from collections import OrderedDict
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Latest(OrderedDict[str, Value], Generic[Value]):
    """The values that were set last, at most `limit` of them."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def __setitem__(self, key: str, value: Value) -> None:
        """Keep a value and drop the one that was set longest ago when there are too many."""
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > self._limit:
            self.popitem(last=False)
