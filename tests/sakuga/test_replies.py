import re
import unicodedata
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sakuga.chat import ChatPolicy, CommandName, Commands
from sakuga.errors import GatewayRefused, GatewayUnreachable, RenderError, RequestRefused, SakugaError
from sakuga.gateway import AcceptedJob, JobDocument, QueueDocument
from sakuga.job import JobStatus
from sakuga.replies import Replies, fields_of, fitting, ordinal
from sakuga.sentences import SENTENCES, WORDS

replies = Replies()
FILLED = {
    "name", "wait", "cut", "place", "eta", "progress", "link", "waiting", "running", "next", "votes", "command",
    "names", "author", "commands", "count", "login", "session", "session_left", "day", "day_left", "newest",
    "said",
}  # fmt: skip
"""What sentences are filled with: names, numbers and words of the studio, never a prompt."""


def leaves(kind: type[SakugaError]) -> list[type[SakugaError]]:
    return [leaf for child in kind.__subclasses__() for leaf in (leaves(child) or [child])]


def job(**changes: object) -> JobDocument:
    fields = {
        "job_id": "job_1",
        "number": 42,
        "cut": "C-042",
        "status": "queued",
        "requested_by": {"platform": "twitch"},
    }
    return JobDocument.model_validate(fields | changes)


def refusal(code: str, **data: float) -> str:
    error = GatewayRefused(status=429, reason=code, sentence="The studio's own words.", **data)
    return replies.refused(error, name="Mika")


@pytest.mark.parametrize("error", [*leaves(RequestRefused), *leaves(RenderError), GatewayUnreachable])
def test_every_error_that_reaches_a_viewer_has_a_sentence(error: type[SakugaError]) -> None:
    assert error.code in SENTENCES


@pytest.mark.parametrize("error", leaves(RequestRefused))
def test_every_refusal_is_said_to_who_asked(error: type[SakugaError]) -> None:
    said = refusal(error.code, retry_after_s=7)
    assert said.startswith("@Mika ")
    assert "{" not in said


@pytest.mark.parametrize("key", SENTENCES)
def test_every_sentence_fits_in_chat_with_the_longest_names(key: str) -> None:
    fields = fields_of(SENTENCES[key]) - {*get_args(CommandName)}
    assert fields <= FILLED
    long = dict.fromkeys(fields, "x" * 64) | {"names": "x" * 330, "commands": "x" * 330}
    assert len(SENTENCES[key].format(**long, **{name: f"!{name}" for name in get_args(CommandName)})) <= 450
    assert len(replies.say(key, **{field: long[field] for field in fields})) <= 450


@pytest.mark.parametrize("key", SENTENCES)
def test_no_sentence_could_be_taken_for_a_command(key: str) -> None:
    assert re.match(r"[A-Z@{]", SENTENCES[key])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"queue_position": 3, "eta_seconds": 140}, "C-042 is 3rd, about 2 min."),
        ({"queue_position": 1, "eta_seconds": 38}, "C-042 is next, about 40 s."),
        ({"queue_position": 12, "eta_seconds": None}, "C-042 is 12th."),
        ({"status": "held"}, "C-042 waits for a moderator to look at it."),
        ({"status": "rendering", "progress": 62.4, "eta_seconds": 4}, "C-042 is being drawn (62 %), a few seconds."),
        ({"status": "starting", "eta_seconds": 7200}, "C-042 is being drawn, about 2 h."),
    ],
)
def test_a_place_is_said_as_people_say_it(changes: dict[str, object], said: str) -> None:
    assert replies.place(job(**changes)) == said


def test_an_answer_to_a_request_has_a_place_too() -> None:
    accepted = AcceptedJob(job_id="job_1", number=42, cut="C-042", status=JobStatus.QUEUED, queue_position=2)
    assert replies.place(accepted) == "C-042 is 2nd."


