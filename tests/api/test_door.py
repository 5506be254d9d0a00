from collections.abc import AsyncIterator

import httpx
import pytest

from api import door
from api.app import create_app
from api.door import COOKIE, NOBODY, Caller, speaker
from api.state import State
from sakuga import store
from sakuga.job import RequestedBy
from sakuga.keys import Keys
from sakuga.role import Role
from tests.fakes.keys import KEY, bearer
from tests.fakes.valkey import Valkey

BASE = "http://127.0.0.1:8420"
OWN_PAGE = {"Origin": BASE, "Sec-Fetch-Site": "same-origin"}
AIR = {"state": "idle"}


@pytest.fixture
async def anyone(studio: State, worker: None) -> AsyncIterator[httpx.AsyncClient]:
    """A client that shows no key by itself."""
    transport = httpx.ASGITransport(app=studio.app)  # type: ignore[attr-defined]
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The gateway's clock, to put forward by writing into it."""
    clock = [1000.0]
    monkeypatch.setattr(door, "monotonic", lambda: clock[0])
    return clock


async def secret_of(redis: store.Client, role: Role, name: str = "alice") -> str:
    return (await Keys(redis).new(role, name))[0]


async def test_a_key_is_taken_as_bearer_in_a_header_of_its_own_and_from_a_cookie(
    anyone: httpx.AsyncClient, redis: store.Client
) -> None:
    secret = await secret_of(redis, Role.BOT)
    for shown in (
        {"Authorization": f"Bearer {secret}"},
        {"Authorization": f"bearer {secret}"},
        {"X-API-Key": secret},
        {"Cookie": f"{COOKIE}={secret}", **OWN_PAGE},
    ):
        assert (await anyone.put("/stage", json=AIR, headers=shown)).status_code == 200, shown
        assert (await anyone.get("/me", headers=shown)).json() == {"role": "bot", "name": "alice"}
    assert (await anyone.get("/me")).json() == {"role": None, "name": ""}


async def test_a_cookie_changes_nothing_unless_the_browser_says_that_our_page_asked(
    anyone: httpx.AsyncClient, redis: store.Client
) -> None:
    cookie = {"Cookie": f"{COOKIE}={await secret_of(redis, Role.BROADCASTER)}"}
    answer = await anyone.put("/stage", json=AIR, headers=cookie)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "origin_not_allowed")


async def test_the_studios_own_key_is_a_bots_and_another_of_its_length_is_nothing(anyone: httpx.AsyncClient) -> None:
    assert (await anyone.get("/me", headers={"X-API-Key": KEY})).json() == {"role": "bot", "name": "studio"}
    wrong = {"X-API-Key": KEY[:-1] + "x"}
    assert (await anyone.put("/stage", json=AIR, headers=wrong)).status_code == 401


async def test_a_refusal_names_both_roles(anyone: httpx.AsyncClient, redis: store.Client) -> None:
    answer = await anyone.put("/stage", json=AIR, headers=await bearer(redis, Role.VIEWER))
    assert answer.status_code == 403
    assert "needs the role bot" in answer.json()["error"]["message"]
    assert "has the role viewer" in answer.json()["error"]["message"]


async def test_a_revoked_key_is_refused_within_two_seconds_by_every_gateway(
    anyone: httpx.AsyncClient, valkey: Valkey, redis: store.Client, later: list[float]
) -> None:
    headers = await bearer(redis, Role.BOT)
    other = create_app(valkey.settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=other), base_url=BASE) as second:
        for http in (anyone, second):
            assert (await http.put("/stage", json=AIR, headers=headers)).status_code == 200
        await Keys(redis).revoke("alice")
        later[0] += 2.0
        for http in (anyone, second):
            assert (await http.put("/stage", json=AIR, headers=headers)).status_code == 401
    await other.state.studio.close()


async def test_many_polls_ask_redis_for_their_key_once(
    valkey: Valkey, worker: None, redis: store.Client, later: list[float]
) -> None:
    app = create_app(valkey.settings.model_copy(update={"keyless_reads": False}))
    headers = await bearer(redis, Role.OVERLAY)
    await redis.config_resetstat()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE, headers=headers) as http:
        for _ in range(50):
            assert (await http.get("/me")).json()["role"] == "overlay"
        asked = (await redis.info("commandstats"))["cmdstat_hget"]["calls"]
        assert asked == 1
        assert (await redis.info("commandstats"))["cmdstat_zadd"]["calls"] == 1
        later[0] += 59.0
        await http.get("/me")
        assert (await redis.info("commandstats"))["cmdstat_zadd"]["calls"] == 1
        later[0] += 3.0
        await http.get("/me")
        assert (await redis.info("commandstats"))["cmdstat_zadd"]["calls"] == 2
    (key,) = await Keys(redis).all()
    assert key.last_used_at
    await app.state.studio.close()


