"""A prompt that the helper has worded, from POST /generate to the engine and the sidecar."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from time import monotonic

import httpx
import pytest

from sakuga import store
from sakuga.catalog import Catalog
from sakuga.clip import Clip
from sakuga.engine import RenderResult
from sakuga.order import order
from sakuga.queue import Queue
from sakuga.role import Role
from sakuga.settings import Settings
from tests.fakes.jobs import clip
from tests.fakes.keys import bearer
from tests.fakes.model import DIRECTION, FakeModel
from tests.fakes.renderer import SPEC
from tests.fakes.server import GatewayThread
from tests.fakes.valkey import Valkey

IDEA = "girl with sword, neon rain"
HELPED = Catalog.model_validate({"helper": {"enabled": True}})


@pytest.fixture
async def model() -> AsyncIterator[FakeModel]:
    async with FakeModel() as server:
        yield server


@pytest.fixture
def gateway(valkey: Valkey, model: FakeModel) -> Iterator[GatewayThread]:
    given = {"helper": "openai", "helper_url": model.openai, "helper_key": model.key, "helper_model": "tiny"}
    with GatewayThread(Settings.model_validate({**valkey.settings.model_dump(), **given})) as server:
        server.app.state.studio.file._catalog = HELPED
        yield server


@pytest.fixture
async def moderator(gateway: GatewayThread, worker: None, redis: store.Client) -> AsyncIterator[httpx.AsyncClient]:
    headers = await bearer(redis, Role.MODERATOR)
    async with httpx.AsyncClient(base_url=gateway.url, headers=headers) as client:
        yield client


async def test_a_job_keeps_both_texts_and_the_engine_is_told_the_helpers(
    moderator: httpx.AsyncClient, redis: store.Client
) -> None:
    job_id = (await moderator.post("/generate", json={"prompt": IDEA})).json()["job_id"]
    job, _ = await Queue(redis).look(job_id)
    assert (job.prompt, job.direction) == (IDEA, DIRECTION)
    assert order(job, Catalog(), SPEC).prompt == DIRECTION
    seen = (await moderator.get(f"/jobs/{job_id}")).json()
    assert (seen["prompt"], seen["direction"]) == (IDEA, DIRECTION)
    assert (await moderator.get(f"/status/{job_id}")).json()["prompt"] == IDEA


async def test_what_a_moderator_writes_is_drawn_as_it_stands(moderator: httpx.AsyncClient, redis: store.Client) -> None:
    job_id = (await moderator.post("/generate", json={"prompt": IDEA})).json()["job_id"]
    await moderator.patch(f"/jobs/{job_id}", json={"prompt": "robot cat"})
    job, _ = await Queue(redis).look(job_id)
    assert (job.prompt, job.direction) == ("robot cat", "")
    assert order(job, Catalog(), SPEC).prompt == "robot cat"


async def test_a_job_that_is_tried_again_is_told_the_same(moderator: httpx.AsyncClient, redis: store.Client) -> None:
    job_id = (await moderator.post("/generate", json={"prompt": IDEA})).json()["job_id"]
    await moderator.post(f"/jobs/{job_id}/cancel")
    again = (await moderator.post(f"/jobs/{job_id}/retry")).json()
    assert (again["prompt"], again["direction"]) == (IDEA, DIRECTION)


async def test_a_request_is_taken_in_within_two_seconds_whatever_the_model_does(
    moderator: httpx.AsyncClient, model: FakeModel, redis: store.Client
) -> None:
    model.freeze()
    begun = monotonic()
    answer = await moderator.post("/generate", json={"prompt": IDEA})
    assert 1.9 < monotonic() - begun < 3.5
    job, _ = await Queue(redis).look(answer.json()["job_id"])
    assert (answer.status_code, job.prompt, job.direction) == (202, IDEA, "")


async def test_what_the_gate_refuses_is_never_sent_to_a_model(
    gateway: GatewayThread, moderator: httpx.AsyncClient, model: FakeModel
) -> None:
    gateway.app.state.studio.file._catalog = Catalog.model_validate(
        {"helper": {"enabled": True}, "gate": {"refuse": ["forbiddenword"]}}
    )
    assert (await moderator.post("/generate", json={"prompt": "a forbiddenword"})).status_code == 422
    assert model.asked == []


async def test_the_sidecar_has_both_texts(moderator: httpx.AsyncClient, redis: store.Client, tmp_path: Path) -> None:
    job_id = (await moderator.post("/generate", json={"prompt": IDEA})).json()["job_id"]
    job, _ = await Queue(redis).look(job_id)
    video = tmp_path / "clip.mp4"
    video.write_bytes(b"film")
    size = {"width": 832, "height": 480, "fps": 16.0, "num_frames": 81}
    drawn = RenderResult.model_validate({"video_path": str(video), "poster_path": str(video), **size})
    sidecar = Clip.of(job, renderer="rehearsal", result=drawn, finished_at=1.0)
    assert (sidecar.prompt, sidecar.direction) == (IDEA, DIRECTION)


def test_the_sidecar_of_an_older_clip_can_still_be_read() -> None:
    document = json.loads(clip(42).model_dump_json())
    del document["direction"]
    assert Clip.model_validate(document).direction == ""