def test_a_refusal_says_when_to_come_back_if_the_gateway_knows() -> None:
    assert refusal("queue_full") == "@Mika the queue is full. Ask again in a few minutes."
    assert refusal("queue_full", retry_after_s=140) == "@Mika the queue is full. Ask again in about 2 min."


def test_a_code_that_the_table_lacks_is_explained_in_the_gateways_words() -> None:
    assert refusal("cooldown_of_tomorrow") == "@Mika The studio's own words."


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"status": "succeeded"}, "C-042 is ready: https://studio.example/v"),
        ({"status": "failed", "error": {"code": "render_timed_out", "message": "-"}}, "C-042 took too long and was"),
        ({"status": "failed", "error": {"code": "queue_full", "message": "-"}}, "C-042 could not be drawn."),
        ({"status": "failed"}, "C-042 could not be drawn."),
        ({"status": "cancelled"}, "C-042 was taken off the list."),
        ({"status": "rejected"}, "C-042 was turned down by a moderator."),
        ({"status": "expired"}, "C-042 waited too long and was taken off the list."),
    ],
)
def test_every_end_has_its_own_words(changes: dict[str, object], said: str) -> None:
    assert replies.ended(job(**changes), link="https://studio.example/v").startswith(said)


def test_without_a_public_address_viewers_are_sent_to_the_stream() -> None:
    assert replies.ended(job(status="succeeded"), link=None) == "C-042 is ready. Look at the stream!"


def test_the_queue_is_listed_without_prompts() -> None:
    aki = {"platform": "twitch", "display_name": "Aki"}
    queue = QueueDocument(
        paused=True,
        slots=1,
        waiting_count=9,
        running=(job(cut="C-039", status="rendering", progress=62),),
        waiting=tuple(job(cut=f"C-04{n}", requested_by=aki) for n in range(5)),
    )
    said = "The queue is paused. 9 waiting. C-039 is being drawn (62 %). Next: C-040 Aki, C-041 Aki, C-042 Aki."
    assert replies.listed(queue) == said


def test_an_empty_queue_invites() -> None:
    queue = QueueDocument(paused=False, slots=1, waiting_count=0)
    assert (
        Replies(lambda: ChatPolicy(prefix="?")).listed(queue) == "Nobody is waiting. Ask with ?anime and a few words."
    )


def test_a_long_answer_is_cut_to_what_chat_takes() -> None:
    error = GatewayRefused(status=400, reason="odd", sentence="long " * 200)
    said = replies.refused(error, name="Mika")
    assert len(said) == 450
    assert said.endswith("…")


@pytest.mark.parametrize(
    ("number", "said"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (112, "112th"), (23, "23rd")]
)
def test_ordinals(number: int, said: str) -> None:
    assert ordinal(number) == said


@pytest.mark.parametrize("status", JobStatus)
def test_every_state_of_a_job_has_a_sentence(status: JobStatus) -> None:
    state = job(status=status, queue_position=2)
    assert replies.ended(state, link=None) if state.terminal else replies.place(state)


def test_the_studio_file_says_things_its_own_way_and_a_mistake_there_is_named_and_not_said() -> None:
    texts = {"job.held": "{cut} wartet auf {approve}.", "job.expired": "{prompt} ist zu alt.", "nonsense": "Hm."}
    ours = Replies(lambda: ChatPolicy(texts=texts, commands=Commands(approve=("ja",))))
    assert ours.place(job(status="held")) == "C-042 wartet auf !ja."
    assert ours.ended(job(status="expired"), link=None).startswith("C-042 waited too long")
    assert ours.mistakes() == ["job.expired", "nonsense"]


def test_help_names_the_commands_that_are_not_turned_off() -> None:
    said = Replies(lambda: ChatPolicy(prefix="?", commands=Commands(anime=("draw",), vote=(), help=()))).helped()
    assert said == (
        "Ask with ?draw and a few words, or together with ?draw+. Besides: ?queue, ?pos, ?cancel, ?again, ?remix, "
        "?style, ?character, ?credit, ?gallery"
    )


