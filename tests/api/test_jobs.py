"""What moderators do to one job, by REST."""

import httpx
import pytest

from api.state import State
from sakuga import store
from sakuga.gate_policy import GatePolicy
from sakuga.job import Job, JobStatus
from sakuga.queue import Queue, Terms
from tests.fakes.jobs import submitted


@pytest.fixture
def queue(redis: store.Client) -> Queue:
    return Queue(redis)


async def cuts(http: httpx.AsyncClient) -> list[int]:
    return [job["number"] for job in (await http.get("/queue")).json()["waiting"]]


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_a_job_is_moved_by_place_and_the_credit_has_the_name_of_the_key(
    moderator: httpx.AsyncClient, queue: Queue
) -> None:
    jobs = [await submitted(queue) for _ in range(3)]
    answer = await moderator.patch(f"/jobs/{jobs[2].id}", json={"position": "top", "reason": "guest"})
    assert answer.status_code == 200
    document = answer.json()
    assert (document["queue_position"], document["revision"]) == (1, 2)
    assert [(credit["reason"], credit["by"]) for credit in document["credits"]] == [("guest", "alice")]
    await moderator.patch(f"/jobs/{jobs[2].id}", json={"position": "bottom"})
    assert await cuts(moderator) == [1, 2, 3]
    await moderator.patch(f"/jobs/{jobs[0].id}", json={"position": 2})
    assert await cuts(moderator) == [2, 1, 3]
    await moderator.patch(f"/jobs/{jobs[2].id}", json={"credit_seconds": 600})
    assert await cuts(moderator) == [3, 2, 1]


async def test_a_change_that_is_sent_again_under_its_key_is_made_once(
    moderator: httpx.AsyncClient, queue: Queue
) -> None:
    job = await submitted(queue)
    once = {"Idempotency-Key": "console-1"}
    for _ in range(2):
        answer = await moderator.patch(f"/jobs/{job.id}", json={"credit_seconds": 60}, headers=once)
    assert [credit["seconds"] for credit in answer.json()["credits"]] == [60]
    other = await moderator.patch(f"/jobs/{job.id}", json={"credit_seconds": 90}, headers=once)
    assert code(other) == (409, "key_reused")


async def test_a_lane_brings_its_head_start(moderator: httpx.AsyncClient, queue: Queue) -> None:
    await submitted(queue)
    job = await submitted(queue)
    document = (await moderator.patch(f"/jobs/{job.id}", json={"lane": "sub"})).json()
    assert (document["lane"], document["queue_position"]) == ("sub", 1)


async def test_words_are_changed_while_it_waits_and_are_checked_like_a_viewers(
    moderator: httpx.AsyncClient, queue: Queue
) -> None:
    job = await submitted(queue)
    document = (await moderator.patch(f"/jobs/{job.id}", json={"prompt": " robot  cat "})).json()
    assert document["prompt"] == "robot cat"
    assert code(await moderator.patch(f"/jobs/{job.id}", json={"prompt": " "})) == (422, "prompt_empty")
    assert code(await moderator.patch(f"/jobs/{job.id}", json={"engine": "nobody"})) == (422, "engine_unknown")


async def test_doubtful_words_of_a_moderator_are_held_in_the_step_that_writes_them(
    moderator: httpx.AsyncClient, studio: State, queue: Queue, redis: store.Client
) -> None:
    studio.file._catalog = studio.catalog.model_copy(update={"gate": GatePolicy(hold=("clown",))})
    job = await submitted(queue)
    document = (await moderator.patch(f"/jobs/{job.id}", json={"prompt": "a clown", "position": 1})).json()
    assert (document["status"], document["prompt"], document["revision"]) == ("held", "a clown", 2)
    assert document["held_for"]
    assert await queue.admit() == 0
    events = [entry["type"] for _, entry in await redis.xrange(store.EVENTS)]
    assert events == ["job.queued", "job.edited", "job.held"]


@pytest.mark.parametrize(
    "wanted",
    [{"position": 0}, {"position": 1, "credit_seconds": 5}, {"lane": "king"}, {"position": "middle"}, {"x": 1}],
)
async def test_a_change_that_makes_no_sense_is_refused(
    moderator: httpx.AsyncClient, queue: Queue, wanted: dict[str, object]
) -> None:
    job = await submitted(queue)
    assert code(await moderator.patch(f"/jobs/{job.id}", json=wanted)) == (422, "request_invalid")


async def test_too_late_is_409_with_the_present_state(moderator: httpx.AsyncClient, queue: Queue) -> None:
    job = await submitted(queue)
    seen = {"If-Match": '"1"'}
    assert (await moderator.patch(f"/jobs/{job.id}", json={"credit_seconds": 5}, headers=seen)).status_code == 200
    late = await moderator.patch(f"/jobs/{job.id}", json={"credit_seconds": 5}, headers=seen)
    assert code(late) == (409, "job_changed")
    assert "queued" in late.json()["error"]["message"]
    wrong = await moderator.patch(f"/jobs/{job.id}", json={"credit_seconds": 5}, headers={"If-Match": "latest"})
    assert code(wrong) == (422, "request_invalid")
    await queue.admit()
    assert code(await moderator.patch(f"/jobs/{job.id}", json={"position": 1})) == (409, "job_not_waiting")
    assert code(await moderator.post(f"/jobs/{job.id}/hold")) == (409, "job_not_waiting")
    assert code(await moderator.patch("/jobs/job_nobody", json={"position": 1})) == (404, "job_not_found")


