"""The reward: what stands in the channel's list of rewards, in our words and in Helix's."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from sakuga.reward import RewardPolicy

# https://dev.twitch.tv/docs/api/reference/#update-custom-reward
PLAIN = {
    "title": "title",
    "cost": "cost",
    "prompt": "prompt",
    "colour": "background_color",
    "enabled": "is_enabled",
    "paused": "is_paused",
    "asks_for_words": "is_user_input_required",
    "skips_the_list": "should_redemptions_skip_request_queue",
}
LIMITS = {
    "cooldown_s": ("global_cooldown_setting", "is_global_cooldown_enabled", "global_cooldown_seconds"),
    "per_stream": ("max_per_stream_setting", "is_max_per_stream_enabled", "max_per_stream"),
    "per_viewer": (
        "max_per_user_per_stream_setting",
        "is_max_per_user_per_stream_enabled",
        "max_per_user_per_stream",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    """A custom reward as viewers see it. Limits of 0 are none."""

    title: str
    cost: int
    prompt: str
    colour: str
    enabled: bool
    paused: bool
    asks_for_words: bool = True
    skips_the_list: bool = False
    """Whether Twitch takes redemptions for fulfilled at once: then nobody could give points back."""
    cooldown_s: int = 0
    per_stream: int = 0
    per_viewer: int = 0

    @classmethod
    def wanted(cls, policy: RewardPolicy, *, paused: bool) -> Self:
        """Return the reward that the studio file wants."""
        return cls(
            title=policy.title,
            cost=policy.cost,
            prompt=policy.prompt,
            colour=policy.colour.upper(),
            enabled=policy.enabled,
            paused=paused,
            cooldown_s=policy.cooldown_s,
            per_stream=policy.per_stream,
            per_viewer=policy.per_viewer,
        )

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Self:
        """Return the reward that Helix tells of."""
        plain = {name: told[theirs] for name, theirs in PLAIN.items()}
        limits = {
            name: told[setting][amount] if told[setting]["is_enabled"] else 0
            for name, (setting, _, amount) in LIMITS.items()
        }
        return cls(**{**plain, "colour": str(plain["colour"]).upper(), **limits})

    @property
    def hidden(self) -> Self:
        """The same, out of viewers' sight."""
        return replace(self, enabled=False)

    def asked(self, was: Self | None = None) -> dict[str, Any]:
        """Return what Helix is asked for: all of it, or what is different from what it was."""
        names = {
            field.name for field in fields(self) if was is None or getattr(was, field.name) != getattr(self, field.name)
        }
        body = {theirs: getattr(self, name) for name, theirs in PLAIN.items() if name in names}
        for name, (_, switch, amount) in LIMITS.items():
            if name in names:
                # An amount of 0 is refused, even where the switch is off.
                value = getattr(self, name)
                body |= {switch: True, amount: value} if value else {switch: False}
        return body
