import httpx
import pytest

from api.state import State
from sakuga import store
from sakuga.errors import RendererUnauthorised
from sakuga.playout import Playout
from sakuga.stage import StageState
from tests.fakes.renderer import SPEC
from tests.fakes.valkey import Valkey
from worker import upkeep
from worker.renderers import Readiness


async def test_every_part_is_named_and_all_up_is_healthy(http: httpx.AsyncClient, redis: store.Client) -> None:
    await Playout(redis).show(StageState.IDLE, None, None)
    document = (await http.get("/health")).json()
    assert document["status"] == "healthy"
    assert document["broker"] == {"status": "up", "kind": "embedded"}
    assert document["worker"] == {"status": "up", "count": 1, "busy": 0, "slots": 1}
    renderer = document["renderer"]
    assert renderer["status"] == "up"
    assert (renderer["name"], renderer["model"]) == ("puppet", "rehearsal")
    assert (renderer["gpu"], renderer["warm"], renderer["trouble"]) == ("H100", True, None)
    assert document["stage"]["status"] == document["storage"]["status"] == "up"


async def test_without_a_stage_manager_or_worker_the_studio_is_degraded(
    http: httpx.AsyncClient, redis: store.Client
) -> None:
    document = (await http.get("/health")).json()
    assert (document["status"], document["stage"]["status"]) == ("degraded", "down")
    await redis.delete(store.WORKERS)
    document = (await http.get("/health")).json()
    assert (document["worker"]["status"], document["renderer"]["status"]) == ("down", "down")


async def test_without_its_broker_the_studio_is_unhealthy_and_still_answers(
    http: httpx.AsyncClient, valkey: Valkey
) -> None:
    valkey.kill()
    answer = await http.get("/health")
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["broker"]["status"]) == ("unhealthy", "down")


async def test_a_renderer_that_can_not_draw_is_down_and_says_why(http: httpx.AsyncClient, redis: store.Client) -> None:
    await Playout(redis).show(StageState.IDLE, None, None)
    why = RendererUnauthorised(reason="there is none")
    away = Readiness(gpu=None, warm=False, trouble=why, there=False)
    await upkeep.introduce(redis, upkeep.Introduction("worker_1", "modal", [SPEC], 1), away)
    document = (await http.get("/health")).json()
    assert (document["status"], document["worker"]["status"]) == ("degraded", "up")
    renderer = document["renderer"]
    assert (renderer["status"], renderer["trouble"], renderer["gpu"]) == ("down", "renderer_unauthorised", None)
    assert renderer["message"] == str(why)


async def test_a_mistake_in_the_studio_file_is_told_while_the_last_good_state_holds(
    http: httpx.AsyncClient, studio: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await http.get("/health")).json()["studio_file"] == {"status": "up", "message": None}
    monkeypatch.setattr(studio.file, "_problem", "studio.toml: limits.waiting: too small")
    document = (await http.get("/health")).json()
    assert document["studio_file"] == {"status": "down", "message": "studio.toml: limits.waiting: too small"}
