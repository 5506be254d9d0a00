"""The ends of a child process: JSON lines on a stdout that nobody else writes to, and a stdin that is the parent."""

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import IO, Any

from gpu.trace import wordless

ABANDONED = 3
"""The exit status of a child whose parent is gone."""


class Lines:
    """Sends lines to the parent. Whatever else writes to stdout from now on ends on stderr.

    So does what nobody catches, without its words: the parent shows stderr, and a prompt may stand among them.
    """

    def __init__(self) -> None:
        wordless()
        mine = os.dup(1)
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        self._out: IO[str] = os.fdopen(mine, "w", encoding="utf-8", newline="\n")
        self._turn = threading.Lock()

    def send(self, **content: Any) -> None:
        """Send one line. Ends this process when nobody listens any more."""
        line = json.dumps(content, ensure_ascii=False) + "\n"
        with self._turn:
            try:
                self._out.write(line)
                self._out.flush()
            except BrokenPipeError:
                os._exit(ABANDONED)


def lines() -> Iterator[bytes]:
    """Yield the lines of stdin until it ends. The generator must be kept: it holds what was read of the next line."""
    rest = b""
    while more := os.read(0, 65536):
        *whole, rest = (rest + more).split(b"\n")
        yield from whole


def hear(said: Iterator[bytes], take: Callable[[bytes], None]) -> None:
    """Hand each line to `take`, in a thread of its own, and end this process at once when there are no more."""

    def listen() -> None:
        for line in said:
            take(line)
        os._exit(ABANDONED)

    threading.Thread(target=listen, daemon=True, name="stdin").start()
