"""Chores: tasks beside the main one, and ending them."""

import asyncio
from collections.abc import Sequence
from typing import Any

ASK_AGAIN_S = 1.0


async def end(tasks: Sequence[asyncio.Task[Any]], *, ask_again_s: float = ASK_AGAIN_S) -> None:
    """Cancel tasks and wait until all have ended, asking again those that did not hear.

    A client of Redis can swallow a cancellation that comes while it speaks, and a chore would then go on for ever.
    """
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=ask_again_s)
