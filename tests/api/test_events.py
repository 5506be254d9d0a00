import json
from collections.abc import AsyncIterator, Iterator
from time import monotonic

import httpx
import pytest

from api import events
from sakuga import store
from sakuga.queue import Queue
from tests.fakes.jobs import submitted
from tests.fakes.keys import BEARER
from tests.fakes.server import GatewayThread
from tests.fakes.valkey import Valkey


@pytest.fixture
def gateway(valkey: Valkey, worker: None) -> Iterator[GatewayThread]:
    with GatewayThread(valkey.settings) as gateway:
        yield gateway


@pytest.fixture
async def client(gateway: GatewayThread) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=gateway.url, trust_env=False, timeout=10, headers=BEARER) as client:
        yield client


async def _next(lines: AsyncIterator[str]) -> dict[str, str]:
    """Return the next event's fields; comments are passed over."""
    fields: dict[str, str] = {}
    async for line in lines:
        if not line and "data" in fields:
            return fields
        name, _, value = line.partition(": ")
        if name:
            fields[name] = value
    pytest.fail("the stream ended")


async def test_what_happens_is_told_as_it_happens_with_an_id_to_read_on_from(
    client: httpx.AsyncClient, redis: store.Client
) -> None:
    async with client.stream("GET", "/events") as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        lines = answer.aiter_lines()
        assert "following" in await anext(lines)
        job = await submitted(Queue(redis))
        told = await _next(lines)
    assert told["event"] == "job.queued"
    assert json.loads(told["data"]) == {"job_id": job.id, "number": 1}
    assert told["id"] == (await redis.xrevrange(store.EVENTS, count=1))[0][0]


@pytest.mark.parametrize("how", ["header", "query"])
async def test_a_reader_that_was_away_misses_nothing(client: httpx.AsyncClient, redis: store.Client, how: str) -> None:
    for _ in range(3):
        await submitted(Queue(redis))
    ids = [entry_id for entry_id, _ in await redis.xrange(store.EVENTS)]
    place = {"headers": {"Last-Event-ID": ids[0]}} if how == "header" else {"params": {"after": ids[0]}}
    async with client.stream("GET", "/events", **place) as answer:
        lines = answer.aiter_lines()
        assert [(await _next(lines))["id"] for _ in range(2)] == ids[1:]


@pytest.mark.parametrize("place", ["yesterday", "1-", "\u0661-0", "1-0 2-0"])
async def test_a_nonsense_place_is_refused(client: httpx.AsyncClient, place: str) -> None:
    answer = await client.get("/events", params={"after": place})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "request_invalid")


async def test_too_many_readers_are_told_to_poll(client: httpx.AsyncClient, gateway: GatewayThread) -> None:
    streams = gateway.app.state.studio.streams
    for _ in range(events.STREAMS):
        streams._value -= 1
    answer = await client.get("/events")
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "streams_exhausted")


async def test_readers_do_not_keep_the_gateway_from_stopping(client: httpx.AsyncClient, gateway: GatewayThread) -> None:
    async with client.stream("GET", "/events") as answer:
        lines = answer.aiter_lines()
        await anext(lines)
        began = monotonic()
        gateway.stop()
        async for _ in lines:
            pass
    assert monotonic() - began < 3
