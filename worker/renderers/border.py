"""The border to Modal: a time limit on every question, and whatever comes back in our words.

Written against modal 1.6.4. Its client tries for 56 s before it says that nobody answers, hence our own limit.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiohttp import ClientError
from grpclib import GRPCError
from grpclib.exceptions import StreamTerminatedError
from modal.exception import (
    AuthError,
    DeserializationError,
    Error,
    ExecutionError,
    FunctionTimeoutError,
    InternalFailure,
    InvalidError,
    NotFoundError,
    OutputExpiredError,
    PermissionDeniedError,
    RemoteError,
    ResourceExhaustedError,
)

from sakuga.errors import (
    QuotaExhausted,
    RenderCancelled,
    RendererNotDeployed,
    RendererUnauthorised,
    RendererUnavailable,
    RenderFailed,
    RenderLost,
    RenderTimedOut,
    SakugaError,
)

FOREIGN = (Error, GRPCError, StreamTerminatedError, ClientError, OSError)
"""What any question may raise. That for a result may raise more: whatever the function did."""

GONE = {403, 404, 410}
"""What the storage answers for an address that is no longer good."""

T = TypeVar("T")


class Border:
    """Knows which app is asked for and how long its calls may run: sentences need it."""

    def __init__(self, *, app: str, timeout_s: float) -> None:
        self.app = app
        self.timeout_s = timeout_s

    async def ask(self, question: Awaitable[T], *, limit_s: float) -> T:
        """Return the answer. Raises a RenderError, or TimeoutError where it is a result that is not there yet.

        A question that is cut off loses nothing: modal calls `get` unsafe to cancel, but it asks with
        `clear_on_success=False` and so leaves the result where it is.
        """
        try:
            async with asyncio.timeout(limit_s) as limit:
                return await question
        except TimeoutError as error:
            if limit.expired():
                raise RendererUnavailable(reason="Modal does not answer") from error
            raise
        except Exception as error:
            raise self.translated(error) from error

    def translated(self, error: Exception) -> SakugaError:
        """Return in our words what Modal raised, or what a function on it did."""
        for kind, meaning in MEANINGS:
            if isinstance(error, kind):
                return meaning(error, self)
        return RenderFailed(reason=f"{type(error).__name__} in its container")  # the text may hold the prompt


Meaning = Callable[[Exception, Border], SakugaError]

MEANINGS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], Meaning], ...] = (
    (NotFoundError, lambda _, border: RendererNotDeployed(app=border.app)),
    (AuthError, lambda error, _: RendererUnauthorised(reason=_without_token(error))),
    (PermissionDeniedError, lambda *_: RendererUnauthorised(reason="it may not do that")),
    (ResourceExhaustedError, lambda error, _: QuotaExhausted(provider="Modal", reason=_sentence(error))),
    (OutputExpiredError, lambda *_: RenderLost()),
    (FunctionTimeoutError, lambda _, border: RenderTimedOut(timeout_s=border.timeout_s)),
    (RemoteError, lambda error, _: _ended_early(error)),
    (ExecutionError, lambda error, _: _unread(error)),
    (DeserializationError, lambda *_: _unread()),
    (InternalFailure, lambda *_: RendererUnavailable(reason="Modal itself failed")),
    (InvalidError, lambda error, _: RenderFailed(reason=f"Modal did not take the request ({_sentence(error)})")),
    (FOREIGN, lambda error, _: RendererUnavailable(reason=f"Modal can't be reached: {type(error).__name__}")),
    (SakugaError, lambda error, _: error if isinstance(error, SakugaError) else RenderLost()),
)
"""The first that fits counts."""


def unanswered(error: SakugaError) -> bool:
    """Whether the question may be asked again: Modal was away, or wished to be asked less often."""
    if isinstance(error, RendererUnavailable):
        return not isinstance(error.__cause__, InternalFailure)  # that is how the call ended
    return isinstance(error, QuotaExhausted)


def late(error: SakugaError) -> bool:
    """Whether the answer took longer than it may: Modal is away, or it is a clip on a slow line."""
    return isinstance(error, RendererUnavailable) and isinstance(error.__cause__, TimeoutError)


def _unread(error: Exception | None = None) -> SakugaError:
    """Tell an answer of another form from one that lies in Modal's storage and did not come: by the text alone."""
    if not (status := re.search(r"Get from url failed with status (\d+)", str(error))):
        return RenderFailed(reason="its container's answer can't be read")
    if int(status[1]) in GONE:
        return RenderLost()
    return RendererUnavailable(reason=f"Modal's storage answers {status[1]}")


def _ended_early(error: Exception) -> SakugaError:
    """Tell a cancelled call from one whose container died: 1.6.4 says which in the text alone."""
    text = str(error).lower()
    if not text or "cancel" in text or "terminated" in text:
        return RenderCancelled()
    return RenderFailed(reason=f"its container broke down ({_sentence(error)})")


def _without_token(error: Exception) -> str:
    return "there is none" if "missing" in str(error).lower() else "it is not valid"


def _sentence(error: Exception) -> str:
    first, _, _ = (str(error).strip() or type(error).__name__).partition("\n")
    return first.partition(". ")[0].rstrip(".")[:120]
