import re
import string

import pytest

from bot import replies
from sakuga.errors import GatewayRefused, GatewayUnreachable, RenderError, RequestRefused, SakugaError
from sakuga.gateway import AcceptedJob, JobDocument, QueueDocument
from sakuga.job import JobStatus


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
    return replies.refused(error, name="Mika", prefix="!")


@pytest.mark.parametrize("error", [*leaves(RequestRefused), *leaves(RenderError), GatewayUnreachable])
def test_every_error_that_reaches_a_viewer_has_a_sentence(error: type[SakugaError]) -> None:
    assert error.code in replies.SENTENCES


@pytest.mark.parametrize("key", replies.SENTENCES)
def test_every_sentence_fits_in_chat_with_the_longest_names(key: str) -> None:
    fields = {field for _, field, _, _ in string.Formatter().parse(replies.SENTENCES[key]) if field}
    assert fields <= {"name", "prefix", "wait", "cut", "place", "eta", "progress", "link", "waiting", "running", "next"}
    said = replies.say(key, **dict.fromkeys(fields, "x" * 64))
    assert len(said) <= 450
    assert "prompt" not in fields


@pytest.mark.parametrize("key", replies.SENTENCES)
def test_no_sentence_could_be_taken_for_a_command(key: str) -> None:
    assert re.match(r"[A-Z@{]", replies.SENTENCES[key])


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
    assert replies.listed(queue, prefix="!") == said


def test_an_empty_queue_invites() -> None:
    queue = QueueDocument(paused=False, slots=1, waiting_count=0)
    assert replies.listed(queue, prefix="?") == "Nobody is waiting. Ask with ?anime and a few words."


def test_a_long_answer_is_cut_to_what_chat_takes() -> None:
    error = GatewayRefused(status=400, reason="odd", sentence="long " * 200)
    said = replies.refused(error, name="Mika", prefix="!")
    assert len(said) == 450
    assert said.endswith("…")


@pytest.mark.parametrize(
    ("number", "said"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (112, "112th"), (23, "23rd")]
)
def test_ordinals(number: int, said: str) -> None:
    assert replies.ordinal(number) == said
