"""A remix begins with another cut: with its words, its look and its seed."""

from typing import Any

import httpx
import pytest

from api.state import State
from sakuga import store
from sakuga.catalog import Catalog
from sakuga.clip import Clip
from sakuga.gate_policy import GatePolicy
from sakuga.job import Job
from tests.fakes.engines import CAST
from tests.fakes.jobs import clip
from tests.fakes.lives import drawn

STYLES = {"anime": {"title": "Anime"}, "neon": {"title": "Neon"}}


@pytest.fixture(autouse=True)
def offered(studio: State) -> None:
    studio.file._catalog = Catalog.model_validate({"styles": STYLES, "characters": CAST, "limits": {"double_s": 0}})


async def hang(redis: store.Client, number: int, **changes: Any) -> Clip:
    """Put a clip into the gallery as if its job had been asked for long ago."""
    document = clip(number, finished_at=1_700_000_000.0 + number, **changes)
    await redis.zadd(store.CLIPS, {document.id: document.finished_at})
    await redis.hset(store.CLIP_DOCUMENTS, document.id, document.model_dump_json())
    await redis.hset(store.NUMBERS, str(number), document.job_id)
    return document


async def remix(http: httpx.AsyncClient, change: str = "", of: object = None, **more: object) -> httpx.Response:
    return await http.post("/generate", json={"prompt": change, "remix": of or {}, **more})


