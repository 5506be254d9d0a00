"""The pot on a real Valkey: who may put what into it, and when it is poured."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from sakuga import store
from sakuga.errors import MessageRetracted, ViewerBanned
from sakuga.event import EventType
from sakuga.events import Events
from sakuga.moderation import Moderation
from sakuga.pot import Pot, PotLine, PotPolicy, credited
from sakuga.pots import Joined, Pots
from sakuga.retraction import Retractions
from sakuga.session import Sessions
from tests.fakes.valkey import Valkey

LONG = PotPolicy(seconds=3600)
ROOM = 300


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[store.Client]:
    client = store.connect(valkey.url)
    yield client
    await client.aclose()


@pytest.fixture
def pots(redis: store.Client) -> Pots:
    return Pots(redis)


def said(words: str, login: str = "mika", *, message: str = "") -> PotLine:
    called = [f"twitch:id-{login}", f"twitch:{login}"]
    return PotLine(
        viewer=called[0],
        called=called,
        platform="twitch",
        login=login,
        name=login.title(),
        words=words,
        message=f"twitch:{message}" if message else "",
    )


async def add(pots: Pots, words: str, login: str = "mika", policy: PotPolicy = LONG, **more: str) -> Joined:
    key = more.pop("key", "")
    return await pots.join(said(words, login, **more), policy, room=ROOM, key=key)


async def run_out(redis: store.Client) -> None:
    """Let the clock of the open pot have run out."""
    await redis.hset(store.POT, "closes_at", "1")


async def present(pots: Pots) -> Pot:
    pot = await pots.now()
    assert pot is not None
    return pot


async def words_of(pots: Pots) -> list[str]:
    return [line.words for line in (await present(pots)).lines]


async def test_the_first_opens_a_pot_and_each_viewer_has_one_line_at_their_place_the_last_counts(pots: Pots) -> None:
    assert await pots.now() is None
    told = [
        await add(pots, words, login)
        for words, login in (("a cat", "mika"), ("neon rain", "jo"), ("two “cats”\n{}", "mika"), ("[]", "aki"))
    ]
    assert told == ["opened", "joined", "joined", "joined"]
    assert await words_of(pots) == ["two “cats”\n{}", "neon rain", "[]"]
    pot = await present(pots)
    assert (pot.state, pot.names) == ("open", ["Mika", "Jo", "Aki"])
    assert pot.closes_at - pot.opened_at == pytest.approx(3600)


async def test_the_same_key_is_the_same_line(pots: Pots) -> None:
    assert await add(pots, "a cat", key="m-1") == "opened"
    assert await add(pots, "a dog", key="m-1") == "again"
    assert await words_of(pots) == ["a cat"]


async def test_nothing_is_poured_before_the_clock_has_run_out_and_nobody_joins_after(
    pots: Pots, redis: store.Client
) -> None:
    await add(pots, "a cat")
    await add(pots, "neon rain", "jo")
    assert await pots.close(LONG) is None
    await run_out(redis)
    assert await add(pots, "a dog", "aki") == "due"
    first, again = await pots.close(LONG), await pots.close(LONG)
    assert first is not None
    assert first == again
    assert first.state == "pouring"
    assert [line.words for line in first.lines] == ["a cat", "neon rain"]
    assert await add(pots, "a dog", "aki") == "due"


async def test_what_became_of_it_is_said_once_and_the_words_are_forgotten(pots: Pots, redis: store.Client) -> None:
    await add(pots, "a cat", message="m-1")
    await add(pots, "rain", "jo", message="m-2")
    await run_out(redis)
    pot = await pots.close(LONG)
    assert pot is not None
    verdicts = await asyncio.gather(*(pots.poured(pot, job_id="job_1") for _ in range(5)))
    assert sorted(verdicts) == ["ok", "over", "over", "over", "over"]
    now = await present(pots)
    assert (now.state, now.job_id, now.lines) == ("poured", "job_1", [])
    told = [event for event in await Events(redis).after("0-0") if event.type.startswith("pot.")]
    assert [event.type for event in told] == [EventType.POT_OPENED, EventType.POT_JOINED, EventType.POT_POURED]
    assert told[-1].data == {"pot_id": pot.id, "job_id": "job_1"}
    assert await add(pots, "a dog") == "opened"
    assert (await present(pots)).id != pot.id


async def test_with_too_few_viewers_the_clock_runs_a_second_time_and_no_more(pots: Pots, redis: store.Client) -> None:
    await add(pots, "a cat")
    await run_out(redis)
    assert await pots.close(LONG) is None
    assert await add(pots, "a bird") == "joined"
    assert (await present(pots)).closes_at > 3600
    await run_out(redis)
    pot = await pots.close(LONG)
    assert pot is not None
    assert [line.words for line in pot.lines] == ["a bird"]


async def test_the_last_for_whom_there_is_room_lets_it_be_poured(pots: Pots) -> None:
    small = PotPolicy(most=2, seconds=3600)
    assert [await add(pots, "a", login, small) for login in ("mika", "jo")] == ["opened", "joined"]
    assert await add(pots, "a", "aki", small) == "due"
    pot = await pots.close(small)
    assert pot is not None
    assert pot.names == ["Mika", "Jo"]


async def test_more_words_than_a_prompt_holds_wait_for_the_next_pot(pots: Pots) -> None:
    assert await add(pots, "a" * 149) == "opened"
    assert await add(pots, "b" * 149, "jo") == "joined"
    assert await add(pots, "c", "aki") == "due"
    pot = await pots.close(LONG)
    assert pot is not None
    assert len(", ".join(line.words for line in pot.lines)) == ROOM


async def test_whoever_is_kept_out_can_put_nothing_in_and_what_they_put_in_is_taken_out(
    pots: Pots, redis: store.Client
) -> None:
    for login in ("mika", "jo", "aki"):
        await add(pots, f"a cat of {login}", login)
    await Moderation(redis).ban("twitch:id-mika", by="alice")
    await Moderation(redis).ban("twitch:jo", by="alice")
    assert await words_of(pots) == ["a cat of aki"]
    for login in ("mika", "jo"):
        with pytest.raises(ViewerBanned):
            await add(pots, "a dog", login)


async def test_a_deleted_message_a_viewers_words_and_a_cleared_chat_leave_the_pot(
    pots: Pots, redis: store.Client
) -> None:
    for login in ("mika", "jo", "aki"):
        await add(pots, "a cat", login, message=f"m-{login}")
    retractions = Retractions(redis)
    await retractions.message("twitch", "m-mika", by="alice")
    assert (await present(pots)).names == ["Jo", "Aki"]
    with pytest.raises(MessageRetracted):
        await add(pots, "a cat", "mika", message="m-mika")
    await retractions.viewer("twitch:id-jo", by="alice")
    assert (await present(pots)).names == ["Aki"]
    await retractions.chat("twitch", by="alice")
    assert (await present(pots)).names == []


async def test_whoever_leaves_while_it_is_poured_is_noticed(pots: Pots, redis: store.Client) -> None:
    await add(pots, "a cat")
    await add(pots, "rain", "jo")
    await run_out(redis)
    pot = await pots.close(LONG)
    assert pot is not None
    await pots.leave("twitch:jo")
    assert await pots.poured(pot, job_id="job_1") == "left"
    assert await pots.poured(pot, reason="message_retracted") == "ok"
    now = await present(pots)
    assert (now.state, now.job_id, now.reason) == ("spilled", None, "message_retracted")


async def test_a_stream_that_ends_with_all_that_waits_ends_the_pot_too(pots: Pots, redis: store.Client) -> None:
    sessions = Sessions(redis)
    await sessions.begin(by="alice")
    await add(pots, "a cat")
    await sessions.end(by="alice", rest="cancel")
    assert (await present(pots)).lines == []


def test_everybody_is_credited_in_a_few_words() -> None:
    assert [credited([]), credited(["Mika"]), credited(["Mika", "Jo", "Aki", "Ren"])] == [
        "somebody",
        "Mika",
        "Mika + 3",
    ]
