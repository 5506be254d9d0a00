"""Bits that come by an address: what no job takes is the viewer's credit, counted once."""

from typing import Any

import httpx
import pytest

from api.state import State
from sakuga import store
from sakuga.catalog import Catalog

MIKA = {"user": "Mika", "user_id": "3000", "platform": "twitch", "bits": "150", "msg_id": "cc106a89-1814"}


async def ask(http: httpx.AsyncClient, **asked: str) -> dict[str, Any]:
    answer = await http.get("/streamerbot", params={**MIKA, **asked, "format": "json"})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def credit(http: httpx.AsyncClient) -> tuple[int, list[tuple[int, str]]]:
    purse = (await http.get("/viewers/twitch:3000/credit")).json()
    return purse["bits"], [(entry["bits"], entry["reason"]) for entry in purse["entries"]]


@pytest.mark.parametrize(
    ("asked", "code", "reason"),
    [
        ({"prompt": ""}, "prompt_empty", "refused request"),
        ({"prompt": "cat", "style": "none"}, "style_unknown", "refused request"),
        ({"do": "queue"}, "", "cheer"),
        ({"do": "pos"}, "job_not_found", "cheer"),
        ({"do": "vote", "prompt": "1"}, "ballot_not_open", "cheer"),
        ({"do": "dance"}, "request_invalid", "cheer"),
    ],
)
async def test_bits_that_nothing_is_drawn_for_are_kept_once(
    http: httpx.AsyncClient, asked: dict[str, str], code: str, reason: str
) -> None:
    for _ in range(3):
        assert (await ask(http, **asked))["code"] == code
    assert await credit(http) == (150, [(150, reason)])


async def test_bits_of_a_job_are_the_jobs_whatever_is_asked_with_the_message_then(http: httpx.AsyncClient) -> None:
    job = await ask(http, prompt="cat")
    assert (await http.get(f"/status/{job['job_id']}")).json()["lane"] == "bits"
    for asked in ({"do": "pos"}, {"prompt": "dog"}, {"prompt": ""}):
        await ask(http, **asked)
    assert await credit(http) == (0, [])


async def test_bits_that_were_kept_pay_for_the_next_request_and_for_no_second_one(http: httpx.AsyncClient) -> None:
    await ask(http, prompt="")
    job = await ask(http, prompt="cat")
    assert (await http.get(f"/status/{job['job_id']}")).json()["explanation"].startswith("100 bits +60 s")
    assert (await credit(http))[0] == 50


async def test_bits_of_a_refused_request_refill_the_budget_once(
    http: httpx.AsyncClient, studio: State, redis: store.Client
) -> None:
    studio.file._catalog = Catalog.model_validate({"budget": {"usd_per_100_bits": 0.5}})
    for message in ("m1", "m1", "m2"):
        await ask(http, prompt="", msg_id=message)
    assert await redis.hget(store.STUDIO, "refill") == "1000000"


@pytest.mark.parametrize("asked", [{"msg_id": "%msgId%"}, {"user_id": "", "user": ""}, {"bits": "%bits%"}])
async def test_bits_of_no_message_or_of_nobody_are_nobodys(http: httpx.AsyncClient, asked: dict[str, str]) -> None:
    await ask(http, prompt="", **asked)
    assert await credit(http) == (0, [])


async def test_bits_in_an_address_that_says_something_twice_are_not_believed(http: httpx.AsyncClient) -> None:
    known = "&".join(f"{name}={value}" for name, value in MIKA.items())
    answer = await http.get(f"/streamerbot?format=json&{known}&bits=9000")
    assert answer.json()["code"] == "request_invalid"
    assert await credit(http) == (0, [])