async def status(http: httpx.AsyncClient, answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 202, answer.text
    document: dict[str, Any] = (await http.get(answer.json()["status_url"])).json()
    return document


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_words_seed_style_and_cast_are_the_parents_and_its_name_stays_with_the_job(
    http: httpx.AsyncClient, redis: store.Client
) -> None:
    parent = await hang(redis, 42, prompt="a cat", style="neon", characters=["yuki"], seed=77)
    job = await status(http, await remix(http, "in the snow", {"number": 42}))
    assert (job["prompt"], job["seed"], job["style"], job["characters"]) == ("a cat, in the snow", 77, "neon", ["yuki"])
    assert (job["parent"], job["parent_number"]) == (parent.id, 42)
    (waiting,) = (await http.get("/queue")).json()["waiting"]
    assert (waiting["parent"], waiting["parent_number"]) == (parent.id, 42)


async def test_what_is_named_counts_instead(http: httpx.AsyncClient, redis: store.Client) -> None:
    parent = await hang(redis, 42, prompt="a cat", style="neon", characters=["yuki"], seed=77)
    named = {"style": "anime", "characters": ["ren"], "seed": 5}
    job = await status(http, await remix(http, "", {"clip_id": parent.id}, **named))
    assert (job["prompt"], job["seed"], job["style"], job["characters"]) == ("a cat", 5, "anime", ["ren"])
    only_style = await status(http, await remix(http, "", {"clip_id": parent.id}, style="anime"))
    assert only_style["seed"] == 77


async def test_a_remix_that_changes_nothing_is_another_take(http: httpx.AsyncClient, redis: store.Client) -> None:
    await hang(redis, 42, prompt="a cat", seed=77)
    job = await status(http, await remix(http, " \u200b ", {"number": 42}))
    assert job["prompt"] == "a cat"
    assert job["seed"] != 77


async def test_without_a_name_it_is_the_clip_on_stage_else_the_newest(
    http: httpx.AsyncClient, moderator: httpx.AsyncClient, redis: store.Client
) -> None:
    assert code_of(await remix(http, "in the snow")) == (404, "remix_not_found")
    first, newest = await hang(redis, 1, prompt="first"), await hang(redis, 2, prompt="newest")
    assert (await status(http, await remix(http, "in the snow")))["parent"] == newest.id
    await http.put("/stage", json={"state": "gallery", "clip_id": first.id})
    assert (await status(http, await remix(http, "in the snow")))["parent"] == first.id
    await moderator.post("/stage/dump")
    assert code_of(await remix(http, "in the snow")) == (404, "remix_not_found")


async def test_a_cut_that_waits_can_be_remixed_before_it_is_drawn(http: httpx.AsyncClient) -> None:
    first = (await http.post("/generate", json={"prompt": "a cat", "seed": 9})).json()
    job = await status(http, await remix(http, "in the snow", {"number": first["number"]}))
    assert (job["parent"], job["parent_number"], job["seed"]) == (first["job_id"], 1, 9)


async def test_a_number_is_that_of_the_newest_cut_with_it(http: httpx.AsyncClient, redis: store.Client) -> None:
    await hang(redis, 1, prompt="of the last stream")
    first = (await http.post("/generate", json={"prompt": "of this stream"})).json()
    assert first["number"] == 1
    assert (await status(http, await remix(http, "red", {"number": 1})))["prompt"] == "of this stream, red"


async def test_after_its_end_a_job_goes_by_its_clip(http: httpx.AsyncClient, redis: store.Client) -> None:
    job: Job = await drawn(redis, prompt="a cat", number=1)
    told = await status(http, await remix(http, "red", {"number": 1}))
    assert told["parent"] == job.id.replace("job", "clip")


async def test_what_not_everybody_may_see_is_not_found(http: httpx.AsyncClient, moderator: httpx.AsyncClient) -> None:
    ids = [(await http.post("/generate", json={"prompt": f"a cat {n}"})).json()["job_id"] for n in range(4)]
    await moderator.post(f"/jobs/{ids[0]}/hold")
    await moderator.post(f"/jobs/{ids[1]}/reject")
    await moderator.post(f"/jobs/{ids[2]}/cancel")
    for number in (1, 2, 3, 99):
        assert code_of(await remix(http, "red", {"number": number})) == (404, "remix_not_found")
    assert (await remix(http, "red", {"number": 4})).status_code == 202


async def test_a_clip_that_was_taken_out_is_not_found(
    http: httpx.AsyncClient, moderator: httpx.AsyncClient, stored_clip: Clip, redis: store.Client
) -> None:
    await redis.hset(store.NUMBERS, str(stored_clip.number), stored_clip.job_id)
    assert (await remix(http, "red", {"number": stored_clip.number})).status_code == 202
    assert (await moderator.delete(f"/clips/{stored_clip.id}")).status_code == 204
    for of in ({"number": stored_clip.number}, {"clip_id": stored_clip.id}):
        assert code_of(await remix(http, "red", of)) == (404, "remix_not_found")


async def test_the_gate_reads_the_whole_and_the_whole_must_fit(
    http: httpx.AsyncClient, studio: State, redis: store.Client
) -> None:
    await hang(redis, 50, prompt="a red")
    studio.file._catalog = studio.catalog.model_copy(
        update={"gate": GatePolicy(refuse=("red spider",), hold=("clown",))}
    )
    assert code_of(await remix(http, "spider", {"number": 50})) == (422, "prompt_refused")
    held = await remix(http, "clown", {"number": 50})
    assert held.json()["status"] == "held"
    assert (await http.get(held.json()["status_url"])).json()["prompt"] == ""
    assert code_of(await remix(http, "x" * 299, {"number": 50})) == (422, "prompt_too_long")
    assert code_of(await remix(http, "bell\x07", {"number": 50})) == (422, "prompt_unreadable")


async def test_a_style_and_a_cast_that_the_studio_no_longer_has_do_not_hinder(
    http: httpx.AsyncClient, redis: store.Client
) -> None:
    await hang(redis, 1, style="gone", characters=["gone", "yuki"])
    job = await status(http, await remix(http, "red", {"number": 1}))
    assert (job["style"], job["characters"]) == ("anime", [])


@pytest.mark.parametrize("of", [{"number": -1}, {"number": 1, "clip_id": "c"}, {"job_id": "x"}, {"number": "1"}, 7])
async def test_what_names_no_cut_is_refused(http: httpx.AsyncClient, of: object) -> None:
    assert code_of(await remix(http, "red", of)) == (422, "request_invalid")


async def test_the_line_goes_on_when_a_remix_is_tried_again_and_into_its_sidecar(
    http: httpx.AsyncClient, moderator: httpx.AsyncClient, redis: store.Client, studio: State
) -> None:
    parent = await hang(redis, 42, prompt="a cat")
    job = await status(http, await remix(http, "red", {"number": 42}))
    await moderator.post(f"/jobs/{job['job_id']}/cancel")
    again = (await moderator.post(f"/jobs/{job['job_id']}/retry")).json()
    retried, _ = await studio.queue.look(again["job_id"])
    assert (retried.parent, retried.parent_number) == (parent.id, 42)
    child = await hang(redis, 43, parent=parent.id, parent_number=42)
    document = (await http.get(f"/clips/{child.id}")).json()
    assert (document["parent"], document["parent_number"]) == (parent.id, 42)
