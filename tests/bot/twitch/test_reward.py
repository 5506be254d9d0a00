from bot.twitch.reward import Reward
from sakuga.reward import RewardPolicy

POLICY = RewardPolicy(enabled=True, colour="#e2552b", cooldown_s=60)
TOLD = {
    "title": "Direct a clip",
    "cost": 1000,
    "prompt": "Say in a few words what to draw. What can't be drawn is given back.",
    "background_color": "#E2552B",
    "is_enabled": True,
    "is_paused": False,
    "is_user_input_required": True,
    "should_redemptions_skip_request_queue": False,
    "global_cooldown_setting": {"is_enabled": True, "global_cooldown_seconds": 60},
    "max_per_stream_setting": {"is_enabled": False, "max_per_stream": 7},
    "max_per_user_per_stream_setting": {"is_enabled": False, "max_per_user_per_stream": 0},
}


def test_what_the_studio_file_wants_reads_as_twitch_tells_it() -> None:
    assert Reward.wanted(POLICY, paused=False) == Reward.read(TOLD)


def test_a_reward_is_asked_for_with_words_and_stays_on_the_list_until_it_is_settled() -> None:
    body = Reward.wanted(POLICY, paused=True).asked()
    assert body["is_user_input_required"] is True
    assert body["should_redemptions_skip_request_queue"] is False
    assert body["is_paused"] is True


def test_only_what_differs_is_changed_and_a_limit_of_none_has_no_amount() -> None:
    was = Reward.read(TOLD)
    assert was.asked(was) == {}
    assert Reward.wanted(POLICY, paused=True).asked(was) == {"is_paused": True}
    free = Reward.wanted(RewardPolicy(enabled=True, title="Draw", per_viewer=2), paused=False)
    assert free.asked(was) == {
        "title": "Draw",
        "is_global_cooldown_enabled": False,
        "is_max_per_user_per_stream_enabled": True,
        "max_per_user_per_stream": 2,
    }


def test_a_hidden_reward_is_the_same_out_of_sight() -> None:
    wanted = Reward.wanted(POLICY, paused=False)
    assert wanted.hidden.asked(wanted) == {"is_enabled": False}
