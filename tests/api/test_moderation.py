"""What moderators do to the whole queue, by REST."""

import httpx
import pytest

from sakuga import store
from sakuga.queue import Queue
from tests.fakes.jobs import submitted


@pytest.fixture
def queue(redis: store.Client) -> Queue:
    return Queue(redis)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_the_queue_is_paused_closed_and_opened_and_says_so(
    moderator: httpx.AsyncClient, http: httpx.AsyncClient
) -> None:
    first = (await moderator.post("/queue/pause")).json()
    assert first == {"open": True, "paused": True, "draining": False, "changed": True}
    assert not (await moderator.post("/queue/pause")).json()["changed"]
    assert (await moderator.post("/queue/resume")).json()["paused"] is False
    assert (await moderator.post("/queue/close")).json()["open"] is False
    assert (await http.get("/queue")).json()["open"] is False
    refused = await http.post("/generate", json={"prompt": "cat"})
    assert code(refused) == (503, "queue_closed")
    assert refused.headers["Retry-After"]
    assert (await moderator.post("/queue/open")).json()["open"] is True
    assert (await http.post("/generate", json={"prompt": "cat"})).status_code == 202


async def test_draining_takes_no_more(moderator: httpx.AsyncClient) -> None:
    state = (await moderator.post("/queue/drain")).json()
    assert (state["open"], state["paused"], state["draining"]) == (False, False, True)


async def test_clearing_ends_what_waits(moderator: httpx.AsyncClient, queue: Queue) -> None:
    for _ in range(3):
        await submitted(queue)
    assert (await moderator.post("/queue/clear")).json() == {"cancelled": 3}
    assert (await moderator.get("/queue")).json()["waiting_count"] == 0


async def test_a_ban_keeps_out_and_ends_what_waits(
    moderator: httpx.AsyncClient, http: httpx.AsyncClient, queue: Queue
) -> None:
    job = await submitted(queue, viewer="7")
    asked = {"prompt": "cat", "requested_by": {"platform": "twitch", "id": "7", "login": "troll"}}
    banned = await moderator.post("/bans", json={"viewer": "twitch:7", "minutes": 10, "reason": "spam"})
    assert banned.status_code == 201
    assert banned.json()["cancelled"] == [job.id]
    assert code(await http.post("/generate", json=asked)) == (403, "viewer_banned")
    (listed,) = (await moderator.get("/bans")).json()["bans"]
    assert (listed["viewer"], listed["by"], listed["reason"]) == ("twitch:7", "alice", "spam")
    for _ in range(2):
        assert (await moderator.delete("/bans/twitch:7")).status_code == 204
    assert (await http.post("/generate", json=asked)).status_code == 202


async def test_what_was_done_is_listed_and_taken_back(moderator: httpx.AsyncClient, queue: Queue) -> None:
    jobs = [await submitted(queue) for _ in range(2)]
    await moderator.patch(f"/jobs/{jobs[1].id}", json={"position": 1, "reason": "guest"})
    (act,) = (await moderator.get("/audit")).json()["acts"]
    assert (act["act"]["type"], act["act"]["by"], act["act"]["job_id"], act["undoable"]) == (
        "job.amended",
        "alice",
        jobs[1].id,
        True,
    )
    assert "girl" not in (await moderator.get("/audit")).text
    assert (await moderator.post(f"/audit/{act['act_id']}/undo")).json()["undone"]
    assert [job["number"] for job in (await moderator.get("/queue")).json()["waiting"]] == [1, 2]
    assert code(await moderator.post(f"/audit/{act['act_id']}/undo")) == (409, "act_undone")
    assert code(await moderator.post("/audit/1-1/undo")) == (404, "act_not_found")


async def test_the_stage_is_dumped_and_given_back(moderator: httpx.AsyncClient, http: httpx.AsyncClient) -> None:
    await http.put("/stage", json={"state": "cooking"})
    assert (await moderator.post("/stage/dump")).json()["state"] == "dumped"
    assert (await http.put("/stage", json={"state": "cooking"})).json()["state"] == "dumped"
    assert (await moderator.post("/stage/release")).json()["state"] == "idle"


async def test_sessions_begin_and_end(http: httpx.AsyncClient) -> None:
    assert (await http.get("/session")).json()["session_id"] is None
    began = (await http.post("/session/begin")).json()
    assert (began["live"], (await http.post("/session/begin")).json()) == (True, began)
    ended = (await http.post("/session/end")).json()
    assert (ended["session_id"], ended["live"]) == (began["session_id"], False)
    assert (await http.post("/session/begin")).json()["session_id"] != began["session_id"]


async def test_a_chat_votes_and_the_winner_moves_up(http: httpx.AsyncClient, queue: Queue) -> None:
    assert (await http.get("/ballots")).json() == {"ballot": None}
    for _ in range(5):
        await submitted(queue)
    opened = await http.post("/ballots")
    assert opened.status_code == 201
    assert [choice["cut"] for choice in opened.json()["choices"]] == ["C-002", "C-003", "C-004"]
    assert code(await http.post("/ballots")) == (409, "ballot_open")
    for viewer in ("twitch:1", "twitch:2"):
        await http.post("/votes", json={"viewer": viewer, "choice": "3"})
    assert code(await http.post("/votes", json={"viewer": "twitch:1", "choice": "9"})) == (422, "choice_unknown")
    closed = (await http.delete("/ballots")).json()
    assert (closed["state"], closed["winner"]) == ("closed", opened.json()["choices"][2]["job_id"])
    assert (await http.get("/queue")).json()["waiting"][0]["number"] == 4
