"""FakeTwitch's rewards: their shape as Helix asks and tells, and what it does not take."""

import re
from typing import Any

from tests.fakes.twitch_server import STREAMER, user

BLANK: dict[str, Any] = {
    "prompt": "",
    "background_color": "#FFFFFF",
    "is_enabled": True,
    "is_paused": False,
    "is_user_input_required": False,
    "should_redemptions_skip_request_queue": False,
    "is_global_cooldown_enabled": False,
    "is_max_per_stream_enabled": False,
    "is_max_per_user_per_stream_enabled": False,
}
NESTED = {
    "global_cooldown": ("is_global_cooldown_enabled", "global_cooldown_seconds"),
    "max_per_stream": ("is_max_per_stream_enabled", "max_per_stream"),
    "max_per_user_per_stream": ("is_max_per_user_per_stream_enabled", "max_per_user_per_stream"),
}


def shaped(asked: dict[str, Any]) -> dict[str, Any]:
    """Return a reward as Helix tells it, from the fields that it is asked for with."""
    inner = {name for pair in NESTED.values() for name in pair}
    return {
        **user("broadcaster", STREAMER),
        **{name: value for name, value in asked.items() if name not in inner},
        **{
            f"{name}_setting": {"is_enabled": asked.get(switch, False), value: asked.get(value, 0)}
            for name, (switch, value) in NESTED.items()
        },
        "image": None,
        "default_image": {},
        "is_in_stock": True,
        "redemptions_redeemed_current_stream": None,
        "cooldown_expires_at": None,
    }


def flat(reward: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that a reward could be asked for with."""
    asked = {name: value for name, value in reward.items() if not name.endswith("_setting")}
    for name, (switch, value) in NESTED.items():
        asked |= {switch: reward[f"{name}_setting"]["is_enabled"], value: reward[f"{name}_setting"][value]}
    return asked


def wrong_with(asked: dict[str, Any], titles: set[str]) -> str | None:
    """Return the end of Helix's message for what is asked of a reward beside others, or None if it takes it."""
    if asked.get("title", "").lower() in titles:
        return "DUPLICATE_REWARD"
    limits = dict(NESTED.values())
    wrong = (
        not 1 <= len(asked.get("title", "t")) <= 45
        or len(asked.get("prompt", "")) > 200
        or asked.get("cost", 1) < 1
        or not re.fullmatch("#[0-9A-F]{6}", asked.get("background_color", "#FFFFFF"))
        or any(asked.get(switch) and asked.get(value, 0) < 1 for switch, value in limits.items())
        or any(value in asked and (switch not in asked or asked[value] < 1) for switch, value in limits.items())
    )
    return "BAD_REQUEST" if wrong else None
