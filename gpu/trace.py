"""The trace of an error: what was raised and where, without its words, among which may be a viewer's."""

import sys
import traceback
from collections.abc import Iterator
from types import TracebackType

from sakuga.errors import SakugaError

OF_THE_CARD = {"OutOfMemoryError", "AcceleratorError"}
"""What torch raises with the words of the card's driver alone."""


def trace(error: BaseException) -> str:
    """Return the lines of an error and of its causes, the first cause first.

    Words are told where no viewer can have written them: those of the system and of the card, the name of a module that
    is missing, and the code of an error of ours. A prompt may stand in any others, as in a KeyError's.
    """
    return "".join(f"{line}\n" for each in reversed(list(_causes(error))) for line in _lines(each))


def wordless() -> None:
    """Have whatever nobody catches told on stderr without its words, from now on and in the main thread."""

    def tell(_: type[BaseException], error: BaseException, __: TracebackType | None) -> None:
        sys.stderr.write(trace(error))

    sys.excepthook = tell


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)


def _lines(error: BaseException) -> Iterator[str]:
    words = _harmless(error)
    yield f"{type(error).__name__}: {words}" if words else type(error).__name__
    for place in traceback.extract_tb(error.__traceback__):
        yield f"  {place.filename}:{place.lineno} in {place.name}"


def _harmless(error: BaseException) -> str:
    if isinstance(error, SakugaError):
        return error.code
    if isinstance(error, OSError):
        return error.strerror or ""
    if isinstance(error, ImportError):
        return error.name or ""
    if type(error).__module__.partition(".")[0] == "torch" and type(error).__name__ in OF_THE_CARD:
        return str(error).partition("\n")[0]
    return ""
