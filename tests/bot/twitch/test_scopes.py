import twitchio

from bot.twitch.scopes import NEEDED, PARTS, WANTED, lacking, told, wanted


def test_one_account_for_both_is_asked_for_everything_once() -> None:
    assert wanted("bot", "channel") == wanted("channel", "bot") == [*WANTED["bot"], *WANTED["channel"]]
    assert wanted("bot") == ["user:read:chat", "user:write:chat"]
    assert set(wanted("bot")) == NEEDED


def test_every_scope_exists_at_twitch_and_says_what_is_off_without_it() -> None:
    scopes = wanted("bot", "channel")
    assert sorted(twitchio.Scopes(scopes)) == sorted(scopes)
    assert set(PARTS) == set(scopes)


def test_what_lacks_is_named_with_its_part() -> None:
    missing = lacking(["user:read:chat", "channel:moderate"], "channel")
    assert missing == ["channel:manage:redemptions", "bits:read"]
    assert told(missing) == "channel:manage:redemptions (channel points), bits:read (power-ups that cost bits)"
    assert not lacking(wanted("bot"), "bot")
