"""What can go wrong with YouTube's live chat: each is told, waited out as it should be, and nothing is missed."""

import asyncio
import logging
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from bot.memory import Memory
from tests.bot.youtube.chatroom import HOUR, Chatroom
from tests.fakes.youtube import API_KEY, VIDEO


async def test_a_token_that_youtube_does_not_know_any_more_costs_nothing_and_repeats_nothing(room: Chatroom) -> None:
    room.clock.plan(20, lambda: room.fake.say("!anime one"))
    room.clock.plan(60, lambda: setattr(room.fake, "edition", 2))
    room.clock.plan(61, lambda: room.fake.say("!anime two"))
    await room.runs(120)
    assert room.texts == ["!anime one", "!anime two"]


async def test_a_quota_that_others_used_up_is_waited_for_until_midnight_in_california(room: Chatroom) -> None:
    room.clock.plan(100, lambda: setattr(room.fake, "limit", 0))
    room.clock.plan(13 * HOUR, lambda: setattr(room.fake, "limit", 10_000))
    midnight = room.clock.start + timedelta(hours=14)
    room.clock.plan(14 * HOUR + 60, lambda: room.fake.say("!anime good morning"))
    with capture_logs() as logs:
        await room.runs(14 * HOUR + 120)
    [spent] = [line for line in logs if line["event"] == "youtube.quota_spent"]
    assert (spent["used"], spent["resets_at"]) == (10_000, midnight.isoformat())
    [away] = [how for how in room.ledger.told if "used up" in how.get("detail", "")]
    assert (away["state"], away["quota"]["used"]) == ("away", 10_000)
    assert away["detail"] == "The day's quota is used up. It begins anew at 08:00 UTC."
    asked = room.fake.asked_for("/liveChat/messages")
    assert not [at for at in asked if room.clock.start + timedelta(seconds=120) < at < midnight]
    assert room.texts == ["!anime good morning"]
    assert room.ledger.last["state"] == "listening"


async def test_who_is_told_to_slow_down_slows_down_and_loses_nothing(room: Chatroom) -> None:
    room.clock.plan(30, lambda: room.fake.next_errors.extend([(403, "rateLimitExceeded")] * 3))
    room.clock.plan(31, lambda: room.fake.say("!anime one"))
    await room.runs(120)
    assert room.texts == ["!anime one"]
    assert [pause for pause in room.clock.slept if pause in (4, 8, 16)] == [4, 8, 16]
    assert {how["state"] for how in room.ledger.told} == {"away", "listening"}


@pytest.mark.parametrize("reason", [(403, "liveChatEnded"), (403, "liveChatDisabled"), (404, "liveChatNotFound")])
async def test_a_chat_that_is_over_is_looked_for_again(room: Chatroom, reason: tuple[int, str]) -> None:
    room.clock.plan(20, lambda: room.fake.next_errors.append(reason))
    room.clock.plan(25, lambda: room.fake.say("!anime again"))
    async with room.bot():
        await room.fake.wait_for(lambda: len(room.fake.asked_for("/videos")) == 2)
        await room.clock.run(90)
    assert room.texts == ["!anime again"]
    assert room.ledger.last["state"] == "listening"


async def test_while_youtube_is_away_it_is_asked_less_and_less_and_nothing_is_missed(room: Chatroom) -> None:
    room.clock.plan(40, lambda: room.fake.next_errors.extend([(503, "")] * 4))
    room.clock.plan(45, lambda: room.fake.say("!anime meanwhile"))
    with capture_logs() as logs:
        await room.runs(300)
    assert room.texts == ["!anime meanwhile"]
    lost = [line for line in logs if line["event"] == "youtube.unreachable"]
    assert [(line["error"], line["retry_s"]) for line in lost] == [("503", 2), ("503", 4), ("503", 8), ("503", 16)]


