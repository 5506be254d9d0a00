"""Presence: how well a platform's chat is heard, as who listens to it says."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sakuga import store

Platform = Literal["twitch", "youtube", "kick"]
PresenceState = Literal["listening", "away", "logged_out", "revoked"]

SAID_FOR_S = 90  # who listens says so every half a minute
TITLES: dict[str, str] = {"twitch": "Twitch", "youtube": "YouTube", "kick": "Kick"}
LOG_IN: dict[str, str] = {"twitch": ".venv/bin/python -m sakuga login twitch"}


class Quota(BaseModel):
    """What a platform lets us ask for in a day."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    used: int = Field(ge=0, description="Units that were used today.", examples=[4200])
    limit: int = Field(ge=0, description="Units that there are in a day.", examples=[10000])
    resets_at: str | None = Field(
        default=None, max_length=40, description="When it begins anew.", examples=["2026-11-21T08:00:00Z"]
    )


class Presence(BaseModel):
    """How a chat is heard."""

    model_config = ConfigDict(frozen=True)

    platform: Platform
    state: PresenceState
    account: str | None = None
    channel: str | None = None
    detail: str | None = None
    reward: str | None = None
    quota: Quota | None = None
    at: float = 0.0

    @property
    def message(self) -> str | None:
        """What is amiss and what to do, in a sentence; None where all is well. `detail` may say more."""
        title, log_in = TITLES[self.platform], LOG_IN.get(self.platform)
        todo = f" Log in: {log_in}." if log_in else ""
        match self.state:
            case "listening":
                return None
            case "away":
                return f"The bot does not hear {title} right now, and tries again by itself."
            case "revoked":
                return f"{title} no longer lets the bot listen.{todo}"
            case "logged_out":
                return f"The bot is not logged in to {title}.{todo}"


class Presences:
    """Keeps what was said of each platform for as long as it is fresh."""

    def __init__(self, redis: store.Client) -> None:
        self._redis = redis

    async def tell(self, presence: Presence) -> Presence:
        """Say how a chat is heard, until it is said again or is too old; return it with the broker's time."""
        told = presence.model_copy(update={"at": await store.clock(self._redis)})
        await self._redis.hset(store.CHATS, told.platform, told.model_dump_json())
        return told

    async def now(self) -> list[Presence]:
        """Return what was said within the last minute and a half, by platform."""
        told = [Presence.model_validate_json(text) for text in (await self._redis.hgetall(store.CHATS)).values()]
        since = await store.clock(self._redis) - SAID_FOR_S if told else 0.0
        return sorted((one for one in told if one.at > since), key=lambda one: one.platform)
