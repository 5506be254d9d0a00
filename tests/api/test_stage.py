import httpx
import pytest

from sakuga import store
from sakuga.clip import Clip
from sakuga.queue import Queue
from tests.fakes.jobs import submitted


async def test_a_fresh_stage_is_idle(http: httpx.AsyncClient) -> None:
    document = (await http.get("/stage")).json()
    assert (document["state"], document["clip"], document["cooking"], document["next"]) == ("idle", None, [], [])


async def test_what_is_put_on_air_is_on_air_with_its_clip_and_end(http: httpx.AsyncClient, stored_clip: Clip) -> None:
    answer = await http.put("/stage", json={"state": "result", "clip_id": stored_clip.id, "seconds": 5})
    assert answer.status_code == 200
    document = (await http.get("/stage")).json()
    assert (document["state"], document["clip"]["clip_id"], document["revision"]) == ("result", stored_clip.id, 1)
    assert document["until"] > document["since"]
    assert document["last_result"] == stored_clip.id


async def test_a_sign_of_life_does_not_begin_the_clip_again(http: httpx.AsyncClient, stored_clip: Clip) -> None:
    await http.put("/stage", json={"state": "result", "clip_id": stored_clip.id, "seconds": 5})
    before = (await http.get("/stage")).json()
    await http.put("/stage", json={"state": "result", "clip_id": stored_clip.id})
    after = (await http.get("/stage")).json()
    assert (after["since"], after["until"], after["revision"]) == (before["since"], before["until"], before["revision"])


async def test_the_stage_shows_the_first_five_and_who_is_drawn(http: httpx.AsyncClient, redis: store.Client) -> None:
    jobs = [await submitted(Queue(redis)) for _ in range(8)]
    await Queue(redis).admit()
    document = (await http.get("/stage")).json()
    assert document["cooking"] == [jobs[0].id]
    assert [job["job_id"] for job in document["next"]] == [job.id for job in jobs[1:6]]
    assert document["waiting_count"] == 7


async def test_an_unchanged_stage_costs_a_304_though_time_goes_by(http: httpx.AsyncClient) -> None:
    known = {"If-None-Match": (await http.get("/stage")).headers["ETag"]}
    assert (await http.get("/stage", headers=known)).status_code == 304


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"state": "party"}, 422, "request_invalid"),
        ({"state": "result"}, 422, "request_invalid"),
        ({"state": "idle", "clip_id": "clip_1"}, 422, "request_invalid"),
        ({"state": "result", "clip_id": "clip_nobody"}, 404, "clip_not_found"),
        ({"state": "idle", "seconds": 0}, 422, "request_invalid"),
    ],
)
async def test_what_can_not_be_shown_is_refused(http: httpx.AsyncClient, body: object, status: int, code: str) -> None:
    answer = await http.put("/stage", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