async def test_a_server_that_is_gone_is_told_and_found_again(room: Chatroom) -> None:
    async with room.bot():
        await room.fake.wait_for(lambda: room.fake.asked_for("/liveChat/messages"))
        await room.fake.shut()
        while room.ledger.last.get("detail") != "YouTube is not answering. It is asked again.":  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        await room.fake.open()
        room.fake._may_poll_at = None
        room.fake.say("!anime back", at=room.clock.at)
        asked = len(room.fake.asked)
        await room.fake.wait_for(lambda: len(room.fake.asked) > asked + 1)
    assert room.texts == ["!anime back"]


async def test_a_key_that_youtube_refuses_is_told_with_the_reason(room: Chatroom) -> None:
    with capture_logs() as logs:
        await room.runs(HOUR, youtube_api_key="wrong-key-wrong-key")
    assert room.ledger.last["state"] == "revoked"
    assert "API_KEY_INVALID" in room.ledger.last["detail"]
    assert "SAKUGA_YOUTUBE_API_KEY" in room.ledger.last["detail"]
    [first, *rest] = [line for line in logs if line["event"] == "youtube.refused"]
    assert (first["status"], first["reason"], first["help"]) == (400, "API_KEY_INVALID", "docs/how-to/youtube.md")
    assert len(rest) < 15
    assert "wrong-key" not in str(logs)


async def test_the_key_is_in_no_address_and_in_no_log(room: Chatroom, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with capture_logs() as logs:
        await room.runs(60)
    assert room.fake.urls
    assert caplog.records
    for place in (str(room.fake.urls), caplog.text, str(logs), str(room.ledger.told)):
        assert API_KEY not in place


async def test_a_video_that_is_not_there_is_told(room: Chatroom) -> None:
    room.fake.exists = False
    await room.runs(60)
    assert room.ledger.last["detail"] == f"There is no video {VIDEO}: check SAKUGA_YOUTUBE_VIDEO."


async def test_an_address_that_names_no_video_is_told_and_nothing_is_asked(room: Chatroom) -> None:
    await room.runs(60, youtube_video="https://www.youtube.com/@streamer")
    assert "holds no video" in room.ledger.last["detail"]
    assert room.fake.asked == []


async def test_a_gateway_that_is_away_does_not_stop_the_reading(room: Chatroom) -> None:
    room.ledger.away = True
    room.clock.plan(20, lambda: room.fake.say("!anime one"))
    await room.runs(60)
    assert room.texts == ["!anime one"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"youtube_api_key": None, "youtube_video": None}, []),
        ({"youtube_api_key": None}, ["SAKUGA_YOUTUBE_API_KEY"]),
        ({"youtube_video": None}, ["SAKUGA_YOUTUBE_VIDEO"]),
    ],
)
async def test_without_key_and_video_it_waits_and_half_of_it_is_explained(
    room: Chatroom, given: dict[str, object], said: list[str]
) -> None:
    with capture_logs() as logs:
        async with room.bot(**given):
            await asyncio.sleep(0)
    assert [line["missing"] for line in logs] == said
    assert room.fake.asked == room.ledger.told == []


async def test_a_key_that_was_pasted_with_quotes_is_told_like_any_wrong_one_and_shows_nowhere(room: Chatroom) -> None:
    with capture_logs() as logs:
        await room.runs(60, youtube_api_key="\u201cAIza-secret\u201d")
    [refused] = [line for line in logs if line["event"] == "youtube.refused"]
    assert (refused["status"], refused["reason"]) == (401, "API_KEY_INVALID")
    assert room.ledger.last["state"] == "revoked"
    assert "AIza" not in str(logs)


async def test_what_nobody_thought_of_costs_a_line_and_not_the_bot(
    room: Chatroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    def heard(key: str) -> bool:
        if key.endswith("textMessageEvent odd"):
            raise ZeroDivisionError
        return Memory.heard(room.memory, key)

    monkeypatch.setattr(room.memory, "heard", heard)
    room.clock.plan(20, lambda: room.fake.say("!anime odd", id="odd"))
    room.clock.plan(40, lambda: room.fake.say("!anime fine"))
    with capture_logs() as logs:
        await room.runs(120)
    assert [line["error"] for line in logs if line["event"] == "youtube.stumbled"] == ["ZeroDivisionError in heard"]
    assert room.texts == ["!anime fine"]
