"""What moderators take back while a request is on its way, or a gateway dies: nothing of it slips through."""

from typing import Any

import httpx
import pytest

from api import pot
from api.state import State
from sakuga import store
from sakuga.catalog import Catalog
from sakuga.clip import clip_id_of
from sakuga.gallery import Gallery
from sakuga.job import JobStatus
from sakuga.lifecycle import Lifecycle
from sakuga.moderation import Moderation
from sakuga.pots import Pots
from sakuga.queue import Queue, Terms
from tests.fakes.jobs import clip, submitted

FREE, MANY = dict.fromkeys(("viewer", "bits"), 0), dict.fromkeys(("viewer", "bits"), 9)


class Died(BaseException):
    """What a process does."""


async def drawn(redis: store.Client, job_id: str) -> str:
    """Draw a waiting job to its end, and return the id of its clip."""
    await Queue(redis).configure(slots=10)
    await Queue(redis).admit()
    lifecycle = Lifecycle(redis)
    job = (await lifecycle.read(job_id))[0].model_copy(update={"attempt": 1, "handle": "render-1"})
    assert await lifecycle.begin_attempt(job)
    assert await lifecycle.finish(job)
    made = clip(job.number, id=clip_id_of(job_id), job_id=job_id, prompt=job.prompt, parent=job.parent or None)
    assert await lifecycle.succeed(job, made)
    return made.id


async def add(http: httpx.AsyncClient, words: str, login: str) -> None:
    viewer = {"platform": "twitch", "id": f"id-{login}", "login": login, "display_name": login.title()}
    body = {"words": words, "requested_by": viewer, "message_id": f"m-{login}"}
    assert (await http.post("/pot", json=body)).status_code == 200


async def test_words_that_were_deleted_after_a_gateway_died_over_its_pot_are_not_drawn(
    http: httpx.AsyncClient, studio: State, redis: store.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for login in ("mika", "jo"):
        await add(http, f"a cat of {login}", login)
    await redis.hset(store.POT, mapping={"closes_at": "1", "again": "1"})

    async def dies(*_: object, **__: object) -> None:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(Pots, "poured", dies)
        with pytest.raises(Died):
            await pot.pour(studio)
    (job,) = (await Queue(redis).board(10)).waiting
    gone = await studio.retractions.message("twitch", "m-mika", by="alice")
    assert gone.cancelled == [job.id]
    await pot.pour(studio)
    assert (await Queue(redis).board(10)).waiting == []


async def test_words_that_are_deleted_while_their_pot_is_poured_are_not_drawn(
    http: httpx.AsyncClient, studio: State, redis: store.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for login in ("mika", "jo"):
        await add(http, f"a cat of {login}", login)
    await redis.hset(store.POT, mapping={"closes_at": "1", "again": "1"})
    direct = studio.helper.direct

    async def slow(*args: Any, **more: Any) -> str:
        await studio.retractions.message("twitch", "m-mika", by="alice")
        return await direct(*args, **more)

    monkeypatch.setattr(studio.helper, "direct", slow)
    assert await pot.pour(studio) is None
    assert (await Queue(redis).board(10)).waiting == []
    assert (await redis.hgetall(store.POT))["reason"] == "message_retracted"


@pytest.mark.parametrize("what", ["its message is deleted", "it is held", "its clip is taken out"])
async def test_what_ceases_to_be_for_everybody_while_it_is_remixed_is_not_found(
    http: httpx.AsyncClient, studio: State, redis: store.Client, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    body = {"prompt": "a cat", "message_id": "m1", "requested_by": {"platform": "twitch", "id": "3000"}}
    job_id = (await http.post("/generate", json=body)).json()["job_id"]
    if what == "its clip is taken out":
        await drawn(redis, job_id)
    direct = studio.helper.direct

    async def slow(*args: Any, **more: Any) -> str:
        match what:
            case "its message is deleted":
                await studio.retractions.message("twitch", "m1", by="alice")
            case "it is held":
                await Moderation(redis).hold(job_id, by="alice")
            case _:
                (clip,) = await Gallery(redis).newest(1)
                await Gallery(redis).remove(clip, by="alice")
        return await direct(*args, **more)

    monkeypatch.setattr(studio.helper, "direct", slow)
    answer = await http.post("/generate", json={"prompt": "in the snow", "remix": {"number": 1}})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "remix_not_found")
    assert (await Queue(redis).board(10)).waiting == []


async def test_a_remix_of_a_remix_that_was_taken_out_goes_with_the_message_too(
    studio: State, redis: store.Client
) -> None:
    queue, gallery = Queue(redis), Gallery(redis)
    first = await submitted(queue, Terms(message="twitch:m1"))
    parent = await drawn(redis, first.id)
    second = await submitted(queue, parent=parent, parent_number=1)
    taken_out = await drawn(redis, second.id)
    third = await submitted(queue, parent=taken_out, parent_number=2)
    made = await drawn(redis, third.id)
    fourth = await submitted(queue, parent=made, parent_number=3)
    await gallery.remove(await gallery.get(taken_out), by="alice")
    gone = await studio.retractions.message("twitch", "m1", by="alice")
    assert (gone.cancelled, sorted(gone.removed)) == ([fourth.id], [parent, made])
    assert (await queue.look(fourth.id))[0].status is JobStatus.CANCELLED


async def test_nobody_takes_back_what_several_or_nobody_asked_for(http: httpx.AsyncClient, redis: store.Client) -> None:
    job_id = (await http.post("/generate", json={"prompt": "a cat"})).json()["job_id"]
    told = (await http.get("/streamerbot", params={"do": "cancel", "prompt": "#1", "format": "json"})).json()
    assert (told["ok"], told["code"]) == (False, "job_not_theirs")
    assert (await Queue(redis).look(job_id))[0].status is JobStatus.QUEUED


async def test_of_a_viewer_in_many_pots_the_newest_hundred_jobs_are_known(redis: store.Client) -> None:
    for _ in range(103):
        await submitted(Queue(redis), crowd='["twitch:3000"]')
    assert await redis.zcard(store.VIEWER_PREFIX + "twitch:3000") == 100


async def test_a_message_with_which_two_programs_ask_brings_its_bits_once(
    http: httpx.AsyncClient, studio: State, redis: store.Client
) -> None:
    studio.file._catalog = Catalog.model_validate({"limits": {"cooldown": FREE, "active": MANY}})
    viewer = {"platform": "twitch", "id": "3000", "bits": 300}
    ids = []
    for prompt in ("a cat", "“a cat”"):
        body = {"prompt": prompt, "message_id": "m1", "requested_by": viewer}
        ids.append((await http.post("/generate", json=body)).json()["job_id"])
    for job_id in ids:
        await Moderation(redis).cancel(job_id, by="alice")
    assert (await http.get("/viewers/twitch:3000/credit")).json()["bits"] == 300
