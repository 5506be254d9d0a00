import pytest
from pydantic import ValidationError

from sakuga.chat import ChatPolicy
from sakuga.reward import RewardPolicy


def test_no_reward_is_offered_unless_the_streamer_wants_one() -> None:
    assert not ChatPolicy().reward.enabled


def test_what_the_studio_file_says_by_itself_fits_at_twitch() -> None:
    shipped = RewardPolicy()
    assert len(shipped.title) <= 45
    assert len(shipped.prompt) <= 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": "x" * 46},
        {"title": ""},
        {"title": "two\nlines"},
        {"title": "turned \u202e around"},
        {"prompt": "x" * 201},
        {"cost": 0},
        {"colour": "red"},
        {"cooldown_s": 604_801},
        {"price": 7},
    ],
)
def test_what_twitch_would_refuse_is_refused_where_it_is_written(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RewardPolicy.model_validate(wrong)
