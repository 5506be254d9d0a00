import httpx
import pytest

from sakuga import store
from sakuga.engine import Cost, Progress
from sakuga.errors import RenderFailed
from sakuga.job import Job
from sakuga.lifecycle import Lifecycle
from sakuga.queue import Queue
from tests.fakes.jobs import clip, submitted


@pytest.fixture
async def rendering(redis: store.Client, worker: None) -> Job:
    """A job that is half drawn, with a preview."""
    queue, lifecycle = Queue(redis), Lifecycle(redis)
    job = await submitted(queue)
    await queue.admit()
    job = job.model_copy(update={"attempt": 1, "handle": "h"})
    await lifecycle.begin_attempt(job)
    await lifecycle.progress(job, Progress(sequence=12, stage="denoise", fraction=0.5, preview=b"\xff\xd8jpeg"))
    return job


async def test_a_waiting_job_has_a_place_an_eta_and_a_hint_when_to_ask_again(
    http: httpx.AsyncClient, redis: store.Client
) -> None:
    await submitted(Queue(redis))
    job = await submitted(Queue(redis))
    document = (await http.get(f"/status/{job.id}")).json()
    assert (document["status"], document["stage"], document["progress"]) == ("queued", "waiting", 0)
    assert (document["queue_position"], document["poll_after_ms"]) == (2, 1000)
    assert 6 <= document["eta_seconds"] <= 10
    assert document["eta_seconds"] < document["eta_p90_seconds"] <= 20
    assert document["eta_text"].startswith("a few seconds")
    assert document["video_url"] is document["error"] is document["preview_url"] is None


async def test_a_running_job_has_progress_stage_and_a_preview(http: httpx.AsyncClient, rendering: Job) -> None:
    document = (await http.get(f"/status/{rendering.id}")).json()
    assert (document["status"], document["stage"], document["progress"]) == ("rendering", "denoise", 50)
    assert document["queue_position"] is None
    assert document["eta_seconds"] >= 1
    preview = await http.get(document["preview_url"])
    assert preview.headers["Content-Type"] == "image/jpeg"
    assert preview.content == b"\xff\xd8jpeg"


async def test_while_another_engine_draws_than_was_asked_for_it_is_the_one_that_is_named(
    http: httpx.AsyncClient, redis: store.Client, rendering: Job
) -> None:
    report = Progress(sequence=13, stage="denoise", fraction=0.6, engine="ltx-video-2b")
    await Lifecycle(redis).progress(rendering, report)
    assert (await http.get(f"/status/{rendering.id}")).json()["engine"] == "ltx-video-2b"
    assert (await http.get("/queue")).json()["running"][0]["engine"] == "ltx-video-2b"


async def test_an_unchanged_job_costs_a_304_and_a_changed_one_does_not(
    http: httpx.AsyncClient, redis: store.Client
) -> None:
    first, job = await submitted(Queue(redis)), await submitted(Queue(redis))
    answer = await http.get(f"/status/{job.id}")
    known = {"If-None-Match": answer.headers["ETag"]}
    unchanged = await http.get(f"/status/{job.id}", headers=known)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    await Queue(redis).cancel(first.id)
    changed = await http.get(f"/status/{job.id}", headers=known)
    assert (changed.status_code, changed.json()["queue_position"]) == (200, 1)


async def test_a_finished_job_has_its_clip_and_needs_no_more_polls(
    http: httpx.AsyncClient, redis: store.Client, rendering: Job
) -> None:
    lifecycle = Lifecycle(redis)
    await lifecycle.finish(rendering)
    await lifecycle.succeed(rendering, clip(1, job_id=rendering.id))
    document = (await http.get(f"/status/{rendering.id}")).json()
    assert (document["status"], document["progress"], document["poll_after_ms"]) == ("succeeded", 100, None)
    assert document["video_url"] == f"/clips/{clip(1).id}/video"
    assert (document["duration"], document["resolution"]) == (5.0625, "832x480")
    assert document["preview_url"] is None


async def test_a_finished_job_tells_what_really_drew_it_and_what_it_cost(
    http: httpx.AsyncClient, redis: store.Client, rendering: Job
) -> None:
    lifecycle = Lifecycle(redis)
    await lifecycle.finish(rendering)
    made = clip(
        1,
        job_id=rendering.id,
        engine="ltx",
        renderer="modal",
        preset="draft",
        cost=Cost(gpu="H100", seconds=8, usd=0.01),
    )
    await lifecycle.succeed(rendering, made)
    answer = await http.get(f"/status/{rendering.id}")
    document = answer.json()
    assert (document["engine"], document["renderer"], document["preset"]) == ("ltx", "modal", "draft")
    assert document["cost_usd"] == 0.01
    assert "usd" not in (await http.get("/clips")).text


async def test_a_failed_job_is_an_answer_of_200_that_says_why(
    http: httpx.AsyncClient, redis: store.Client, rendering: Job
) -> None:
    await Lifecycle(redis).fail(rendering, RenderFailed(reason="out of memory"))
    answer = await http.get(f"/status/{rendering.id}")
    assert answer.status_code == 200
    assert answer.json()["error"]["code"] == "render_failed"
    assert answer.json()["poll_after_ms"] is None


@pytest.mark.parametrize("job_id", ["job_nobody", "job_01KAFK3V5N8ZQ6W3Y7T2M4R9XB", "%00", "a%0ab"])
async def test_an_unknown_job_is_404_and_never_a_guess(http: httpx.AsyncClient, job_id: str) -> None:
    answer = await http.get(f"/status/{job_id}")
    assert answer.status_code == 404
    assert answer.json()["error"] | {"message": ""} == {
        "code": "job_not_found",
        "message": "",
        "type": "not_found_error",
        "param": "job_id",
    }


async def test_a_job_without_a_picture_has_no_preview(http: httpx.AsyncClient, redis: store.Client) -> None:
    job = await submitted(Queue(redis))
    answer = await http.get(f"/status/{job.id}/preview")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "preview_not_found")
