from typing import Any

import httpx
import pytest

from sakuga import store
from sakuga.errors import RendererNotDeployed
from tests.fakes.renderer import SPEC
from worker import upkeep
from worker.renderers import Readiness


async def test_the_renderer_is_told_with_its_engines_and_how_ready_it_is(http: httpx.AsyncClient) -> None:
    assert (await http.get("/renderer")).json() == {
        "name": "puppet",
        "engines": ["rehearsal"],
        "gpu": "H100",
        "warm": True,
        "wanted": False,
        "until": None,
        "trouble": None,
        "message": None,
    }


async def test_a_wish_is_kept_and_may_be_repeated(http: httpx.AsyncClient) -> None:
    for _ in range(2):
        answer = await http.put("/renderer", json={"warm": True, "seconds": 3600})
        assert (answer.status_code, answer.json()["wanted"]) == (200, True)
        assert answer.json()["until"].endswith("Z")
    assert (await http.get("/renderer")).json()["wanted"]
    answer = await http.put("/renderer", json={"warm": False})
    assert (answer.json()["wanted"], answer.json()["until"]) == (False, None)


async def test_what_keeps_the_renderer_cold_is_told_by_its_code(http: httpx.AsyncClient, redis: store.Client) -> None:
    me = upkeep.Introduction("worker_1", "modal", [SPEC], 1)
    await upkeep.introduce(redis, me, Readiness("H100", warm=False), trouble=RendererNotDeployed(app="sakuga"))
    document = (await http.get("/renderer")).json()
    assert (document["warm"], document["trouble"]) == (False, "renderer_not_deployed")
    assert "sakuga gpu deploy" in document["message"]
    health = (await http.get("/health")).json()["renderer"]
    assert (health["status"], health["trouble"], health["message"]) == (
        "up",
        "renderer_not_deployed",
        document["message"],
    )


async def test_without_a_worker_there_is_no_renderer_but_still_the_wish(
    http: httpx.AsyncClient, redis: store.Client
) -> None:
    await redis.delete(store.WORKERS)
    await http.put("/renderer", json={"warm": True})
    document = (await http.get("/renderer")).json()
    assert (document["name"], document["engines"], document["wanted"]) == (None, [], True)


@pytest.mark.parametrize(
    "body",
    [{}, {"warm": "yes"}, {"warm": True, "seconds": 0}, {"warm": True, "seconds": 1e9}, {"warm": True, "gpu": "B200"}],
)
async def test_a_wish_that_can_not_be_read_is_refused(http: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answer = await http.put("/renderer", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "request_invalid")
