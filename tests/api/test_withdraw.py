"""A viewer takes back the own job, by the bot."""

import httpx
import pytest

from sakuga import store
from sakuga.audit import Audit
from sakuga.event import EventType
from sakuga.events import Events
from sakuga.queue import Queue
from tests.fakes.jobs import submitted


@pytest.fixture
def queue(redis: store.Client) -> Queue:
    return Queue(redis)


async def withdrawn(http: httpx.AsyncClient, job_id: str, viewer: str) -> tuple[int, str]:
    answer = await http.post(f"/jobs/{job_id}/withdraw", json={"viewer": viewer})
    document = answer.json()
    return answer.status_code, document["status"] if answer.is_success else document["error"]["code"]


async def test_who_asked_takes_the_own_job_off_the_list_and_may_say_so_twice(
    http: httpx.AsyncClient, queue: Queue, redis: store.Client
) -> None:
    job = await submitted(queue)
    assert job.viewer
    assert await withdrawn(http, job.id, job.viewer) == (200, "cancelled")
    assert await withdrawn(http, job.id, job.viewer) == (200, "cancelled")
    assert (await http.get("/queue")).json()["waiting_count"] == 0
    told = [event.type for event in await Events(redis).after("0-0")]
    assert told.count(EventType.JOB_CANCELLED) == 1
    assert await Audit(redis).latest() == []


async def test_somebody_elses_job_stays(http: httpx.AsyncClient, queue: Queue) -> None:
    job = await submitted(queue)
    assert await withdrawn(http, job.id, "twitch:somebody-else") == (403, "job_not_theirs")
    assert await withdrawn(http, job.id, "nobody") == (422, "request_invalid")
    assert await withdrawn(http, "job_none", "twitch:1") == (404, "job_not_found")
    assert (await http.get("/queue")).json()["waiting_count"] == 1
