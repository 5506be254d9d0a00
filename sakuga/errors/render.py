"""Errors that the studio can do something about: a render did not end in a clip."""

from sakuga.errors.base import SakugaError


class RenderError(SakugaError):
    """A render did not end in a clip."""


class RenderFailed(RenderError):
    """The engine gave up on the render."""

    message = "The drawing failed: {reason}. Ask again with another prompt or seed."


class RenderLost(RenderError):
    """The renderer no longer knew the handle."""

    message = "The drawing was lost with the machine that made it, and no attempt is left. Ask again."
    retryable = True


class RenderTimedOut(RenderError):
    """The render took longer than allowed."""

    message = "The drawing took longer than {timeout_s:g} s and was stopped. Ask for a shorter clip."


class RenderCancelled(RenderError):
    """Somebody stopped the render."""

    message = "The drawing was stopped. Ask again whenever you like."


class RendererUnavailable(RenderError):
    """The renderer could not be started or reached."""

    message = "The renderer can't be reached ({reason}), and no attempt is left. Ask again later."
    retryable = True


class ClipUnplayable(RenderError):
    """The finished file could not be read as a clip."""

    message = "The drawing was finished, but its file can't be played, and no attempt is left. Ask again."
    retryable = True