async def test_wrong_keys_are_slowed_down_and_the_right_one_is_let_in_beside_them(
    anyone: httpx.AsyncClient, redis: store.Client
) -> None:
    for number in range(30):
        answer = await anyone.put("/stage", json=AIR, headers={"X-API-Key": f"sk_guess{number}"})
        assert answer.status_code == 401
    answer = await anyone.put("/stage", json=AIR, headers={"X-API-Key": "sk_guess"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "rate_limited")
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert (await anyone.put("/stage", json=AIR, headers=await bearer(redis, Role.BOT))).status_code == 200


async def test_one_viewers_program_can_not_flood_and_slows_nobody_else(
    anyone: httpx.AsyncClient, redis: store.Client
) -> None:
    mine, other = await bearer(redis, Role.VIEWER, "a"), await bearer(redis, Role.VIEWER, "b")
    for _ in range(30):
        assert (await anyone.post("/generate", json={}, headers=mine)).status_code == 422
    answer = await anyone.post("/generate", json={}, headers=mine)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "rate_limited")
    assert answer.headers["Retry-After"]
    assert (await anyone.post("/generate", json={}, headers=other)).status_code == 422
    for _ in range(200):
        assert (await anyone.get("/queue", headers=mine)).status_code == 200


async def test_an_overlays_key_in_an_address_becomes_a_cookie_and_leaves_the_address(
    anyone: httpx.AsyncClient, redis: store.Client
) -> None:
    secret = await secret_of(redis, Role.OVERLAY)
    answer = await anyone.get("/overlay", params={"layout": "wide", "key": secret})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/overlay?layout=wide")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}={secret};")
    assert all(word in cookie for word in ("HttpOnly", "SameSite=strict", "Path=/"))
    assert (await anyone.get("/me")).json()["role"] == "overlay"


async def test_any_other_key_in_an_address_is_turned_away(anyone: httpx.AsyncClient, redis: store.Client) -> None:
    answer = await anyone.get("/overlay", params={"key": await secret_of(redis, Role.MODERATOR)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "key_exposed")
    assert "Set-Cookie" not in answer.headers
    assert (await anyone.get("/overlay", params={"key": "sk_none"})).status_code == 401


MIKA = RequestedBy(platform="twitch", id="3000", login="mika", roles=["subscriber"], bits=300)


@pytest.mark.parametrize("role", [Role.BOT, Role.MODERATOR, Role.BROADCASTER])
def test_from_a_bots_key_upwards_roles_and_bits_are_believed(role: Role) -> None:
    assert speaker(Caller(role, "alice", "key_1"), MIKA) == MIKA


def test_a_viewers_key_speaks_for_itself() -> None:
    itself = RequestedBy(platform="api", id="key_1", login="alice")
    assert speaker(Caller(Role.VIEWER, "alice", "key_1"), MIKA) == itself
    assert speaker(Caller(Role.VIEWER, "alice", "key_1"), None) == itself
    assert speaker(NOBODY, MIKA).roles == []


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.BROADCASTER])
def test_a_moderator_who_names_nobody_asks_as_a_moderator(role: Role) -> None:
    asked_by = speaker(Caller(role, "alice", "key_1"), None)
    assert (asked_by.platform, asked_by.id, asked_by.name) == ("studio", "key_1", "alice")
    assert asked_by.roles == [role.label]


async def test_a_viewers_job_carries_no_bits_that_it_claimed(anyone: httpx.AsyncClient, redis: store.Client) -> None:
    body = {"prompt": "cat", "requested_by": MIKA.model_dump()}
    job = (await anyone.post("/generate", json=body, headers=await bearer(redis, Role.VIEWER))).json()
    told = (await anyone.get(job["status_url"])).json()
    assert (told["lane"], told["requested_by"]["platform"]) == ("viewer", "api")
    assert told["requested_by"]["login"] == "alice"
