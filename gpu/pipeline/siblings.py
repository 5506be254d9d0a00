"""Siblings of a pipeline: other classes of diffusers over the same weights, for other modes."""

import inspect
from collections.abc import Callable
from typing import Any


class Siblings:
    """All pipelines over the weights of one."""

    def __init__(self, pipe: Any, born: Callable[[Any], None]) -> None:
        self._pipe = pipe
        self._born = born  # told of each new one
        self._made: dict[Any, Any] = {}

    def of(self, kind: Any) -> Any:
        """Return the sibling of a class, made once. It wears the transformer that the first pipeline wears now.

        Not by `from_pipe`: that of diffusers 0.42.1 ends with `to(dtype=float32)`, on the shared weights too.
        """
        if kind not in self._made:
            takes = inspect.signature(kind.__init__).parameters
            parts = dict(self._pipe.config) | self._pipe.components
            made = kind(**{name: part for name, part in parts.items() if name in takes})
            made.set_progress_bar_config(disable=True)
            self._born(made)
            self._made[kind] = made
        found = self._made[kind]
        found.transformer = self._pipe.transformer
        return found
