from collections.abc import AsyncIterator

import pytest

from bot.desk import Desk
from bot.line import Line
from bot.watch import Watch
from sakuga.gateway import Gateway
from sakuga.job import RequestedBy
from tests.bot.paper_gateway import PaperGateway

Said = list[tuple[str, str]]


def line(text: str, *, id: str = "m-1", login: str = "mika", bits: int = 0) -> Line:
    who = RequestedBy(platform="twitch", id=f"id-{login}", login=login, display_name=login.title(), bits=bits)
    return Line(id, text, who)


@pytest.fixture
def said() -> Said:
    return []


@pytest.fixture
async def desk(gateway: Gateway, said: Said) -> AsyncIterator[Desk]:
    def answer(text: str, message_id: str) -> None:
        said.append((text, message_id))

    watch = Watch(gateway, answer, link=lambda path: path)
    yield Desk(gateway, watch, answer, prefix="!")
    await watch.close()


async def test_a_request_reaches_the_gateway_with_who_asked_and_the_message_as_key(
    desk: Desk, paper: PaperGateway, said: Said
) -> None:
    paper.fill(2)
    await desk.hear(line('!anime "a cat"', bits=300))
    await desk.hear(line('!anime "a cat"', bits=300))
    assert said == [("C-043 is 3rd, about 60 s.", "m-1")] * 2
    assert len(paper.jobs) == 3
    await desk.hear(line('!anime "a cat"', id="m-2"))
    assert len(paper.jobs) == 4
    assert paper.asked[0]["prompt"] == "a cat"
    expected = {
        "platform": "twitch",
        "id": "id-mika",
        "login": "mika",
        "display_name": "Mika",
        "roles": [],
        "bits": 300,
    }
    assert paper.asked[0]["requested_by"] == expected


async def test_style_characters_and_preset_reach_the_gateway_when_they_are_named(
    desk: Desk, paper: PaperGateway, said: Said
) -> None:
    await desk.hear(line("!anime a cat --character hana --character ren --preset draft --style neon"))
    asked = {name: wish for name, wish in paper.asked[0].items() if name != "requested_by"}
    assert asked == {"prompt": "a cat", "style": "neon", "characters": ["hana", "ren"], "preset": "draft"}
    await desk.hear(line("!anime a cat", id="m-2"))
    assert set(paper.asked[1]) == {"prompt", "requested_by"}


async def test_a_bare_command_is_answered_with_an_example_and_asks_nobody(
    desk: Desk, paper: PaperGateway, said: Said
) -> None:
    await desk.hear(line("!anime"))
    assert said == [("@Mika say what to draw, like this: !anime girl with sword, neon rain", "m-1")]
    assert paper.requests == []


async def test_a_refusal_is_told_to_each_viewer_once_in_a_while(desk: Desk, paper: PaperGateway, said: Said) -> None:
    for number in range(3):
        paper.refuse_next(429, "queue_full", "-", Retry_After="140")
        await desk.hear(line("!anime a cat", id=f"m-{number}"))
    paper.refuse_next(429, "queue_full", "-")
    await desk.hear(line("!anime a cat", id="m-9", login="jo"))
    assert said == [
        ("@Mika the queue is full. Ask again in about 2 min.", "m-0"),
        ("@Jo the queue is full. Ask again in a few minutes.", "m-9"),
    ]


async def test_a_gateway_that_is_away_is_one_kind_sentence(desk: Desk, paper: PaperGateway, said: Said) -> None:
    await paper.shut()
    await desk.hear(line("!anime a cat"))
    await desk.hear(line("!pos", id="m-2"))
    assert said == [("@Mika the studio is not answering right now. Ask again in a minute.", "m-1")]


async def test_the_queue_is_told_to_all_once_in_half_a_minute(desk: Desk, paper: PaperGateway, said: Said) -> None:
    paper.fill(2)
    await desk.hear(line("!queue"))
    await desk.hear(line("!queue", id="m-2", login="jo"))
    assert said == [("2 waiting. Next: C-041 Aki, C-042 Aki.", "m-1")]


async def test_the_place_is_that_of_the_viewers_newest_cut(desk: Desk, paper: PaperGateway, said: Said) -> None:
    await desk.hear(line("!anime a cat", id="m-1"))
    await desk.hear(line("!anime a dog", id="m-2"))
    await desk.hear(line("!anime a fox", id="m-3", login="jo"))
    await desk.hear(line("!pos", id="m-4"))
    await desk.hear(line("!pos", id="m-5", login="aki"))
    assert said[3:] == [
        ("C-042 is 2nd, about 40 s.", "m-4"),
        ("@Aki you have no cut on the list. Ask with !anime and a few words.", "m-5"),
    ]


async def test_other_lines_pass_in_silence(desk: Desk, paper: PaperGateway, said: Said) -> None:
    for text in ("hello", "!so mika", "!animelist", ""):
        await desk.hear(line(text))
    assert (said, paper.requests) == ([], [])
