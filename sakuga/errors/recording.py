"""Errors about recordings: a file that can't be written or replayed."""

from sakuga.errors.studio import StudioError


class RecordingUnusable(StudioError):
    """A recording could not be written or read."""

    message = "{file}: {problem}."
