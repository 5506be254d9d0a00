"""What viewers ask for themselves, against a gateway on paper."""

import pytest

from bot.desk import Desk
from tests.bot.lines import Said, line
from tests.bot.paper_gateway import PaperGateway


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
    assert asked.pop("message_id") == "m-1"
    assert asked == {"prompt": "a cat", "style": "neon", "characters": ["hana", "ren"], "preset": "draft"}
    await desk.hear(line("!anime a cat", id="m-2"))
    assert set(paper.asked[1]) == {"prompt", "requested_by", "message_id"}


async def test_a_bare_command_is_answered_with_an_example_and_asks_nobody(
    desk: Desk, paper: PaperGateway, said: Said
) -> None:
    await desk.hear(line("!anime"))
    assert said == [("@Mika say what to draw: !anime girl with sword, neon rain, for example.", "m-1")]
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


async def test_a_cooldown_is_told_once_until_it_is_over_and_again_after_the_next_request(
    desk: Desk, paper: PaperGateway, said: Said
) -> None:
    for number in range(3):
        paper.refuse_next(429, "cooling_down", "-", Retry_After="140")
        await desk.hear(line("!anime a cat", id=f"m-{number}"))
    await desk.hear(line("!anime a cat", id="m-3"))
    paper.refuse_next(429, "cooling_down", "-", Retry_After="20")
    await desk.hear(line("!anime a cat", id="m-4"))
    assert said == [
        ("@Mika one at a time: ask again in about 2 min.", "m-0"),
        ("C-041 is next, about 20 s.", "m-3"),
        ("@Mika one at a time: ask again in about 20 s.", "m-4"),
    ]


@pytest.mark.parametrize("words", ["!cancel", "!remove #42", "!cancel C-042"])
async def test_a_viewer_takes_the_own_cut_off_the_list_and_is_told_once(
    desk: Desk, paper: PaperGateway, said: Said, words: str
) -> None:
    paper.fill(1)
    await desk.hear(line("!anime a cat"))
    await desk.hear(line(words, id="m-2"))
    await desk.hear(line("!cancel", id="m-3"))
    assert said[1:] == [
        ("C-042 was taken off the list.", "m-2"),
        ("@Mika you have no cut on the list. Ask with !anime and a few words.", "m-3"),
    ]
    assert [job["status"] for job in paper.jobs.values()] == ["queued", "cancelled"]


async def test_a_held_cut_can_be_taken_back_too(desk: Desk, paper: PaperGateway, said: Said) -> None:
    await desk.hear(line("!anime a cat"))
    next(iter(paper.jobs.values()))["status"] = "held"
    await desk.hear(line("!cancel", id="m-2"))
    assert said[1:] == [("C-041 was taken off the list.", "m-2")]


async def test_a_cut_that_is_being_drawn_is_stopped(desk: Desk, paper: PaperGateway, said: Said) -> None:
    await desk.hear(line("!anime a cat"))
    next(iter(paper.jobs.values()))["status"] = "rendering"
    await desk.hear(line("!cancel", id="m-2"))
    assert said[1:] == [("C-041 is being stopped.", "m-2")]


async def test_nobody_takes_another_ones_cut_off_the_list(desk: Desk, paper: PaperGateway, said: Said) -> None:
    paper.fill(1)
    await desk.hear(line("!cancel #41"))
    await desk.hear(line("!cancel #99", id="m-2"))
    assert said == [
        ("@Mika somebody else asked for that cut. Only they or a moderator can take it off the list.", "m-1"),
        ("@Mika C-099 is not on the list.", "m-2"),
    ]
    assert [job["status"] for job in paper.jobs.values()] == ["queued"]


async def test_a_vote_on_the_ballot_is_passed_on_and_only_answered_when_it_did_not_count(
    desk: Desk, paper: PaperGateway, said: Said
) -> None:
    paper.fill(3)
    await desk.hear(line("!vote 2"))
    assert (paper.asked, said) == ([{"viewer": "twitch:id-mika", "choice": "2"}], [])
    paper.refuse_next(409, "ballot_not_open", "-")
    await desk.hear(line("!vote 2", id="m-2"))
    assert said == [("@Mika there is nothing to vote on right now.", "m-2")]


async def test_a_vote_for_a_cut_is_counted_and_its_count_is_told_once_in_a_while(
    desk: Desk, paper: PaperGateway, said: Said
) -> None:
    paper.fill(2)
    for number, login in enumerate(("mika", "jo", "aki")):
        await desk.hear(line("!vote #42", id=f"m-{number}", login=login))
    await desk.hear(line("!vote", id="m-8"))
    await desk.hear(line("!vote #99", id="m-9"))
    assert len(paper.votes[f"job_{42:026d}"]) == 3
    assert said == [
        ("C-042 has 1 vote.", "m-0"),
        ("@Mika say !vote 1, 2 or 3, or !vote #42 for a cut that waits.", "m-8"),
        ("@Mika C-099 is not on the list.", "m-9"),
    ]


async def test_again_asks_for_the_own_last_words_once_more(desk: Desk, paper: PaperGateway, said: Said) -> None:
    await desk.hear(line("!again"))
    await desk.hear(line("!anime a cat --style neon", id="m-2"))
    await desk.hear(line("!anime a dog", id="m-3", login="jo"))
    await desk.hear(line("!again", id="m-4", bits=100))
    assert [(asked["prompt"], asked.get("style")) for asked in paper.asked] == [
        ("a cat", "neon"),
        ("a dog", None),
        ("a cat", "neon"),
    ]
    assert paper.asked[2]["requested_by"]["bits"] == 100
    assert said[0] == ("@Mika the bot remembers no words of yours. Ask with !anime and say them.", "m-1")


async def test_each_cut_that_is_not_there_is_told_of(desk: Desk, said: Said) -> None:
    for number in (8, 9, 9):
        await desk.hear(line(f"!cancel #{number}", id=f"m-{number}"))
    assert [message_id for _, message_id in said] == ["m-8", "m-9"]
