import httpx

from sakuga import store
from sakuga.moderation import Moderation
from sakuga.queue import Queue
from tests.fakes.jobs import submitted


async def test_the_queue_lists_who_runs_and_who_waits_in_order_with_the_reasons(
    http: httpx.AsyncClient, redis: store.Client
) -> None:
    queue = Queue(redis)
    running = await submitted(queue)
    await queue.admit()
    late, early = await submitted(queue), await submitted(queue, credit_s=60)
    document = (await http.get("/queue")).json()
    assert (document["paused"], document["slots"], document["waiting_count"]) == (False, 1, 2)
    assert [job["job_id"] for job in document["running"]] == [running.id]
    assert [job["job_id"] for job in document["waiting"]] == [early.id, late.id]
    assert [job["queue_position"] for job in document["waiting"]] == [1, 2]
    first_s, second_s = (job["eta_seconds"] for job in document["waiting"])
    assert 6 <= first_s < second_s <= 14
    assert all(job["eta_seconds"] <= job["eta_p90_seconds"] for job in document["waiting"])
    assert document["waiting"][0]["credits"][0]["seconds"] == 60.0
    assert document["waiting"][0]["requested_by"]["display_name"] == "Mika"


async def test_a_paused_queue_says_so_and_promises_no_time(http: httpx.AsyncClient, redis: store.Client) -> None:
    await submitted(Queue(redis))
    await Moderation(redis).pause(by="alice")
    document = (await http.get("/queue")).json()
    assert document["paused"]
    assert document["waiting"][0]["eta_seconds"] is None


async def test_an_unchanged_queue_costs_a_304(http: httpx.AsyncClient, redis: store.Client) -> None:
    known = {"If-None-Match": (await http.get("/queue")).headers["ETag"]}
    assert (await http.get("/queue", headers=known)).status_code == 304
    await submitted(Queue(redis))
    assert (await http.get("/queue", headers=known)).status_code == 200
