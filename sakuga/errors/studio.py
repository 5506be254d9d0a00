"""Errors that the streamer can do something about: the studio could not run as it was set up."""

from sakuga.errors.base import SakugaError


class StudioError(SakugaError):
    """The studio could not run as it was set up."""


class SettingsInvalid(StudioError):
    """A setting was unknown or had a value that can't be used."""

    message = "{problem}"


class StudioFileInvalid(StudioError):
    """The studio file could not be read."""

    message = "{path}: {problem}. Mend the file and start again; docs/reference/studio-file.md lists what it may hold."


class BrokerMissing(StudioError):
    """No Redis server could be found."""

    message = "No Redis server found. Install valkey-server or redis-server, or set SAKUGA_REDIS_URL to one that runs."


class BrokerFailed(StudioError):
    """The embedded server did not start."""

    message = "The embedded server did not start: {reason}. Its log is {log}."


class PortTaken(StudioError):
    """Something else listened at the studio's address."""

    message = "{host}:{port} is in use, perhaps by another studio. Stop that one, or set SAKUGA_API_PORT."


class FolderTaken(StudioError):
    """Another studio ran with the same data."""

    message = "A studio already runs with the data in {folder}. Stop it, or set SAKUGA_VAR_DIR to another folder."


class StorageUnavailable(StudioError):
    """Clips could not be read or written."""

    message = "The clip storage is not answering ({reason}). Check SAKUGA_STORAGE_URL and free space."
    retryable = True


class GatewayUnreachable(StudioError):
    """The gateway did not answer a client of ours."""

    message = "The gateway at {url} is not answering. Start it, or set SAKUGA_GATEWAY_URL."
    retryable = True


class GatewayRefused(SakugaError):
    """The gateway turned a request of ours down; `reason` is the code that it gave."""

    message = "{sentence}"

    def __init__(self, *, status: int, reason: str, sentence: str, retry_after_s: float | None = None) -> None:
        super().__init__(sentence=sentence)
        self.status = status
        self.reason = reason
        self.retry_after_s = retry_after_s


class LicenceNotAccepted(StudioError):
    """Weights had terms that nobody has agreed to."""

    message = "{engine} comes under {licence}. Read {url}, then run the command again with --accept-licence."


class SpaceExhausted(StudioError):
    """There was too little space for the weights."""

    message = "{engine} needs {needed_gb:.1f} GB and {free_gb:.1f} GB are free. Make room, or choose a smaller engine."


class WeightsUnreachable(StudioError):
    """The weights could not be fetched."""

    message = "{repository} could not be fetched ({reason}). What has arrived is kept; run the command again."
    retryable = True


class CharacterRefused(StudioError):
    """A character's file could not be used."""

    message = "{file}: {problem}."


class CloudFailed(StudioError):
    """Modal did not do what it was asked."""

    message = "Modal did not do that: {reason}"


class KeyMissing(StudioError):
    """A program of ours was started without its key."""

    message = (
        "SAKUGA_KEY is not set, so the gateway would turn this program away. "
        "Set it to one that .venv/bin/python -m sakuga keys new bot NAME prints, or to the gateway's own SAKUGA_KEY."
    )


class KeyNameInvalid(StudioError):
    """A name for a key had other signs than letters, digits, dots, dashes and underscores."""

    message = "{name!r} can't name a key. Take up to {longest} letters, digits, dots, dashes and underscores."


class KeyNotFound(StudioError):
    """No key had that id or name."""

    message = "There is no key {name!r}. See those that exist: .venv/bin/python -m sakuga keys list"
