"""What everybody reads, what passes in silence, and lines of any characters."""

import unicodedata
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.commands import MODERATORS
from bot.desk import Desk
from bot.line import Line
from sakuga.chat import ChatPolicy, CommandName, Commands
from sakuga.job import RequestedBy
from tests.bot.lines import Said, line
from tests.bot.paper_gateway import PaperGateway


async def test_lists_are_told_to_all_once_in_half_a_minute(desk: Desk, paper: PaperGateway, said: Said) -> None:
    besides = "!queue, !pos, !cancel, !again, !remix, !vote, !style, !character, !credit, !gallery, !help"
    for number, words in enumerate(("!style", "!styles", "!character", "!help", "!gallery", "!help")):
        await desk.hear(line(words, id=f"m-{number}"))
    assert said == [
        ("Styles: anime, neon. Put --style and a name behind your words.", "m-0"),
        ("No characters play here. Ask with !anime and a few words.", "m-2"),
        (f"Ask with !anime and a few words, or together with !anime+. Besides: {besides}", "m-3"),
        ("Nothing is drawn yet. Ask with !anime and a few words.", "m-4"),
    ]


async def test_a_list_that_failed_is_not_counted_as_told(desk: Desk, paper: PaperGateway, said: Said) -> None:
    paper.characters = [{"name": "hana", "title": "Hana"}]
    paper.refuse_next(503, "studio_not_ready", "-")
    await desk.hear(line("!characters"))
    await desk.hear(line("!characters", id="m-2", login="jo"))
    assert said[1:] == [("Characters: hana. Put --character and a name behind your words.", "m-2")]


async def test_the_gallery_is_a_link_where_viewers_can_open_it(
    desk: Desk, paper: PaperGateway, said: Said, address: dict[str, str]
) -> None:
    paper.fill(1)
    paper.finish(next(iter(paper.jobs)))
    await desk.hear(line("!gallery"))
    assert said[0][0] == "The newest clip is C-041, for Aki. The stream shows the gallery while nobody waits."
    desk._said.forget(("twitch", "gallery"))
    address["base"] = "https://studio.example"
    await desk.hear(line("!gallery"))
    assert said[1][0] == "All clips: https://studio.example/"


@pytest.mark.parametrize("name", sorted(MODERATORS))
@pytest.mark.parametrize("roles", [[], ["subscriber"], ["vip"], ["founder"]])
async def test_moderators_commands_of_others_pass_in_silence(
    desk: Desk, paper: PaperGateway, said: Said, name: str, roles: list[str]
) -> None:
    await desk.hear(line(f"!{name} #41", roles=roles))
    assert (said, paper.requests) == ([], [])


async def test_without_a_key_for_it_a_moderator_is_told_what_is_missing(desk: Desk, said: Said) -> None:
    await desk.hear(line("!pause", roles=["moderator"]))
    assert said[0][0].startswith("@Mika the bot has no moderator's key that works.")


async def test_words_changed_in_the_studio_file_count_at_once(
    desk: Desk, paper: PaperGateway, said: Said, chat: dict[str, ChatPolicy]
) -> None:
    chat["now"] = ChatPolicy(
        prefix="?",
        commands=Commands(queue=("schlange",)),
        texts={"queue.empty": "Niemand wartet. {anime} und ein Satz."},
    )
    await desk.hear(line("!queue"))
    await desk.hear(line("?schlange"))
    assert said == [("Niemand wartet. ?anime und ein Satz.", "m-1")]


UNSAFE = {*"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ud800\x00"}
WORDS = st.sampled_from([f"!{word}" for word in get_args(CommandName)])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(word=WORDS, rest=st.text(st.characters(exclude_categories=("Cs",)), max_size=40), name=st.text(max_size=64))
async def test_no_line_breaks_the_desk_or_is_heard_in_its_answer(
    desk: Desk, paper: PaperGateway, said: Said, word: str, rest: str, name: str
) -> None:
    said.clear()
    secret = f"{rest} zebra-crossing"
    who = RequestedBy(
        platform="twitch", id=str(len(paper.requests)), login="mika", display_name=name, roles=["moderator"]
    )
    await desk.hear(Line(f"m-{len(paper.requests)}", f"{word} {secret}", who))
    for text, _ in said:
        assert len(text) <= 450
        assert "zebra" not in text
        assert not UNSAFE & {*text}
        assert not any(unicodedata.category(sign) in {"Cc", "Cs"} for sign in text)


async def test_what_one_chat_was_told_is_told_the_other_too(desk: Desk, said: Said) -> None:
    youtube = RequestedBy(platform="youtube", id="UC1", login="aki", display_name="Aki")
    await desk.hear(line("!help"))
    await desk.hear(Line("youtube-1", "!help", youtube))
    await desk.hear(line("!help", id="m-2", login="jo"))
    assert [message_id for _, message_id in said] == ["m-1", "youtube-1"]
