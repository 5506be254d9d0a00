"""The stage: what is on air now."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class StageState(StrEnum):
    """What the stage shows."""

    IDLE = "idle"
    COOKING = "cooking"
    RESULT = "result"
    GALLERY = "gallery"
    FALLBACK = "fallback"
    DUMPED = "dumped"


WITH_CLIP = frozenset({StageState.RESULT, StageState.GALLERY})


class Stage(BaseModel):
    """What is on air. Times are seconds since 1970 by the broker's clock."""

    model_config = ConfigDict(frozen=True)

    state: StageState = StageState.IDLE
    clip_id: str | None = None
    since: float = 0.0
    until: float | None = None
    last_result: str | None = None  # clip that was shown as a result last
    revision: int = 0
