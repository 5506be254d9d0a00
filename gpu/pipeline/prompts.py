"""Prompts as numbers: what the text encoder said is remembered, since a style's words come again and again."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

KEEP = 16
"""Prompts that are remembered."""

KEEP_BYTES = 512 * 1024**2
"""Of the card's memory. A prompt takes 4 MB for Wan (512 tokens of 4096 numbers), and 385 MB for LTX-2, which looks at
all 49 layers of its encoder (1024 tokens of 188 160 numbers)."""


class PromptMemory:
    """Stands in for a pipeline's `encode_prompt` and calls it for what was not asked lately."""

    def __init__(
        self,
        pipe: Any,
        spent: Callable[[float], None],
        *,
        wait: Callable[[], None] = lambda: None,
        keep: int = KEEP,
        keep_bytes: int = KEEP_BYTES,
    ) -> None:
        self._plain: Callable[..., Any] = pipe.encode_prompt
        self._spent = spent  # told the seconds of each time that the encoder worked
        self._wait = wait  # until the card has done what it was given
        self._known: OrderedDict[Hashable, Any] = OrderedDict()
        self._keep = keep
        self._keep_bytes = keep_bytes
        pipe.encode_prompt = self

    def __call__(self, *values: Any, **named: Any) -> Any:
        """Return what `encode_prompt` returns for these arguments."""
        key = _key(values, named)
        if key is None:
            return self._encode(*values, **named)
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        found = self._known[key] = self._encode(*values, **named)
        while len(self._known) > self._keep or sum(map(_bytes, self._known.values())) > self._keep_bytes:
            self._known.popitem(last=False)
        return found

    def _encode(self, *values: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            found = self._plain(*values, **named)
            self._wait()
            return found
        finally:
            self._spent(time.perf_counter() - began)


def _bytes(found: Any) -> int:
    """Return the memory that a tensor takes, or all of them in a tuple or list."""
    if isinstance(found, tuple | list):
        return sum(map(_bytes, found))
    return int(found.numel() * found.element_size()) if hasattr(found, "element_size") else 0


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
