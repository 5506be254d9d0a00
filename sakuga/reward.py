"""The reward: what channel points buy, as the table ``[chat.reward]`` of the studio file says."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from sakuga.prompt import visible

# Twitch's own limits: https://dev.twitch.tv/docs/api/reference/#create-custom-rewards
LONGEST_TITLE = 45
LONGEST_PROMPT = 200
WEEK_S = 604_800


def _line(text: str) -> str:
    if not text or text != visible(text):
        msg = "a reward's words stand on one line and show every character"
        raise ValueError(msg)
    return text


Words = Annotated[str, AfterValidator(_line)]


class RewardPolicy(BaseModel):
    """The table ``[chat.reward]`` of the studio file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = Field(default=False, description="Whether viewers can ask for a clip with channel points.")
    title: Words = Field(
        default="Direct a clip", max_length=LONGEST_TITLE, description="What the reward is called; one of its kind."
    )
    cost: int = Field(default=1000, ge=1, le=1_000_000_000, description="Channel points that it costs.")
    prompt: Words = Field(
        default="Say in a few words what to draw. What can't be drawn is given back.",
        max_length=LONGEST_PROMPT,
        description="What viewers read above the field for their words.",
    )
    colour: str = Field(
        default="#E2552B", pattern=r"^#[0-9A-Fa-f]{6}$", description="Background of the reward, as in #E2552B."
    )
    cooldown_s: int = Field(
        default=0, ge=0, le=WEEK_S, description="Seconds between two redemptions of anybody; 0 is none."
    )
    per_viewer: int = Field(
        default=0, ge=0, le=10_000, description="Redemptions that a viewer may have in a stream; 0 is no limit."
    )
    per_stream: int = Field(
        default=0, ge=0, le=10_000, description="Redemptions in a stream, of all viewers together; 0 is no limit."
    )
    powerups: bool = Field(
        default=False, description="Whether a Custom Power-up that asks for words is a request with its bits."
    )
