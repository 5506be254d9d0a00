"""PUT /chats/{platform}: how a chat is heard, as GET /health lists it."""

from typing import Any

import httpx
import pytest

from sakuga import store
from sakuga.gateway import Gateway
from sakuga.presence import SAID_FOR_S, Presence
from tests.fakes.keys import KEY

BASE = "http://127.0.0.1:8420"


async def chats(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await http.get("/health")).json()["chats"]
    return found


async def test_what_a_bot_says_of_its_chat_stands_in_the_health(http: httpx.AsyncClient) -> None:
    transport = http._transport
    async with Gateway(BASE, key=KEY, transport=transport) as gateway:
        quota = {"used": 4200, "limit": 10000, "resets_at": "2026-11-21T08:00:00Z"}
        await gateway.tell_chat("youtube", "listening", channel="mika", quota=quota)
        await gateway.tell_chat("twitch", "listening", account="sakuga_bot", channel="mika", reward="open")
        twitch, youtube = await chats(http)
        assert (twitch["platform"], twitch["account"], twitch["channel"]) == ("twitch", "sakuga_bot", "mika")
        assert (twitch["state"], twitch["reward"], twitch["message"]) == ("listening", "open", None)
        assert youtube["quota"] == quota


@pytest.mark.parametrize(
    ("state", "todo"),
    [
        ("away", "tries again by itself"),
        ("logged_out", "python -m sakuga login twitch"),
        ("revoked", "python -m sakuga login twitch"),
    ],
)
async def test_a_chat_that_is_not_heard_says_what_to_do(http: httpx.AsyncClient, state: str, todo: str) -> None:
    answer = await http.put("/chats/twitch", json={"state": state, "detail": "the token ended"})
    assert todo in answer.json()["message"]
    assert await chats(http) == [answer.json()]


async def test_a_bot_that_says_nothing_any_more_is_no_longer_listed(
    http: httpx.AsyncClient, redis: store.Client
) -> None:
    await http.put("/chats/twitch", json={"state": "listening"})
    told = Presence.model_validate_json(await redis.hget(store.CHATS, "twitch"))
    old = told.model_copy(update={"at": told.at - SAID_FOR_S})
    await redis.hset(store.CHATS, "twitch", old.model_dump_json())
    assert await chats(http) == []


async def test_a_chat_that_is_away_does_not_make_the_studio_ill(http: httpx.AsyncClient, redis: store.Client) -> None:
    before = (await http.get("/health")).json()["status"]
    await http.put("/chats/twitch", json={"state": "revoked"})
    assert (await http.get("/health")).json()["status"] == before


@pytest.mark.parametrize(
    ("platform", "body"),
    [
        ("myspace", {"state": "listening"}),
        ("twitch", {"state": "bored"}),
        ("twitch", {"state": "listening", "quota": {"used": -1, "limit": 1}}),
    ],
)
async def test_what_is_no_chat_is_refused(http: httpx.AsyncClient, platform: str, body: dict[str, Any]) -> None:
    assert (await http.put(f"/chats/{platform}", json=body)).status_code == 422
