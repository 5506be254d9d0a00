"""The bot in a live chat of YouTube's, over real sockets and by a clock that hurries."""

import itertools
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.line import Line
from bot.news import Banned, OnAir, Supported
from bot.youtube.api import video_id
from tests.bot.youtube.chatroom import HOUR, Chatroom
from tests.fakes.hurry import Hurry
from tests.fakes.youtube import CHANNEL, JO, MIKA, MODERATOR, VIDEO, FakeYouTube


async def test_what_is_said_is_heard_once_and_in_order_and_nothing_from_before(room: Chatroom) -> None:
    room.fake.say("!anime from yesterday", at=room.clock.at - timedelta(hours=20))
    room.fake.say("!anime a moment before", at=room.clock.at - timedelta(seconds=1))
    for second in (20, 60, 61, 200):
        room.clock.plan(second, lambda second=second: room.fake.say(f"!anime {second}"))
    await room.runs(300)
    assert room.texts == ["!anime 20", "!anime 60", "!anime 61", "!anime 200"]


async def test_before_is_by_youtubes_clock(tmp_path: Path, clock: Hurry) -> None:
    async with FakeYouTube(now=clock.now, ahead_s=600) as ahead:
        room = Chatroom(tmp_path, ahead, clock)
        ahead.say("!anime before", at=ahead.now - timedelta(seconds=5))
        clock.plan(30, lambda: ahead.say("!anime after"))
        await room.runs(60)
    assert room.texts == ["!anime after"]


async def test_a_bot_that_is_started_again_hears_nothing_twice(room: Chatroom) -> None:
    room.clock.plan(20, lambda: room.fake.say("!anime one"))
    await room.runs(60)
    room.clock = Hurry(room.clock.start)  # a clock that went back
    room.fake._may_poll_at = None
    await room.runs(60)
    assert room.texts == ["!anime one"]


async def test_youtubes_own_pace_is_kept(room: Chatroom) -> None:
    room.fake.polling_ms = 21_000
    await room.runs(600)
    polls = room.fake.asked_for("/liveChat/messages")
    assert {(later - at).total_seconds() for at, later in itertools.pairwise(polls)} == {21}
    assert room.fake.hasty == 0


