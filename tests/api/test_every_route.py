"""Every route, as the schema lists it, asked by everybody and from everywhere. A new route can't be forgotten."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.app import create_app
from api.schema import RouteUndeclared, declare
from api.state import State
from sakuga import store
from sakuga.keys import Keys
from sakuga.role import Role
from tests.fakes.keys import bearer
from tests.fakes.valkey import Valkey

HOST = "127.0.0.1:8420"
SAME = {"Origin": f"http://{HOST}", "Sec-Fetch-Site": "same-origin"}
FOREIGN: dict[str, dict[str, str]] = {
    "hostile": {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    "hostile without metadata": {"Origin": "https://evil.example"},
    "hostile without origin": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    "other port": {"Origin": "http://127.0.0.1:9999", "Sec-Fetch-Site": "same-site"},
    "other port without origin": {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
    "null": {"Origin": "null"},
    "framed": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    "rebound": {"Host": "evil.example:8420", "Origin": "http://evil.example:8420", "Sec-Fetch-Site": "same-origin"},
}
REFUSED = {"unauthenticated", "forbidden", "signature_invalid", "origin_not_allowed", "host_not_allowed"}


@pytest.fixture
async def callers(redis: store.Client) -> dict[str, tuple[Role | None, dict[str, str]]]:
    """Everybody who may call: name, role, and the header of their key."""
    made = {role.label: (role, await bearer(redis, role, role.label)) for role in Role}
    revoked = await bearer(redis, Role.BROADCASTER, "gone")
    await Keys(redis).revoke("gone")
    return {
        "nobody": (None, {}),
        "garbage": (None, {"X-API-Key": "sk_" + "x" * 43}),
        "revoked": (None, revoked),
        **made,
    }


def routes(app: FastAPI) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in app.openapi()["paths"].items():
        for method, route in methods.items():
            filled = path
            for given in route.get("parameters", []):
                filled = filled.replace(f"{{{given['name']}}}", "none_such")
            yield method.upper(), filled, route


@asynccontextmanager
async def from_peer(app: FastAPI, number: int) -> AsyncIterator[httpx.AsyncClient]:
    """A client with an address of its own, so that its wrong keys are counted apart."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(f"10.0.{number}.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as http:
        yield http


async def ask(http: httpx.AsyncClient, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
    """Return the status, and the code where it is one of those that turn a caller away."""
    body = None if method == "GET" else {}
    answer = await http.request(method, path, json=body, headers=headers)
    if answer.status_code not in {401, 403}:
        return answer.status_code, ""
    code = answer.json()["error"]["code"]
    assert code != "unauthenticated" or answer.headers["WWW-Authenticate"].startswith("Bearer")
    return answer.status_code, code if code in REFUSED else ""


def expected(route: dict[str, Any], role: Role | None) -> tuple[int, str] | None:
    """What the schema promises: None where the caller is let in."""
    if route.get("x-signed"):  # a key is no signature, whoever's it is
        return 401, "signature_invalid"
    if route["x-keyless"]:
        return None
    if role is None:
        return 401, "unauthenticated"
    return None if role >= Role.named(route["x-role"]) else (403, "forbidden")


async def walk(app: FastAPI, callers: dict[str, tuple[Role | None, dict[str, str]]]) -> int:
    app.state.studio.closing.set()  # so that GET /events ends at once
    walked = 0
    for number, (method, path, route) in enumerate(routes(app)):
        async with from_peer(app, number) as http:
            for name, (role, key) in callers.items():
                for origin in ({}, SAME):
                    status, code = await ask(http, method, path, {**key, **origin})
                    told = (status, code) if code else None
                    assert told == expected(route, role), f"{name}: {method} {path}"
            for place, origin in FOREIGN.items():
                for name in ("nobody", "broadcaster"):
                    status, code = await ask(http, method, path, {**callers[name][1], **origin})
                    assert (status, code) == (403, f"{'host' if place == 'rebound' else 'origin'}_not_allowed"), (
                        f"{name} from {place}: {method} {path}"
                    )
            walked += 1
    return walked


async def test_every_route_lets_in_exactly_whom_the_schema_names(
    studio: State, worker: None, callers: dict[str, tuple[Role | None, dict[str, str]]]
) -> None:
    assert await walk(studio.app, callers) >= 15  # type: ignore[attr-defined]


async def test_where_reading_needs_a_key_it_does_on_every_route(
    valkey: Valkey, worker: None, callers: dict[str, tuple[Role | None, dict[str, str]]]
) -> None:
    app = create_app(valkey.settings.model_copy(update={"keyless_reads": False}))
    open_to_all = {path for _, path, route in routes(app) if route["x-keyless"]}
    assert open_to_all == {"/health", "/me", "/login", "/logout"}
    assert await walk(app, callers) >= 15
    await app.state.studio.close()


def test_a_gateway_with_a_route_that_says_nothing_is_not_made(valkey: Valkey) -> None:
    app = create_app(valkey.settings)

    async def forgotten() -> None: ...

    app.add_api_route("/forgotten", forgotten)
    with pytest.raises(RouteUndeclared, match="/forgotten"):
        declare(app, keyless_reads=True)


async def test_the_schema_tells_which_role_a_route_needs_and_how_to_show_a_key(http: httpx.AsyncClient) -> None:
    schema = (await http.get("/openapi.json")).json()
    assert schema["paths"]["/stage"]["put"]["x-role"] == "bot"
    assert schema["paths"]["/generate"]["post"]["x-role"] == "viewer"
    assert {"bearer": []} in schema["paths"]["/generate"]["post"]["security"]
    assert {} in schema["paths"]["/queue"]["get"]["security"]
    assert {"cookie": []} not in schema["paths"]["/streamerbot"]["get"]["security"]
    assert schema["paths"]["/inbound"]["post"]["security"] == [{"signature": []}]
    assert set(schema["components"]["securitySchemes"]) == {"bearer", "header", "cookie", "signature"}
    assert "`moderator`" in schema["paths"]["/stage"]["put"]["description"]
