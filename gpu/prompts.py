"""Prompts as numbers: what the text encoder said is remembered, since a style's words come again and again."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

KEEP = 16  # prompts; about 4 MB each for Wan's 512 tokens of 4096 numbers


class PromptMemory:
    """Stands in for a pipeline's `encode_prompt` and calls it for what was not asked lately."""

    def __init__(self, pipe: Any, spent: Callable[[float], None], keep: int = KEEP) -> None:
        self._plain: Callable[..., Any] = pipe.encode_prompt
        self._spent = spent  # told the seconds of each time that the encoder worked
        self._known: OrderedDict[Hashable, Any] = OrderedDict()
        self._keep = keep
        pipe.encode_prompt = self

    def __call__(self, *values: Any, **named: Any) -> Any:
        """Return what `encode_prompt` returns for these arguments."""
        key = _key(values, named)
        if key is None:
            return self._encode(*values, **named)
        if key not in self._known:
            self._known[key] = self._encode(*values, **named)
            while len(self._known) > self._keep:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return self._known[key]

    def _encode(self, *values: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return self._plain(*values, **named)
        finally:
            self._spent(time.perf_counter() - began)


def _key(values: tuple[Any, ...], named: dict[str, Any]) -> Hashable | None:
    """Return the arguments as something to look up, or None if one of them can't be (a tensor, a picture)."""
    parts = []
    for value in (*values, *sorted(named.items())):
        name, plain = value if isinstance(value, tuple) and len(value) == 2 else (None, value)  # noqa: PLR2004
        plain = tuple(plain) if isinstance(plain, list) else plain
        words = plain if isinstance(plain, tuple) else (plain,)
        if not all(isinstance(word, str | int | float | None) or _is_torch_name(word) for word in words):
            return None
        parts.append((name, plain if isinstance(plain, tuple) or not _is_torch_name(plain) else str(plain)))
    return tuple(parts)


def _is_torch_name(value: object) -> bool:
    """Whether this is torch.device("cuda") or torch.bfloat16: a name rather than numbers."""
    return type(value).__module__ == "torch" and type(value).__name__ in {"device", "dtype"}
