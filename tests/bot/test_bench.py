"""What moderators write in chat, against a gateway that wants the moderator's key and remembers who acted."""

from collections.abc import AsyncIterator

import pytest

from bot.bench import Bench
from bot.commands import parse
from bot.line import Line
from bot.moderators import Moderators
from sakuga.chat import ChatPolicy
from sakuga.errors import GatewayRefused
from sakuga.gateway import Gateway
from sakuga.job import RequestedBy
from sakuga.replies import Replies
from tests.bot.paper_gateway import PaperGateway
from tests.bot.paper_moderation import MODERATORS_KEY


def line(text: str, **more: object) -> Line:
    alice = RequestedBy(platform="twitch", id="1", login="alice", display_name="Alice", roles=["moderator"])
    return Line("m-1", text, alice, **more)


@pytest.fixture
async def bench(paper: PaperGateway, gateway: Gateway) -> AsyncIterator[Bench]:
    async with Moderators(paper.url, key=MODERATORS_KEY) as moderators:
        yield Bench(gateway, moderators, Replies())


async def obey(bench: Bench, text: str, **more: object) -> str:
    said = line(text, **more)
    bench.notice(said)
    command = parse(text, ChatPolicy())
    assert command is not None
    return await bench.act(said, command)


@pytest.mark.parametrize(
    ("text", "said", "path", "body"),
    [
        ("!promote #42", "C-042 is next.", "/jobs/JOB", "{'position': 'top'}"),
        ("!demote C-042", "C-042 is last.", "/jobs/JOB", "{'position': 'bottom'}"),
        ("!hold 42", "C-042 is held until !approve.", "/jobs/JOB/hold", "{}"),
        ("!skip #42", "C-042 was taken off the list.", "/jobs/JOB/cancel", "{}"),
        ("!pause", "The queue is paused: nobody begins until !resume.", "/queue/pause", "{}"),
        ("!resume", "The queue goes on.", "/queue/resume", "{}"),
        ("!open", "The queue is open. Ask with !anime and a few words.", "/queue/open", "{}"),
        ("!close", "The queue is closed. What waits is still drawn.", "/queue/close", "{}"),
        ("!clear", "7 cuts taken off the list.", "/queue/clear", "{}"),
        ("!dump", "The stage is dark until !undump.", "/stage/dump", "{}"),
        ("!undump", "The stage goes on.", "/stage/release", "{}"),
    ],
)
async def test_it_is_done_in_the_name_of_the_moderator(
    bench: Bench, paper: PaperGateway, text: str, said: str, path: str, body: str
) -> None:
    paper.fill(3)
    assert await obey(bench, text) == said
    assert paper.acts == [("twitch:alice", path.replace("JOB", f"job_{42:026d}"), body)]


async def test_what_is_held_is_approved_by_its_number_or_the_next(bench: Bench, paper: PaperGateway) -> None:
    paper.fill(3)
    for text in ("!hold #41", "!hold #43"):
        await obey(bench, text)
    assert await obey(bench, "!approve #42") == "@Alice C-042 is not on the list."
    assert (await obey(bench, "!approve #43")).startswith("C-043 is next")
    assert (await obey(bench, "!approve")).startswith("C-041 is next")
    assert await obey(bench, "!approve") == "@Alice nothing is held."


async def test_skip_alone_stops_what_is_being_drawn(bench: Bench, paper: PaperGateway) -> None:
    paper.fill(2)
    assert await obey(bench, "!skip") == "@Alice nothing is being drawn."
    paper.jobs[f"job_{41:026d}"]["status"] = "rendering"
    assert await obey(bench, "!skip") == "C-041 is being stopped."
    assert [act[1] for act in paper.acts] == [f"/jobs/job_{41:026d}/cancel"]


async def test_which_cut_must_be_said_and_be_there(bench: Bench, paper: PaperGateway) -> None:
    assert await obey(bench, "!promote the cat") == "@Alice say which cut, as in !promote #42."
    assert await obey(bench, "!hold") == "@Alice say which cut, as in !hold #42."
    assert await obey(bench, "!skip #99") == "@Alice C-099 is not on the list."
    assert paper.acts == []


async def test_a_switch_that_stood_so_already_is_told(bench: Bench) -> None:
    await obey(bench, "!pause")
    assert await obey(bench, "!pause") == "@Alice that is so already."


async def test_who_was_mentioned_or_heard_is_banned_by_id(bench: Bench, paper: PaperGateway) -> None:
    assert await obey(bench, "!ban") == "@Alice say whom, as in !ban @name."
    assert (await obey(bench, "!ban @jo")).startswith("@Alice the bot has not heard of them.")
    assert await obey(bench, "!ban @Jo", mentioned={"jo": "twitch:3001"}) == "jo may not ask any more; 1 cut stopped."
    bench.notice(Line("m-2", "hello", RequestedBy(platform="twitch", id="3002", login="aki", display_name="Aki")))
    await obey(bench, "!ban aki")
    assert [body for _, _, body in paper.acts] == [
        "{'viewer': 'twitch:3001', 'reason': 'by chat'}",
        "{'viewer': 'twitch:3002', 'reason': 'by chat'}",
    ]


async def test_a_name_that_fits_in_no_header_is_given_by_id(bench: Bench, paper: PaperGateway) -> None:
    writer = RequestedBy(platform="youtube", id="UC_x-1", login="\u30a2\u30ea\u30b9", roles=["moderator"])
    command = parse("!pause", ChatPolicy())
    assert command is not None
    await bench.act(Line("m-1", "!pause", writer), command)
    assert [who for who, _, _ in paper.acts] == ["youtube:UC_x-1"]


async def test_the_budget_is_told_in_dollars(bench: Bench) -> None:
    assert await obey(bench, "!budget") == "$1.27 spent in this stream ($3.73 left), $2.50 today."


async def test_too_late_is_the_gateways_to_say(bench: Bench, paper: PaperGateway) -> None:
    paper.fill(1)
    paper.jobs[f"job_{41:026d}"]["status"] = "rendering"
    with pytest.raises(GatewayRefused) as caught:
        await obey(bench, "!promote #41")
    assert caught.value.reason == "job_not_waiting"


async def test_a_key_that_was_revoked_is_told_like_one_that_is_missing(paper: PaperGateway, gateway: Gateway) -> None:
    async with Moderators(paper.url, key="sk_revoked") as moderators:
        for bench in (Bench(gateway, moderators, Replies()), Bench(gateway, None, Replies())):
            assert (await obey(bench, "!pause")).startswith("@Alice the bot has no moderator's key that works.")
    assert paper.acts == []


async def test_a_name_means_the_viewer_of_the_chat_that_it_is_said_in(bench: Bench, paper: PaperGateway) -> None:
    jo = RequestedBy(platform="twitch", id="3001", login="jo")
    for message_id, viewer in (("m-2", jo), ("y-1", jo.model_copy(update={"platform": "youtube", "id": "UC1"}))):
        bench.notice(Line(message_id, "hello", viewer))
    await obey(bench, "!ban @jo")
    assert "twitch:3001" in str(paper.acts)
    assert "youtube" not in str(paper.acts)
