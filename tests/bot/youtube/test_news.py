import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.line import Line
from bot.news import Banned, News, Retracted, Supported
from bot.youtube.news import key_of, message_id, news_of, published, viewer_of
from tests.fakes.youtube import JO, MIKA, MODERATOR, OWNER, FakeYouTube

PAID = {"amountMicros": "5250000", "currency": "USD", "tier": 3}


def told(kind: str, **how: Any) -> list[News]:
    fake = FakeYouTube()
    fake.happens(kind, **how)
    return news_of(fake.items[0])


def test_a_message_is_a_line_with_who_said_it() -> None:
    [line] = told("textMessageEvent", id="LCC.1", textMessageDetails={"messageText": " !anime a\u202e cat \n"})
    assert isinstance(line, Line)
    assert (line.id, line.text) == ("youtube-LCC.1", "!anime a cat")
    assert line.viewer.model_dump() == {
        "platform": "youtube",
        "id": MIKA,
        "login": "mika",
        "display_name": "mika",
        "roles": [],
        "bits": 0,
    }


@pytest.mark.parametrize(
    ("flags", "roles"),
    [
        (("isChatSponsor",), ["subscriber"]),
        (("isChatModerator", "isChatSponsor"), ["moderator", "subscriber"]),
        (("isChatOwner",), ["broadcaster"]),
        (("isVerified",), []),
    ],
)
def test_members_moderators_and_the_owner_are_known(flags: tuple[str, ...], roles: list[str]) -> None:
    [line] = told("textMessageEvent", flags=flags, textMessageDetails={"messageText": "hi"})
    assert isinstance(line, Line)
    assert line.viewer.roles == roles


@pytest.mark.parametrize(
    ("name", "login", "shown"),
    [
        ("@mika", "mika", "mika"),
        ("@さくら", "さくら", "さくら"),
        ("Mika Sato", MIKA, "Mika Sato"),
        ("@mika sato", MIKA, "@mika sato"),
        ("\u202e", MIKA, ""),
        ("x" * 300, MIKA, "x" * 64),
    ],
)
def test_a_handle_is_the_login_and_everybody_else_has_the_channels_id(name: str, login: str, shown: str) -> None:
    fake = FakeYouTube()
    fake.say("hi", name=name)
    viewer = viewer_of(fake.items[0])
    assert (viewer.viewer, viewer.login, viewer.display_name) == (f"youtube:{MIKA}", login, shown)


def test_a_super_chat_fills_the_purse_before_its_words_are_a_request() -> None:
    paid, line = told("superChatEvent", superChatDetails={**PAID, "userComment": "!anime a cat"})
    assert isinstance(paid, Supported)
    assert isinstance(line, Line)
    assert (paid.kind, paid.amount, paid.viewer.viewer) == ("superchat", 525, f"youtube:{MIKA}")
    assert (line.text, line.viewer.bits, line.id) == ("!anime a cat", 0, paid.id)


@pytest.mark.parametrize(
    ("paid", "cents"),
    [
        ({"amountMicros": "500000000", "currency": "JPY", "tier": 2}, 200),
        ({"amountMicros": "99000000", "currency": "EUR", "tier": 11}, 50_000),
        ({"amountMicros": 1_750_000, "currency": "USD"}, 175),
        ({"amountMicros": "1", "currency": "EUR", "tier": 99}, 50_000),
    ],
)
def test_what_was_not_paid_in_dollars_counts_by_its_tier(paid: dict[str, Any], cents: int) -> None:
    [support] = told("superStickerEvent", superStickerDetails=paid)
    assert isinstance(support, Supported)
    assert (support.kind, support.amount) == ("superchat", cents)


def test_a_payment_that_says_no_amount_is_still_a_line() -> None:
    [line] = told("superChatEvent", superChatDetails={"userComment": "!anime a cat", "currency": "EUR"})
    assert isinstance(line, Line)


def test_members_milestones_and_gifts_are_support() -> None:
    [new] = told("newSponsorEvent", newSponsorDetails={"memberLevelName": "Fan", "isUpgrade": False})
    details = {"userComment": "!anime two years", "memberMonth": 24}
    milestone, line = told("memberMilestoneChatEvent", memberMilestoneChatDetails=details)
    [gifts] = told("membershipGiftingEvent", membershipGiftingDetails={"giftMembershipsCount": 5})
    assert [(one.kind, one.amount) for one in (new, milestone, gifts)] == [("member", 1), ("member", 1), ("gift", 5)]
    assert line.text == "!anime two years"
    assert told("giftMembershipReceivedEvent", giftMembershipReceivedDetails={"gifterChannelId": JO}) == []


