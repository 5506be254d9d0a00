"""Bits, in whatever way viewers give them, as the bot tells of them to the gateway and asks for them."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from api.state import State
from sakuga.catalog import Catalog
from sakuga.event import EventType
from sakuga.events import Events
from tests.fakes.customers import brought_to_end
from tests.fakes.jobs import MIKA

VIEWER = MIKA.model_dump()


async def ask(http: httpx.AsyncClient, prompt: str = "robot cat", *, bits: int = 0, **more: Any) -> httpx.Response:
    return await http.post("/generate", json={"prompt": prompt, "requested_by": {**VIEWER, "bits": bits}, **more})


async def credit(http: httpx.AsyncClient, viewer: str = "twitch:3000") -> int:
    return int((await http.get(f"/viewers/{viewer}/credit")).json()["bits"])


async def test_bits_of_a_job_without_a_clip_are_credit_for_the_next_request(
    http: httpx.AsyncClient, studio: State
) -> None:
    await brought_to_end(studio.redis, (await ask(http, bits=300)).json()["job_id"], made=False)
    told = (await http.get("/viewers/twitch:3000/credit")).json()
    assert (told["bits"], [(entry["bits"], entry["reason"]) for entry in told["entries"]]) == (
        300,
        [(300, "C-001 failed")],
    )
    again = await ask(http, "another")
    document = (await http.get(again.json()["status_url"])).json()
    assert document["lane"] == "bits"
    assert [(credit["reason"], credit["seconds"]) for credit in document["credits"]] == [("300 bits", 180.0)]
    assert await credit(http) == 0


async def test_bits_of_a_clip_are_spent(http: httpx.AsyncClient, studio: State) -> None:
    await brought_to_end(studio.redis, (await ask(http, bits=300)).json()["job_id"], made=True)
    assert await credit(http) == 0


async def test_bits_of_the_request_and_of_the_purse_are_one_credit(http: httpx.AsyncClient, studio: State) -> None:
    await http.post("/supports", json={"id": "m1", "kind": "cheer", "viewer": VIEWER, "amount": 150})
    answer = await ask(http, bits=130)
    document = (await http.get(answer.json()["status_url"])).json()
    assert [credit["reason"] for credit in document["credits"]] == ["200 bits"]
    assert await credit(http) == 80
    await brought_to_end(studio.redis, answer.json()["job_id"], made=False)
    assert await credit(http) == 280


async def test_too_few_bits_are_kept_until_they_are_enough(http: httpx.AsyncClient) -> None:
    first = await ask(http, bits=60)
    assert (await http.get(first.json()["status_url"])).json()["lane"] == "viewer"
    assert await credit(http) == 60
    second = await ask(http, "another", bits=60)
    assert (await http.get(second.json()["status_url"])).json()["lane"] == "bits"
    assert await credit(http) == 20


async def test_a_purse_gives_no_more_than_earns_head_start(http: httpx.AsyncClient) -> None:
    await http.post("/supports", json={"id": "m1", "kind": "cheer", "viewer": VIEWER, "amount": 5000})
    document = (await http.get((await ask(http)).json()["status_url"])).json()
    assert [(credit["reason"], credit["seconds"]) for credit in document["credits"]] == [("1500 bits", 900.0)]
    assert await credit(http) == 3500


async def test_a_purse_opens_the_places_of_those_who_pay(http: httpx.AsyncClient, studio: State) -> None:
    studio.file._catalog = Catalog.model_validate({"limits": {"waiting": 1, "paid_places": 1}})
    await http.post("/generate", json={"prompt": "first"})
    assert (await ask(http)).json()["error"]["code"] == "queue_full"
    await http.post("/supports", json={"id": "m1", "kind": "refused", "viewer": VIEWER, "amount": 100})
    assert (await ask(http)).status_code == 202


async def test_a_moderator_is_not_worse_off_for_a_purse(http: httpx.AsyncClient) -> None:
    await http.post("/supports", json={"id": "m1", "kind": "cheer", "viewer": VIEWER, "amount": 10_000})
    mods = {**VIEWER, "roles": ["moderator"]}
    for number in range(5):
        answer = await http.post("/generate", json={"prompt": f"cat {number}", "requested_by": mods})
        assert answer.status_code == 202, answer.text


async def test_a_job_that_is_tried_again_is_paid_for_with_what_was_given_back(
    http: httpx.AsyncClient, moderator: httpx.AsyncClient, studio: State
) -> None:
    job_id = (await ask(http, bits=300)).json()["job_id"]
    await moderator.post(f"/jobs/{job_id}/cancel")
    assert await credit(http) == 300
    again = (await moderator.post(f"/jobs/{job_id}/retry")).json()
    assert [credit["reason"] for credit in again["credits"]] == ["300 bits"]
    assert await credit(http) == 0
    await brought_to_end(studio.redis, again["job_id"], made=False)
    assert await credit(http) == 300


@pytest.fixture
def told(studio: State) -> Callable[[], Awaitable[list[dict[str, Any]]]]:
    """What was told of support so far."""

    async def found() -> list[dict[str, Any]]:
        events = await Events(studio.redis).after("0-0")
        return [event.data for event in events if event.type is EventType.SUPPORT_RECEIVED]

    return found


async def test_support_counts_once_and_is_told_once(http: httpx.AsyncClient, told: Any) -> None:
    for _ in range(2):
        answer = await http.post("/supports", json={"id": "g1", "kind": "gift", "viewer": VIEWER, "amount": 5})
        assert answer.json() == {"bits": 500}
    assert await credit(http) == 500
    assert await told() == [{"kind": "gift", "platform": "twitch", "name": "Mika", "amount": 5, "bits": 500}]


async def test_what_support_is_worth_stands_in_the_studio_file(http: httpx.AsyncClient, studio: State) -> None:
    studio.file._catalog = Catalog.model_validate({"paid": {"raid_bits": 0.5, "sub_bits": 0}})
    raid = await http.post("/supports", json={"id": "r1", "kind": "raid", "viewer": VIEWER, "amount": 25})
    sub = await http.post("/supports", json={"id": "s1", "kind": "sub", "viewer": VIEWER, "amount": 3})
    assert (raid.json()["bits"], sub.json()["bits"]) == (12, 0)


async def test_who_is_not_known_is_thanked_and_has_no_purse(http: httpx.AsyncClient, told: Any) -> None:
    answer = await http.post(
        "/supports", json={"id": "c1", "kind": "cheer", "viewer": {"platform": "twitch"}, "amount": 100}
    )
    assert answer.json() == {"bits": 0}
    assert [event["name"] for event in await told()] == ["somebody"]


async def test_bits_refill_the_budget_when_they_come_and_not_when_they_are_used(
    http: httpx.AsyncClient, studio: State
) -> None:
    studio.file._catalog = Catalog.model_validate({"budget": {"usd_per_100_bits": 0.25, "session_usd": 5}})

    async def refilled() -> float:
        return float((await http.get("/budget")).json()["session"]["refilled_usd"])

    await http.post("/supports", json={"id": "m1", "kind": "refused", "viewer": VIEWER, "amount": 200})
    assert await refilled() == 0.5
    await http.post("/supports", json={"id": "s1", "kind": "sub", "viewer": VIEWER, "amount": 1})
    await ask(http)
    assert await refilled() == 0.5


async def test_bits_of_a_message_count_once_whatever_answer_was_lost(http: httpx.AsyncClient) -> None:
    cheer = {"id": "m1", "kind": "refused", "viewer": VIEWER, "amount": 200}
    await ask(http, bits=200, message_id="m1")
    assert (await http.post("/supports", json=cheer)).json() == {"bits": 0}
    assert await credit(http) == 0
    assert (await http.post("/supports", json=cheer | {"id": "m2"})).json() == {"bits": 200}
    late = await ask(http, "another", bits=200, message_id="m2")
    document = (await http.get(late.json()["status_url"])).json()
    assert document["credits"][0]["reason"] == "200 bits"
    assert await credit(http) == 0
