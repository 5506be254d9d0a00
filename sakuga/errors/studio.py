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