def test_deleted_and_taken_back_messages_are_retracted_by_the_name_they_came_under() -> None:
    deleted = told("messageDeletedEvent", by=MODERATOR, messageDeletedDetails={"deletedMessageId": "LCC.7"})
    assert deleted == [Retracted("message", "youtube", "youtube:alice", message_id="youtube-LCC.7")]
    back = told("messageRetractedEvent", messageRetractedDetails={"retractedMessageId": "LCC.7"})
    assert back == [Retracted("message", "youtube", "youtube:mika", message_id="youtube-LCC.7")]
    assert told("tombstone", by=None, id="LCC.7") == [Retracted("message", "youtube", message_id="youtube-LCC.7")]


def test_a_tombstone_is_another_item_than_the_message_that_was_there() -> None:
    fake = FakeYouTube()
    fake.say("hi", id="LCC.7")
    fake.happens("tombstone", by=None, id="LCC.7")
    assert key_of(fake.items[0]) != key_of(fake.items[1])


def test_bans_and_time_outs_name_who_when_and_by_whom() -> None:
    at = datetime(2026, 11, 20, 18, tzinfo=UTC)
    who = {"bannedUserDetails": {"channelId": JO, "displayName": "@jo"}}
    [ban] = told("userBannedEvent", by=MODERATOR, at=at, userBannedDetails={**who, "banType": "permanent"})
    assert ban == Banned(f"youtube:{JO}", "youtube:alice", None)
    seconds = {"banType": "temporary", "banDurationSeconds": "300"}
    [time_out] = told("userBannedEvent", by=None, at=at, userBannedDetails={**who, **seconds})
    assert time_out == Banned(f"youtube:{JO}", "", at.replace(minute=5))
    assert told("userBannedEvent", userBannedDetails={"banType": "permanent"}) == []


def test_a_moderator_whose_handle_is_no_plain_word_is_named_by_channel() -> None:
    [ban] = told(
        "userBannedEvent",
        by=OWNER,
        name="@さくら",
        userBannedDetails={"bannedUserDetails": {"channelId": JO}, "banType": "permanent"},
    )
    assert isinstance(ban, Banned)
    assert ban.by == f"youtube:{OWNER}"


@pytest.mark.parametrize("given", ["x" * 91, "x" * 400, "ふ", "two words", ""])
def test_an_odd_id_gets_a_name_that_is_always_the_same(given: str) -> None:
    assert message_id(given) == message_id(given)
    assert len(message_id(given)) == 48
    assert message_id(given) != message_id(given + "x")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (":yt: !anime a cat :hand-pink-waving:", "!anime a cat"),
        ("!anime :_wave::_wave: a cat", "!anime a cat"),
        ("!anime a clock at 10:30:00 and a:b:c", "!anime a clock at 10:30:00 and a:b:c"),
        (":yt:", None),
    ],
)
def test_emotes_are_no_words(text: str, words: str | None) -> None:
    lines = told("textMessageEvent", textMessageDetails={"messageText": text})
    assert [line.text for line in lines] == ([words] if words else [])


def test_what_does_not_matter_to_the_bot_is_nothing() -> None:
    assert told("pollEvent") == told("sponsorOnlyModeStartedEvent") == told("fromTheFutureEvent") == []
    assert told("textMessageEvent", textMessageDetails={"messageText": "\u200b"}) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
KINDS = st.sampled_from(
    [
        ("textMessageEvent", "textMessageDetails", "messageText"),
        ("superChatEvent", "superChatDetails", "amountMicros"),
        ("superChatEvent", "superChatDetails", "tier"),
        ("memberMilestoneChatEvent", "memberMilestoneChatDetails", "userComment"),
        ("membershipGiftingEvent", "membershipGiftingDetails", "giftMembershipsCount"),
        ("messageDeletedEvent", "messageDeletedDetails", "deletedMessageId"),
        ("userBannedEvent", "userBannedDetails", "banDurationSeconds"),
        ("userBannedEvent", "userBannedDetails", "bannedUserDetails"),
    ]
)


@given(kind=KINDS, odd=JSON, id=JSON, author=JSON, whole=st.booleans())
@example(
    kind=("userBannedEvent", "userBannedDetails", "banDurationSeconds"), odd=10**30, id="1", author=JO, whole=False
)
@example(
    kind=("membershipGiftingEvent", "membershipGiftingDetails", "giftMembershipsCount"),
    odd=math.inf,
    id="1",
    author=JO,
    whole=False,
)
@example(
    kind=("textMessageEvent", "textMessageDetails", "messageText"), odd="hi", id="LCC.1", author={"x": 1}, whole=False
)
def test_no_item_however_odd_breaks_the_bot(
    kind: tuple[str, str, str], odd: Any, id: Any, author: Any, *, whole: bool
) -> None:
    name, details, inner = kind
    told: dict[str, Any] = {"banType": "temporary", "bannedUserDetails": {"channelId": JO}, inner: odd}
    snippet = {"type": name, "publishedAt": "2026-11-20T18:00:00Z", details: odd if whole else told}
    item = {"id": id, "snippet": snippet, "authorDetails": {"displayName": author, "channelId": author}}
    published({"snippet": {"publishedAt": odd}})
    key_of(item)
    news_of(item)