async def test_holding_shows_the_words_to_moderators_only_and_approving_lets_it_wait(
    moderator: httpx.AsyncClient, http: httpx.AsyncClient, queue: Queue
) -> None:
    job = await submitted(queue)
    held = (await moderator.post(f"/jobs/{job.id}/hold", json={"reason": "let me see"})).json()
    assert (held["status"], held["held_for"], held["prompt"]) == ("held", "let me see", job.prompt)
    seen = (await http.get(f"/status/{job.id}")).json()
    assert (seen["status"], seen["prompt"]) == ("held", "")
    assert [each["job_id"] for each in (await moderator.get("/held")).json()["jobs"]] == [job.id]
    assert (await moderator.post(f"/jobs/{job.id}/approve")).json()["status"] == "queued"
    assert await cuts(http) == [1]


async def test_a_rejected_job_shows_nobody_its_words(
    moderator: httpx.AsyncClient, http: httpx.AsyncClient, queue: Queue
) -> None:
    job = await submitted(queue, Terms(held_for="word list: hold"))
    assert (await moderator.post(f"/jobs/{job.id}/reject")).json()["status"] == "rejected"
    seen = (await http.get(f"/status/{job.id}")).json()
    assert (seen["prompt"], seen["error"]["code"]) == ("", "prompt_refused")


async def test_cancelling_is_idempotent_and_says_how_far_it_has_come(
    moderator: httpx.AsyncClient, queue: Queue, redis: store.Client
) -> None:
    await queue.configure(slots=1)
    running, waiting = await submitted(queue), await submitted(queue)
    await queue.admit()
    await redis.set(f"arq:in-progress:{running.id}", "worker_1")
    for _ in range(2):
        assert (await moderator.post(f"/jobs/{running.id}/cancel")).json()["status"] == "cancelling"
        assert (await moderator.post(f"/jobs/{waiting.id}/cancel")).json()["status"] == "cancelled"
    assert code(await moderator.post("/jobs/job_nobody/cancel")) == (404, "job_not_found")


async def test_what_was_cancelled_is_tried_again_once(moderator: httpx.AsyncClient, queue: Queue) -> None:
    job = await submitted(queue)
    assert code(await moderator.post(f"/jobs/{job.id}/retry")) == (409, "job_not_ended")
    await moderator.post(f"/jobs/{job.id}/cancel")
    again = (await moderator.post(f"/jobs/{job.id}/retry")).json()
    assert (again["status"], again["requested_at"]) == ("queued", (await _status(moderator, job))["requested_at"])
    assert (await moderator.post(f"/jobs/{job.id}/retry")).json()["job_id"] == again["job_id"]


async def _status(http: httpx.AsyncClient, job: Job) -> dict[str, object]:
    document: dict[str, object] = (await http.get(f"/status/{job.id}")).json()
    return document


async def test_votes_for_a_waiting_job_come_by_the_bot(http: httpx.AsyncClient, queue: Queue) -> None:
    job = await submitted(queue)
    for viewer in ("twitch:1", "twitch:1", "twitch:2"):
        answer = await http.post(f"/jobs/{job.id}/upvote", json={"viewer": viewer})
    assert answer.json() == {"job_id": job.id, "votes": 2}
    assert code(await http.post(f"/jobs/{job.id}/upvote", json={"viewer": "nobody"})) == (422, "request_invalid")


async def test_a_viewers_jobs_are_listed_for_moderators(moderator: httpx.AsyncClient, queue: Queue) -> None:
    jobs = [await submitted(queue, viewer="7") for _ in range(2)]
    await queue.cancel(jobs[0].id)
    found = (await moderator.get("/viewers/twitch:7/jobs")).json()["jobs"]
    assert [(job["job_id"], job["status"]) for job in found] == [
        (jobs[1].id, JobStatus.QUEUED),
        (jobs[0].id, JobStatus.CANCELLED),
    ]


async def test_the_status_says_in_words_and_numbers_why_a_job_stands_where_it_stands(
    moderator: httpx.AsyncClient, queue: Queue, studio: State
) -> None:
    job = await submitted(queue, credit_s=300)
    await moderator.patch(f"/jobs/{job.id}", json={"credit_seconds": -60, "reason": "later please"})
    document = (await moderator.get("/queue")).json()["waiting"][0]
    assert document["explanation"].startswith("test +300 s, later please \u221260 s, asked ")
    assert document["bound_seconds"] == round(studio.catalog.most_credit_s - 240)
