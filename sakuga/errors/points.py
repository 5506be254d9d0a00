"""Errors about channel points: what Twitch said when the bot looked after its reward."""

from sakuga.errors.studio import StudioError


class RewardRefused(StudioError):
    """Twitch refused what the bot asked about channel points."""

    message = (
        "Twitch refused what the bot asked about its channel-point reward ({status}: {reason}). "
        "docs/how-to/channel-points.md says what to do."
    )


class PointsUnreachable(StudioError):
    """Twitch did not answer about channel points, or not now."""

    message = "Twitch is not answering about channel points ({reason}). The bot asks again by itself."
    retryable = True
