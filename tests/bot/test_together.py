"""What viewers make of what is there and of each other's words, and what moderators set for the show."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot import pot
from bot.bench import Bench
from bot.desk import Desk
from bot.memory import Memory
from bot.moderators import Moderators
from bot.till import Till
from bot.watch import Watch
from sakuga.chat import ChatPolicy
from sakuga.gateway import Gateway
from sakuga.replies import Replies
from tests.bot.lines import Said, line
from tests.bot.paper_moderation import MODERATORS_KEY
from tests.bot.paper_pot import NOON_ENTRY, PaperPot

Making = Callable[[Memory], Desk]


@pytest.fixture
async def paper() -> AsyncIterator[PaperPot]:
    async with PaperPot() as gateway:
        yield gateway


@pytest.fixture
def spoken() -> asyncio.Event:
    """Set whenever something is said."""
    return asyncio.Event()


@pytest.fixture
async def make(
    paper: PaperPot, said: Said, spoken: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Making]:
    """Make desks that live until the test is over."""
    monkeypatch.setattr(pot, "LOOK_EVERY_S", 0.01)
    made: list[tuple[Desk, Watch]] = []

    def answer(text: str, message_id: str, name: str) -> None:
        said.append((text, message_id))
        spoken.set()

    async with (
        Gateway(paper.url) as gateway,
        Till(paper.url) as till,
        Moderators(paper.url, key=MODERATORS_KEY) as moderators,
    ):

        def desk(memory: Memory) -> Desk:
            replies = Replies()
            watch = Watch(gateway, answer, replies=replies, link=lambda _: None)
            given = {"replies": replies, "chat": ChatPolicy, "link": lambda _: None, "till": till, "memory": memory}
            made.append((Desk(gateway, watch, answer, bench=Bench(gateway, moderators, replies), **given), watch))
            return made[-1][0]

        yield desk
        for one, watch in made:
            await one.close()
            await watch.close()


@pytest.fixture
def desk(make: Making) -> Desk:
    return make(Memory())


async def next_said(said: Said, spoken: asyncio.Event) -> str:
    """Wait until something more is said, and return it."""
    async with asyncio.timeout(5):
        await spoken.wait()
    spoken.clear()
    return said[-1][0]


@pytest.mark.parametrize(
    ("text", "remix", "change"),
    [
        ("!remix", {}, ""),
        ("!remix in the snow", {}, "in the snow"),
        ("!remix #42", {"number": 42}, ""),
        ('!remix #42 "in the snow" --style neon', {"number": 42}, "in the snow"),
    ],
)
async def test_a_remix_reaches_the_gateway_with_its_cut_and_its_change(
    desk: Desk, paper: PaperPot, said: Said, text: str, remix: dict[str, int], change: str
) -> None:
    assert await desk.hear(line(text)) is True
    assert (paper.asked[0]["remix"], paper.asked[0]["prompt"]) == (remix, change)
    assert paper.asked[0].get("style") == ("neon" if "neon" in text else None)
    assert said == [("C-041 is next, about 20 s.", "m-1")]


async def test_a_remix_of_nothing_is_told_with_what_to_say(desk: Desk, paper: PaperPot, said: Said) -> None:
    paper.refuse_next(404, "remix_not_found", "-")
    assert await desk.hear(line("!remix #42")) is False
    assert said == [
        ("@Mika there is no such cut to draw anew. Say one that the gallery shows, as in !remix #42.", "m-1")
    ]


async def test_again_outlives_the_bot_and_remembers_what_was_remixed(
    make: Making, paper: PaperPot, tmp_path: Path
) -> None:
    with Memory(tmp_path / "bot.sqlite") as memory:
        await make(memory).hear(line("!remix #42 in the snow"))
    with Memory(tmp_path / "bot.sqlite") as memory:
        assert await make(memory).hear(line("!again", id="m-2")) is True
    assert paper.asked[1] == paper.asked[0] | {"message_id": "m-2"}


async def test_it_is_told_whether_a_line_became_a_request(desk: Desk, paper: PaperPot) -> None:
    paper.refuse_next(429, "queue_full", "-")
    heard = [
        await desk.hear(line(text, id=f"m-{number}"))
        for number, text in enumerate(
            ("!anime a cat", "!anime a cat", "!anime", "!again", "!queue", "!pos", "hello", "!anime+ a cat", "!so x")
        )
    ]
    assert heard == [False, True, False, True, None, None, None, None, None]


async def test_words_go_into_the_pot_and_everybody_learns_when_it_is_poured(
    desk: Desk, paper: PaperPot, said: Said, spoken: asyncio.Event
) -> None:
    await desk.hear(line("!anime+ a cat"))
    await desk.hear(line("!anime\uff0b neon rain", id="m-2", login="jo"))
    await desk.hear(line("!anime+", id="m-3", login="aki"))
    assert said == [
        ("@Mika a pot is open: !anime+ and a few words go in as well. It is drawn in about 40 s.", "m-1"),
        ("@Jo your words are in the pot. 2 viewers so far.", "m-2"),
        ("@Aki put a few words behind it, as in !anime+ a cat on the roof.", "m-3"),
    ]
    assert [(asked["words"], asked["key"], asked["message_id"]) for asked in paper.asked] == [
        ("a cat", "m-1", "m-1"),
        ("neon rain", "m-2", "m-2"),
    ]
    spoken.clear()
    job = paper.pour()
    assert await next_said(said, spoken) == "Mika + 1 asked together. C-041 is next, about 20 s."
    paper.finish(job["job_id"])
    assert await next_said(said, spoken) == "C-041 is ready. Look at the stream!"
    assert {message_id for _, message_id in said[3:]} == {"m-1"}


async def test_a_pot_that_was_followed_by_another_is_told_too(
    desk: Desk, paper: PaperPot, said: Said, spoken: asyncio.Event
) -> None:
    await desk.hear(line("!anime+ a cat"))
    paper.pour()
    await desk.hear(line("!anime+ a dog", id="m-2", login="jo"))
    async with asyncio.timeout(5):
        while ("Mika + 0 asked together. C-041 is next, about 20 s.", "m-1") not in said:
            spoken.clear()
            await spoken.wait()


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("queue_closed", "@Mika the studio takes no more requests right now. What waits is still drawn."),
        (None, "@Mika nothing came of the pot. Ask with !anime and a few words."),
    ],
)
async def test_of_a_pot_of_which_nothing_came_it_is_said_why(
    desk: Desk, paper: PaperPot, said: Said, spoken: asyncio.Event, reason: str | None, told: str
) -> None:
    await desk.hear(line("!anime+ a cat"))
    spoken.clear()
    paper.spill(reason)
    assert await next_said(said, spoken) == told


async def test_the_next_bot_tells_of_a_pot_that_the_last_one_had_filled(
    make: Making, paper: PaperPot, said: Said, spoken: asyncio.Event
) -> None:
    first = make(Memory())
    await first.hear(line("!anime+ a cat"))
    await first.close()
    spoken.clear()
    await make(Memory()).resume()
    paper.pour()
    assert await next_said(said, spoken) == "Mika + 0 asked together. C-041 is next, about 20 s."
    assert said[-1][1] == ""


async def test_a_bot_that_starts_before_the_gateway_does_not_mind(make: Making, paper: PaperPot) -> None:
    await paper.shut()
    await make(Memory()).resume()


async def test_a_gateway_that_is_away_meanwhile_is_asked_again(
    desk: Desk, paper: PaperPot, said: Said, spoken: asyncio.Event
) -> None:
    await desk.hear(line("!anime+ a cat"))
    spoken.clear()
    await paper.shut()
    paper.pour()
    await paper.open()
    assert await next_said(said, spoken) == "Mika + 0 asked together. C-041 is next, about 20 s."


async def test_credit_is_what_there_is_with_its_newest_changes(desk: Desk, paper: PaperPot, said: Said) -> None:
    await desk.hear(line("!credit"))
    changes = [(-200, "for C-012"), (500, "cheer"), (1, "gift"), (2, "raid")]
    entries = [NOON_ENTRY | {"bits": bits, "reason": reason} for bits, reason in changes]
    paper.purses["twitch:id-jo"] = {"bits": 303, "entries": entries}
    await desk.hear(line("!credit", id="m-2", login="jo"))
    assert said == [
        ("@Mika you have no bits for later. Those that a cut could not use are kept here.", "m-1"),
        ("@Jo you have 303 bits for your next cut (-200 for C-012, +500 cheer, +1 gift).", "m-2"),
    ]


@pytest.mark.parametrize(
    ("text", "body", "told"),
    [
        ("!style neon", {"style": "neon"}, "Cuts are drawn in neon from now on, until the stream ends."),
        ("!style off", {"style": None}, "Cuts are drawn in the studio's usual style again."),
        (
            "!character hana ren",
            {"characters": ["hana", "ren"]},
            "hana, ren will play from now on, until the stream ends.",
        ),
        ("!character off", {"characters": None}, "Nobody plays from now on unless a request names them."),
    ],
)
async def test_moderators_set_style_and_cast_for_the_show(
    desk: Desk, paper: PaperPot, said: Said, text: str, body: dict[str, object], told: str
) -> None:
    assert await desk.hear(line(text, roles=["moderator"])) is None
    assert paper.acts == [("twitch:mika", "/show", str(body))]
    assert said == [(told, "m-1")]


async def test_others_get_the_list_and_moderators_without_a_name_do_too(
    desk: Desk, paper: PaperPot, said: Said
) -> None:
    await desk.hear(line("!style neon", roles=["vip", "subscriber"]))
    desk._said.forget(("twitch", "style"))
    await desk.hear(line("!style", id="m-2", roles=["moderator"]))
    assert [text for text, _ in said] == ["Styles: anime, neon. Put --style and a name behind your words."] * 2
    assert paper.acts == []


async def test_a_style_that_does_not_exist_is_refused(desk: Desk, said: Said) -> None:
    await desk.hear(line("!style noir", roles=["broadcaster"]))
    assert said == [("@Mika this studio doesn't know that style. Take another one, or none.", "m-1")]
