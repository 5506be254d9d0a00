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


class GpuMemoryExhausted(RenderError):
    """The card had too little memory."""

    message = "The GPU ran out of memory while drawing with {engine}. Ask for a shorter or smaller clip."
    retryable = True


class FramesInvalid(RenderError):
    """The engine's numbers overflowed, so that there was no picture."""

    message = "{engine} lost the picture (numbers that are none). Ask again with another seed."


class WeightsMissing(RenderError):
    """The weights of an engine were not where it runs."""

    message = (
        "The weights of {engine} are not here. The streamer fetches them: "
        ".venv/bin/python -m sakuga gpu weights {engine}"
    )


class AdapterUnfit(RenderError):
    """A LoRA did not fit the engine."""

    message = "The LoRA {adapter} does not fit {engine}: {problem}. Choose another character or engine."


class MediaMissing(RenderError):
    """A file that the render begins with was not where it runs."""

    message = (
        "The file {name} is not where the engine runs. The streamer puts a file of that name into the media folder, "
        "and for Modal sends it: .venv/bin/python -m sakuga gpu media "
        "(a LoRA of the Hub: .venv/bin/python -m sakuga gpu weights)"
    )


class RendererNotDeployed(RenderError):
    """The app was not deployed in that workspace."""

    message = "{app} is not deployed on Modal. The streamer does it: .venv/bin/python -m sakuga gpu deploy"


class RendererUnauthorised(RenderError):
    """The token was missing or refused."""

    message = (
        "The token for Modal can't be used: {reason}. "
        "The streamer makes one by .venv/bin/modal setup, or sets MODAL_TOKEN_ID and MODAL_TOKEN_SECRET."
    )


class QuotaExhausted(RenderError):
    """The account allowed no more."""

    message = "The account's limit at {provider} is reached ({reason}). Ask again later."