def test_of_many_names_some_are_told() -> None:
    assert replies.some(["a", "b"]) == "a, b"
    told = replies.some(f"name-{number}" for number in range(100))
    assert len(told) < 330
    assert told.endswith(f" and {100 - told.count(',') - 1} more")


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_nothing_unsafe_is_ever_said(text: str) -> None:
    for said in (fitting(text), replies.say("prompt_empty", name=text), refusal_in(text)):
        assert len(said) <= 450
        assert not any(unicodedata.category(sign) in {"Cc", "Cs"} for sign in said)
        assert not {*"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"} & {*said}


def refusal_in(words: str) -> str:
    return replies.refused(GatewayRefused(status=400, reason="odd", sentence=words), name=words)


@pytest.mark.parametrize("name", ["/ban mika", ". /me", "/./mods"])
def test_a_name_that_an_answer_begins_with_is_no_command_to_twitch(name: str) -> None:
    said = replies.say("pot.poured", author=name, said="C-042 is next.")
    assert not said.startswith(("/", ".", " "))
    assert said.endswith("asked together. C-042 is next.")


@pytest.mark.parametrize("key", [key for key, sentence in SENTENCES.items() if sentence.startswith("@{name} ")])
def test_a_sentence_to_a_viewer_ends_so_that_another_can_follow(key: str) -> None:
    assert SENTENCES[key].endswith((".", "{said}")), "as in: Your points come back."


def test_places_times_and_numbers_can_be_said_in_another_language() -> None:
    german = {
        "job.queued": "{cut} ist {place}{eta}.",
        "cooling_down": "@{name} einer nach dem anderen: frag {wait} wieder.",
        "word.next": "als nächstes dran",
        "word.nth": "auf Platz {number}",
        "word.seconds": "etwa {count} s",
        "word.minutes": "etwa {count} min",
        "word.at_most": "{eta}, höchstens {most}",
        "word.in": "in {eta}",
        "word.votes": "{count} Stimmen",
        "word.more": "{names} und {count} weitere",
    }
    spoken = Replies(lambda: ChatPolicy(texts=german))
    assert spoken.mistakes() == []
    waiting = job(queue_position=3, eta_seconds=50, eta_p90_seconds=130, eta_text="about 50 s, at most 130")
    assert spoken.place(waiting) == "C-042 ist auf Platz 3, etwa 50 s, höchstens etwa 2 min."
    assert spoken.place(job(queue_position=1, eta_seconds=50, eta_p90_seconds=52)) == (
        "C-042 ist als nächstes dran, etwa 50 s."
    )
    assert spoken.counted(4, "vote") == "4 Stimmen"
    assert "und " in spoken.some(f"name-{number}" for number in range(100))
    error = GatewayRefused(status=429, reason="cooling_down", sentence="-", retry_after_s=20)
    assert spoken.refused(error, name="Mika") == "@Mika einer nach dem anderen: frag in etwa 20 s wieder."


def test_without_words_of_their_own_the_gateways_words_for_an_eta_stand() -> None:
    waiting = job(queue_position=3, eta_seconds=50, eta_p90_seconds=130, eta_text="about 50 s, at most 130")
    assert replies.place(waiting) == "C-042 is 3rd, about 50 s, at most 130."


def test_a_word_that_is_filled_with_what_it_does_not_have_is_named_and_not_used() -> None:
    spoken = Replies(lambda: ChatPolicy(texts={"word.votes": "{count} of {all}", "word.next": "{anime}"}))
    assert spoken.mistakes() == ["word.votes", "word.next"]
    assert spoken.counted(2, "vote") == "2 votes"


@pytest.mark.parametrize("key", WORDS)
def test_every_word_is_named_so_and_can_be_filled(key: str) -> None:
    assert key.startswith("word.")
    assert key not in SENTENCES
    assert WORDS[key].format(**dict.fromkeys(fields_of(WORDS[key]), "x"))
