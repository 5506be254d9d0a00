"""A stumble: an error that nobody thought of, told without its text, which may hold a token."""

import traceback


def named(error: BaseException) -> str:
    """Return what an error is and in which function it was raised; of a group the first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    place = traceback.extract_tb(error.__traceback__)[-1:]
    return f"{type(error).__name__} in {place[0].name}" if place else type(error).__name__