async def test_a_days_quota_lasts_for_the_day_and_is_told(room: Chatroom) -> None:
    room.fake.limit = 1_000
    for hour in range(1, 38):
        room.clock.plan(hour * HOUR, lambda hour=hour: room.fake.say(f"!anime {hour}"))
    await room.runs(37.5 * HOUR, youtube_quota=1_000)
    polls = room.fake.asked_for("/liveChat/messages")
    assert max(room.fake._spent.values()) <= 1_000
    gaps = [(later - at).total_seconds() for at, later in itertools.pairwise(polls)]
    assert max(gaps) < 2 * HOUR
    assert min(gaps) > 75
    assert max(gaps[: 2 * HOUR // 80]) < 85
    assert room.ledger.last["state"] == "listening"
    assert room.ledger.last["quota"]["limit"] == 1_000
    assert room.ledger.last["quota"]["used"] == room.fake.spent
    assert room.ledger.last["quota"]["resets_at"] == "2026-11-22T08:00:00+00:00"
    assert "so that the quota lasts" in room.ledger.last["detail"]
    assert room.texts[:2] == ["!anime 1", "!anime 2"]


async def test_units_that_a_bot_used_before_it_died_are_gone(room: Chatroom) -> None:
    await room.runs(600)
    async with room.bot() as again:
        assert again.quota.used == room.fake.spent > 100


@pytest.mark.parametrize("how", ["offline", "ended"])
async def test_the_end_of_the_stream_is_told_and_its_last_words_are_heard(room: Chatroom, how: str) -> None:
    def end() -> None:
        room.fake.say("bye")
        if how == "ended":
            room.fake.happens("chatEndedEvent", by=None)
        room.fake.offline = how == "offline"

    room.clock.plan(20, end)
    room.clock.plan(28, lambda: setattr(room.fake, "chat", None))
    await room.runs(25 * 60)
    assert room.texts == ["bye"]
    assert room.ledger.last["state"] == "away"
    assert room.ledger.last["detail"] == "The video has no live chat now. It is looked for again."
    assert len(room.fake.asked_for("/videos")) < 12


async def test_a_stream_that_has_not_begun_is_waited_for(room: Chatroom) -> None:
    chat, room.fake.chat = room.fake.chat, None
    room.clock.plan(HOUR, lambda: setattr(room.fake, "chat", chat))
    room.clock.plan(HOUR + 300, lambda: room.fake.say("!anime at last"))
    await room.runs(HOUR + 400)
    assert room.texts == ["!anime at last"]
    assert room.fake.spent < 200


async def test_before_the_stream_begins_its_chat_costs_little(room: Chatroom) -> None:
    room.fake.live = False
    room.clock.plan(HOUR, lambda: room.fake.say("!anime early"))
    room.clock.plan(5 * HOUR, lambda: setattr(room.fake, "live", True))
    async with room.bot() as tube:
        room.clock.plan(4 * HOUR, lambda: early.extend([room.fake.spent, room.ledger.told[-1]["detail"]]))
        early: list[Any] = []
        await room.clock.run(5 * HOUR + 600)
        assert tube.quota.pause_s(4) < 10
    assert early[0] < 800
    assert early[1] == "The stream has not begun. Until then the chat is read every 120 s."
    assert room.texts == ["!anime early"]
    assert "detail" not in room.ledger.last


async def test_a_video_that_is_the_stream_opens_and_closes_the_show(room: Chatroom) -> None:
    room.fake.live = False
    room.clock.plan(HOUR, lambda: setattr(room.fake, "live", True))
    room.clock.plan(2 * HOUR, lambda: setattr(room.fake, "chat", None))
    async with room.bot(on_air=True):
        await room.clock.run(3 * HOUR)
    assert [news for news in room.heard if isinstance(news, OnAir)] == [OnAir(False), OnAir(True), OnAir(False)]


async def test_beside_twitch_a_video_opens_and_closes_nothing(room: Chatroom) -> None:
    room.clock.plan(HOUR, lambda: setattr(room.fake, "chat", None))
    await room.runs(2 * HOUR)
    assert room.heard == []


async def test_who_asked_long_ago_is_not_served_and_a_ban_still_counts(room: Chatroom) -> None:
    def return_after_hours() -> None:
        long_ago = room.clock.at - timedelta(minutes=16)
        room.fake.say("!anime long ago", at=long_ago)
        details = {"bannedUserDetails": {"channelId": JO}, "banType": "permanent"}
        room.fake.happens("userBannedEvent", by=MODERATOR, at=long_ago, userBannedDetails=details)
        paid = {"amountMicros": "5000000", "currency": "USD", "userComment": "!anime paid"}
        room.fake.happens("superChatEvent", by=MIKA, at=long_ago, superChatDetails=paid)
        room.fake.say("!anime now")

    room.clock.plan(HOUR, return_after_hours)
    await room.runs(HOUR + 60)
    assert [type(news) for news in room.heard] == [Banned, Supported, Line]
    assert room.texts == ["!anime now"]


async def test_what_was_paid_while_the_bot_was_started_again_counts_and_what_was_asked_does_not(
    room: Chatroom,
) -> None:
    def pay() -> None:
        paid = {"amountMicros": "5000000", "currency": "USD", "userComment": "!anime paid"}
        room.fake.happens("superChatEvent", by=MIKA, superChatDetails=paid)
        room.fake.say("!anime a cat")

    def away(seconds: float) -> None:
        room.clock.at += timedelta(seconds=seconds)
        room.clock.over.clear()

    pay()
    away(120)
    await room.runs(180)
    assert room.heard == []
    away(120)
    pay()
    away(120)
    await room.runs(500)
    assert [type(news) for news in room.heard] == [Supported]
    away(120)
    await room.runs(700)
    assert len(room.heard) == 1


async def test_the_channel_is_told(room: Chatroom) -> None:
    await room.runs(60)
    assert (room.ledger.last["state"], room.ledger.last["channel"]) == ("listening", CHANNEL)
    assert "detail" not in room.ledger.last


@pytest.mark.parametrize(
    "given",
    [
        VIDEO,
        f"https://www.youtube.com/watch?v={VIDEO}",
        f"https://www.youtube.com/watch?app=desktop&v={VIDEO}&t=3s",
        f"https://youtu.be/{VIDEO}?si=abc",
        f"https://www.youtube.com/live/{VIDEO}?feature=share",
        f"https://studio.youtube.com/video/{VIDEO}/livestreaming",
        f" {VIDEO}\n",
    ],
)
def test_a_video_is_known_by_any_of_its_addresses(given: str) -> None:
    assert video_id(given) == VIDEO


@pytest.mark.parametrize("given", ["", "https://www.youtube.com/@streamer", "https://www.youtube.com/watch?list=x"])
def test_an_address_without_a_video_names_none(given: str) -> None:
    assert video_id(given) is None
