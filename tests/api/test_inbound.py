"""POST /inbound over a real socket, signed by the library that other programs use."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook as Signature

from api.signature import SIGNATURE, TIMESTAMP
from sakuga.errors import SettingsInvalid
from sakuga.settings import Settings
from tests.fakes.keys import BEARER
from tests.fakes.server import GatewayThread
from tests.fakes.valkey import Valkey

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
OTHER = "whsec_" + "A" * 43 + "="
ASKS = {"type": "generate", "data": {"prompt": "girl with sword, neon rain"}}
MIKA = {"platform": "kick", "id": "3000", "login": "mika", "display_name": "Mika", "roles": ["subscriber"]}


@pytest.fixture
def gateway(valkey: Valkey) -> Iterator[GatewayThread]:
    settings = Settings.model_validate({**valkey.settings.model_dump(), "inbound_secret": SECRET})
    with GatewayThread(settings) as server:
        yield server


@pytest.fixture
async def http(gateway: GatewayThread, worker: None) -> AsyncIterator[httpx.AsyncClient]:
    """A program without a key."""
    async with httpx.AsyncClient(base_url=gateway.url) as client:
        yield client


def signed(
    message: object, message_id: str = "msg_1", *, secret: str = SECRET, age_s: float = 0, body: str | None = None
) -> dict[str, Any]:
    """Return what httpx sends for a message that is signed as it should be."""
    text = json.dumps(message) if body is None else body
    at = datetime.now(UTC) - timedelta(seconds=age_s)
    headers = {
        "webhook-id": message_id,
        TIMESTAMP: str(int(at.timestamp())),
        SIGNATURE: Signature(secret).sign(message_id, at, text),
        "Content-Type": "application/json",
    }
    return {"content": text, "headers": headers}


async def code(http: httpx.AsyncClient, sent: dict[str, Any]) -> tuple[int, str]:
    answer = await http.post("/inbound", **sent)
    return answer.status_code, answer.json()["error"]["code"]


async def test_a_signed_message_asks_for_anybody_without_a_key(http: httpx.AsyncClient) -> None:
    data = {**ASKS["data"], "requested_by": MIKA}  # type: ignore[dict-item]
    answer = await http.post("/inbound", **signed({**ASKS, "timestamp": "2026-11-20T06:00:00Z", "data": data}))
    assert answer.status_code == 202
    document = answer.json()
    assert (document["type"], document["job"]["cut"], document["job"]["queue_position"]) == ("generate", "C-001", 1)
    status = (await http.get(document["job"]["status_url"])).json()
    assert (status["lane"], status["requested_by"]["display_name"]) == ("sub", "Mika")


async def test_a_message_that_is_sent_again_asks_once(http: httpx.AsyncClient) -> None:
    first = (await http.post("/inbound", **signed(ASKS))).json()
    assert (await http.post("/inbound", **signed(ASKS, age_s=-3))).json()["job"]["job_id"] == first["job"]["job_id"]
    assert (await http.get("/queue")).json()["waiting_count"] == 1
    other = {**ASKS, "data": {"prompt": "robot cat"}}
    assert await code(http, signed(other)) == (409, "key_reused")
    assert (await http.post("/inbound", **signed(ASKS, "msg_2"))).json()["job"]["cut"] == "C-002"


async def test_support_fills_the_viewers_purse_once(http: httpx.AsyncClient) -> None:
    given = {"id": "tip-7", "kind": "cheer", "viewer": MIKA, "amount": 150}
    for message_id in ("msg_1", "msg_1", "msg_2"):  # it is known by its own id too
        answer = await http.post("/inbound", **signed({"type": "support", "data": given}, message_id))
        assert (answer.status_code, answer.json()) == (202, {"type": "support", "job": None, "bits": 150})
    purse = (await http.get("/viewers/kick:3000/credit", headers=BEARER)).json()
    assert purse["bits"] == 150


async def test_one_of_several_signatures_is_enough_while_a_secret_is_changed(http: httpx.AsyncClient) -> None:
    sent = signed(ASKS)
    sent["headers"][SIGNATURE] = f"v1a,elsewhere v1,bm8= {sent['headers'][SIGNATURE]}"
    assert (await http.post("/inbound", **sent)).status_code == 202


@pytest.mark.parametrize(
    "change",
    [
        {SIGNATURE: "v1,bm8="},
        {SIGNATURE: ""},
        {SIGNATURE: "v1,\u00e9"},
        {"webhook-id": "msg_other"},
        {"webhook-id": ""},
        {"webhook-id": "m" * 101},
        {TIMESTAMP: "0"},
        {TIMESTAMP: "soon"},
        {TIMESTAMP: "-5"},
        {TIMESTAMP: "\u0661"},
    ],
)
async def test_what_was_signed_otherwise_is_refused(http: httpx.AsyncClient, change: dict[str, str]) -> None:
    sent = signed(ASKS)
    sent["headers"] |= {name: value.encode() for name, value in change.items()}
    assert await code(http, sent) == (401, "signature_invalid")


@pytest.mark.parametrize("age_s", [310, -310, 10**9])
async def test_an_old_message_and_one_from_the_future_are_refused(http: httpx.AsyncClient, age_s: float) -> None:
    answer = await http.post("/inbound", **signed(ASKS, age_s=age_s))
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "signature_invalid")
    assert "five minutes" in answer.json()["error"]["message"]


async def test_another_body_another_secret_and_a_key_are_no_signature(http: httpx.AsyncClient) -> None:
    sent = signed(ASKS)
    assert await code(http, {**sent, "content": json.dumps({**ASKS, "data": {"prompt": "cat"}})}) == (
        401,
        "signature_invalid",
    )
    assert await code(http, signed(ASKS, secret=OTHER)) == (401, "signature_invalid")
    assert await code(http, {"json": ASKS, "headers": BEARER}) == (401, "signature_invalid")
    assert (await http.get("/queue")).json()["waiting_count"] == 0


async def test_who_signs_wrongly_often_is_slowed_down_and_who_signs_rightly_is_not(http: httpx.AsyncClient) -> None:
    codes = [(await code(http, signed(ASKS, secret=OTHER)))[0] for _ in range(31)]
    assert codes == [401] * 30 + [429]
    assert (await http.post("/inbound", **signed(ASKS))).status_code == 202


@pytest.mark.parametrize(
    ("message", "status", "told"),
    [
        ({"type": "dance", "data": {}}, 422, "request_invalid"),
        ({"type": "generate"}, 422, "request_invalid"),
        ({"type": "generate", "data": {"prompt": ""}}, 422, "prompt_empty"),
        ({"type": "generate", "data": {"prompt": "cat", "style": "none"}}, 422, "style_unknown"),
        ({"type": "generate", "data": {"prompt": "cat", "secret": 1}}, 422, "request_invalid"),
        ([], 422, "request_invalid"),
    ],
)
async def test_what_can_not_be_done_is_told_as_everywhere(
    http: httpx.AsyncClient, message: object, status: int, told: str
) -> None:
    assert await code(http, signed(message)) == (status, told)


async def test_a_body_that_is_no_json_is_told_so(http: httpx.AsyncClient) -> None:
    assert await code(http, signed(None, body="{")) == (400, "body_unreadable")


async def test_a_studio_without_a_secret_takes_no_message(valkey: Valkey, worker: None) -> None:
    with GatewayThread(valkey.settings) as server:
        async with httpx.AsyncClient(base_url=server.url) as http:
            answer = await http.post("/inbound", **signed(ASKS))
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "signature_invalid")
    assert "SAKUGA_INBOUND_SECRET" in answer.json()["error"]["message"]


@pytest.mark.parametrize("secret", ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_short", "whsec_c2hvcnQ=", "whsec_?" * 9])
def test_a_secret_of_another_form_stops_the_start(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAKUGA_INBOUND_SECRET", secret)
    with pytest.raises(SettingsInvalid, match="SAKUGA_INBOUND_SECRET: .*whsec_") as told:
        Settings.load()
    assert secret not in str(told.value)
