"""Bans: viewers who may not ask."""

from pydantic import BaseModel, ConfigDict, Field


def known_as(viewer: str) -> str:
    """Return a viewer's name as bans are kept by: on Twitch capitals make no difference, elsewhere they may."""
    return viewer.lower() if viewer.startswith("twitch:") else viewer


class Ban(BaseModel):
    """A viewer who may not ask. Times are seconds since 1970 by the broker's clock."""

    model_config = ConfigDict(frozen=True)

    viewer: str = Field(examples=["twitch:3000"])
    reason: str = Field(default="", max_length=200)
    by: str
    at: float
    until: float | None = Field(default=None, description="When it ends; never if null.")
