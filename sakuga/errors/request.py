"""Errors that the viewer can do something about: the request was turned down, and why."""

from sakuga.errors.base import SakugaError


class RequestRefused(SakugaError):
    """The request was understood and turned down."""


class RequestInvalid(RequestRefused):
    """A field had the wrong type or value."""

    message = "{param}: {problem}. See /docs for the fields of this request."

    def __init__(self, *, param: str, problem: str) -> None:
        super().__init__(param=param, problem=problem)


class BodyUnreadable(RequestRefused):
    """The body was not JSON."""

    message = "The body is not valid JSON ({problem}). Send one JSON object in UTF-8."


class BodyTooLarge(RequestRefused):
    """The body had more bytes than the gateway reads."""

    message = "The body is larger than {limit_bytes} bytes. A prompt needs far less; send only the documented fields."


class MediaTypeUnsupported(RequestRefused):
    """The body was not declared as JSON."""

    message = "This address takes JSON. Set the header Content-Type: application/json."


class PromptEmpty(RequestRefused):
    """The prompt had no words."""

    message = "The prompt is empty. Say what to draw, for example: girl with sword, neon rain."
    param = "prompt"


class PromptTooLong(RequestRefused):
    """The prompt had more characters than a cut sheet holds."""

    message = "The prompt has {length} characters and {limit} fit. Shorten it and ask again."
    param = "prompt"


class PromptUnreadable(RequestRefused):
    """The prompt held control, bidi or broken characters."""

    message = "The prompt holds a character that can't be shown ({character} at {index}). Type it as plain text."
    param = "prompt"


class StyleUnknown(RequestRefused):
    """No style had that name."""

    message = "There is no style {name!r}. Choose one of: {known}."
    param = "style"


class EngineUnknown(RequestRefused):
    """No engine had that name here."""

    message = "There is no engine {name!r} in this studio. Choose one of: {known}."
    param = "engine"


class CharacterUnknown(RequestRefused):
    """No character had that name, or it is drawn by another engine."""

    message = "There is no character {name!r} for {engine}. Choose one of: {known}."
    param = "characters"


class CharacterUnavailable(RequestRefused):
    """The character was made for engines that the studio does not offer."""

    message = (
        "The character {name!r} needs {engines}, which this studio does not offer. Ask without it, or have the "
        "streamer add the engine to SAKUGA_ENGINES."
    )
    param = "characters"


class CharacterNeeded(RequestRefused):
    """The engine begins with a picture, and nobody in the clip had one."""

    message = "{engine} begins with a picture, so it needs a character that has one. Choose one of: {known}."
    param = "characters"


class PresetUnknown(RequestRefused):
    """The engine has no such preset, or the studio does not offer it."""

    message = "{name!r} can't be asked for with {engine}. Choose one of: {known}."
    param = "preset"


class DurationOutOfRange(RequestRefused):
    """The engine can't draw a clip of that length."""

    message = "{engine} draws clips of {shortest_s:g} to {longest_s:g} seconds. {duration_s:g} is outside of that."
    param = "duration"


class QueueFull(RequestRefused):
    """As many jobs waited as the studio takes."""

    message = "The queue is full ({waiting} jobs wait). Ask again in about {retry_after_s} s."
    retryable = True


class KeyReused(RequestRefused):
    """The idempotency key had been used for another request."""

    message = "This Idempotency-Key was used for a different request. Use a new key for a new request."
    param = "Idempotency-Key"


class JobNotFound(RequestRefused):
    """No job had that id."""

    message = (
        "There is no job {job_id!r}. Use the job_id that POST /generate returned; jobs are kept for {kept_days} days."
    )
    param = "job_id"


class JobNotWaiting(RequestRefused):
    """The job had left the waiting room."""

    message = "The job is {status} and can't be moved any more. Only waiting jobs can be moved."
    param = "job_id"


class ClipNotFound(RequestRefused):
    """No clip had that id."""

    message = "There is no clip {clip_id!r}. GET /clips lists those that exist."
    param = "clip_id"


class RemixNotFound(RequestRefused):
    """There was no such cut to begin a remix with, or not everybody may see it."""

    message = "There is no {what} to remix. Name a cut that waits, is drawn or hangs in the gallery."
    param = "remix"


class PreviewNotFound(RequestRefused):
    """The job had no preview picture at that moment."""

    message = "The job {job_id!r} has no preview now. Use the preview_url of its status while there is one."
    param = "job_id"


class RouteNotFound(RequestRefused):
    """Nothing was served at that address."""

    message = "There is nothing at {path!r}. GET /docs lists every address."


class MethodNotAllowed(RequestRefused):
    """The address existed, but not for that method."""

    message = "{path!r} does not take {method}. It takes: {allowed}."


class RangeNotSatisfiable(RequestRefused):
    """The byte range lay outside the file."""

    message = (
        "The file has {size} bytes and the asked range lies outside. Ask for a range within, or for the whole file."
    )
    param = "Range"


class StudioNotReady(RequestRefused):
    """No renderer had ever reported what it can draw."""

    message = "The studio is still setting up its first renderer. Ask again in a few seconds."
    retryable = True


class StreamsExhausted(RequestRefused):
    """As many readers followed the events as the gateway serves."""

    message = "{limit} readers follow /events already. Close one, or poll GET /status/{{job_id}} and GET /stage."
    retryable = True


class HostNotAllowed(RequestRefused):
    """The request named a host that the studio does not answer to."""

    message = (
        "This studio does not answer to that host name. Open it as {expected}, or add the name to SAKUGA_ALLOWED_HOSTS."
    )


class OriginNotAllowed(RequestRefused):
    """Another web page tried to make the request."""

    message = "Another site's page sent this. Use the studio's own page, or a program of yours."


class Unauthenticated(RequestRefused):
    """No key was sent, or one that is not worth anything."""

    message = (
        "{problem} Send one as Authorization: Bearer or X-API-Key; for a page, open the link that "
        ".venv/bin/python -m sakuga keys link prints."
    )


class SignatureInvalid(RequestRefused):
    """A message was not signed, or not by somebody who has the secret, or long ago."""

    message = "{problem} Sign it as Standard Webhooks says, with the secret of this studio, and send it again."


class Forbidden(RequestRefused):
    """The key's role did not reach so far."""

    message = "This needs the role {needs} or one above it; your key has the role {role}."


class KeyExposed(RequestRefused):
    """A key that may change things stood in an address."""

    message = "Only an overlay's key may stand in an address. Revoke this one, and send the new one in a header."
    param = "key"


class LinkSpent(RequestRefused):
    """The one-time link had been used, or was too old."""

    message = "This link was used, or is older than 10 minutes. Make another: .venv/bin/python -m sakuga keys link"
    param = "code"


class RateLimited(RequestRefused):
    """One caller asked for changes, or failed to log in, too often."""

    message = "Too many requests. Try again in {retry_after_s} s."
    retryable = True


class BrokerUnavailable(RequestRefused):
    """Redis did not answer."""

    message = "The studio's memory is not answering. Nothing was accepted or charged; try again in a few seconds."
    retryable = True
