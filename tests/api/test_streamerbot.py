"""GET /streamerbot as Streamer.bot asks it: over a real socket, with variables filled in or left as they are."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from api import door
from api.app import create_app
from api.door import COOKIE
from sakuga import store
from sakuga.keys import Keys
from sakuga.role import Role
from tests.fakes.keys import KEY, bearer
from tests.fakes.server import GatewayThread
from tests.fakes.valkey import Valkey

MIKA = {
    "user": "Mika", "user_id": "3000", "platform": "twitch", "sub": "False", "vip": "False", "mod": "False",
    "bits": "%bits%", "msg_id": "cc106a89-1814",
}  # fmt: skip
REN = {**MIKA, "user": "Ren", "user_id": "3001", "msg_id": "cc106a89-1815"}


@pytest.fixture
def gateway(valkey: Valkey) -> Iterator[GatewayThread]:
    with GatewayThread(valkey.settings) as server:
        yield server


@pytest.fixture
async def streamer_bot(gateway: GatewayThread, worker: None) -> AsyncIterator[httpx.AsyncClient]:
    """A client that sends what Streamer.bot sends: a GET and the key in its header."""
    async with httpx.AsyncClient(base_url=gateway.url, headers={"X-API-Key": KEY}) as http:
        yield http


async def line(http: httpx.AsyncClient, **asked: str) -> str:
    answer = await http.get("/streamerbot", params=asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "\n" not in answer.text
    assert 0 < len(answer.text) <= 450
    return answer.text


async def document(http: httpx.AsyncClient, **asked: str) -> dict[str, Any]:
    answer = await http.get("/streamerbot", params={**asked, "format": "json"})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert None not in found.values()
    return found


async def test_words_from_chat_become_a_job_and_a_line(streamer_bot: httpx.AsyncClient) -> None:
    await line(streamer_bot, prompt="robot cat", **REN)
    said = await line(streamer_bot, prompt="“girl with sword, neon rain”", **MIKA)
    assert said.startswith("@Mika C-002 is 2nd, ")
    status = (await streamer_bot.get("/queue")).json()["waiting"][1]
    assert (status["prompt"], status["requested_by"]["platform"]) == ("girl with sword, neon rain", "twitch")
    assert (status["lane"], status["requested_by"]["login"]) == ("viewer", "mika")


async def test_the_same_as_json_has_flat_keys_and_no_null(streamer_bot: httpx.AsyncClient) -> None:
    told = await document(streamer_bot, prompt="girl with sword", **MIKA)
    assert {**told, "chat": ""} == {
        "ok": True, "code": "", "job_id": told["job_id"], "cut": "C-001", "position": 1, "chat": "",
    }  # fmt: skip
    assert told["job_id"].startswith("job_")
    assert told["chat"].startswith("@Mika C-001 is next")


async def test_a_message_that_is_sent_again_asks_once(streamer_bot: httpx.AsyncClient) -> None:
    asked = {"prompt": "girl with sword", **MIKA}
    told = await asyncio.gather(*(document(streamer_bot, **asked) for _ in range(4)))
    assert len({one["job_id"] for one in told}) == 1
    assert (await streamer_bot.get("/queue")).json()["waiting_count"] == 1


@pytest.mark.parametrize(
    ("badges", "lane"),
    [
        ({"sub": "True"}, "sub"),
        ({"vip": "true"}, "vip"),
        ({"mod": "True", "sub": "True"}, "mod"),
        ({"bits": "300"}, "bits"),
        ({"bits": "%bits%", "sub": "%isSubscribed%", "mod": ""}, "viewer"),
        ({"bits": "-5e3x"}, "viewer"),
        ({"bits": "-500"}, "viewer"),
        ({"bits": "99999999999"}, "viewer"),
        ({"bits": "1,000"}, "bits"),
    ],
)
async def test_badges_and_bits_count_as_the_variables_say(
    streamer_bot: httpx.AsyncClient, badges: dict[str, str], lane: str
) -> None:
    told = await document(streamer_bot, prompt="cat", **{**MIKA, **badges})
    assert (await streamer_bot.get(f"/status/{told['job_id']}")).json()["lane"] == lane


@pytest.mark.parametrize(
    ("sent", "platform"), [("kick", "kick"), ("YouTube", "youtube"), ("trovo", "api"), ("", "api")]
)
async def test_viewers_of_every_platform_may_ask(streamer_bot: httpx.AsyncClient, sent: str, platform: str) -> None:
    told = await document(streamer_bot, prompt="cat", **{**MIKA, "platform": sent})
    status = (await streamer_bot.get(f"/status/{told['job_id']}")).json()
    assert status["requested_by"]["platform"] == platform


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        ({"prompt": ""}, "prompt_empty", "@Mika say what to draw: !anime girl with sword, neon rain, for example."),
        ({"prompt": "%rawInputUrlEncoded%"}, "prompt_empty", "@Mika say what to draw"),
        ({"prompt": "x" * 900}, "prompt_too_long", "@Mika that is more than fits"),
        ({"prompt": "cat", "style": "none"}, "style_unknown", "@Mika this studio doesn't know that style"),
        ({"do": "dance"}, "request_invalid", "@Mika the bot and the studio misunderstood"),
        ({"do": "pos"}, "job_not_found", "@Mika you have no cut on the list"),
        ({"do": "cancel"}, "job_not_found", "@Mika you have no cut on the list"),
        ({"do": "cancel", "prompt": "#42"}, "job_not_found", "@Mika C-042 is not on the list"),
        ({"do": "vote"}, "choice_unknown", "@Mika say !vote 1, 2 or 3"),
        ({"do": "vote", "prompt": "2"}, "ballot_not_open", "@Mika there is nothing to vote on"),
        ({"do": "vote", "prompt": "²"}, "choice_unknown", "@Mika say !vote 1, 2 or 3"),
    ],
)
async def test_a_refusal_is_a_line_for_chat_too(
    streamer_bot: httpx.AsyncClient, asked: dict[str, str], code: str, said: str
) -> None:
    assert (await line(streamer_bot, **MIKA, **asked)).startswith(said)
    told = await document(streamer_bot, **MIKA, **asked)
    assert (told["ok"], told["code"], told["job_id"], told["position"]) == (False, code, "", 0)


async def test_who_asks_too_soon_is_told_when_to_ask_again(streamer_bot: httpx.AsyncClient) -> None:
    await line(streamer_bot, prompt="cat", **MIKA)
    told = await document(streamer_bot, prompt="dog", **{**MIKA, "msg_id": "another"})
    assert (told["ok"], told["code"]) == (False, "cooling_down")
    assert told["chat"].startswith("@Mika one at a time: ask again in ")


async def test_viewers_see_the_queue_their_place_and_take_their_job_back(streamer_bot: httpx.AsyncClient) -> None:
    assert await line(streamer_bot, do="queue", user="Mika") == (
        "@Mika Nobody is waiting. Ask with !anime and a few words."
    )
    for viewer in (REN, MIKA):
        await line(streamer_bot, prompt="cat", **viewer)
    assert (await line(streamer_bot, do="queue", user="Aki")).startswith("@Aki 2 waiting. Next: C-001 Ren, C-002 Mika")
    assert (await document(streamer_bot, do="pos", **MIKA))["position"] == 2
    theirs = await document(streamer_bot, do="cancel", prompt="#1", **MIKA)
    assert (theirs["ok"], theirs["code"]) == (False, "job_not_theirs")
    gone = await document(streamer_bot, do="cancel", **MIKA)
    assert (gone["ok"], gone["cut"], gone["position"]) == (True, "C-002", 0)
    assert gone["chat"] == "@Mika C-002 was taken off the list."
    assert (await document(streamer_bot, do="pos", **MIKA))["code"] == "job_not_found"


async def test_viewers_vote_for_what_waits_and_on_the_ballot(streamer_bot: httpx.AsyncClient) -> None:
    for number in range(4):
        await line(streamer_bot, prompt="cat", **{**MIKA, "user_id": f"{number}", "msg_id": f"m{number}"})
    assert await line(streamer_bot, do="vote", prompt="#2", **MIKA) == "@Mika C-002 has 1 vote."
    assert (await streamer_bot.post("/ballots")).status_code == 201
    said = await line(streamer_bot, do="vote", prompt="1", **MIKA)
    assert said.endswith(" has 1 vote.")
    assert (await document(streamer_bot, do="vote", prompt="1"))["code"] == "request_invalid"


async def test_nobody_is_called_somebody(streamer_bot: httpx.AsyncClient) -> None:
    assert (await line(streamer_bot, prompt="cat")).startswith("C-001 is next")
    assert (await line(streamer_bot, prompt="", user="%user%")).startswith("say what to draw")


@pytest.mark.parametrize("hidden", ["&mod=True", "&bits=9000&vip=True", "&msg_id=other"])
async def test_a_name_with_parameters_in_it_earns_no_badge(streamer_bot: httpx.AsyncClient, hidden: str) -> None:
    """Streamer.bot puts %user% into the address as it is, and people on YouTube are called what they like."""
    known = "&".join(f"{name}={value}" for name, value in MIKA.items() if name != "user")
    answer = await streamer_bot.get(f"/streamerbot?format=json&prompt=cat&{known}&user=Mika{hidden}")
    assert (answer.status_code, answer.json()["code"]) == (200, "request_invalid")
    assert (await streamer_bot.get("/queue")).json()["waiting_count"] == 0


async def test_the_login_name_is_told_where_it_differs(streamer_bot: httpx.AsyncClient) -> None:
    told = await document(streamer_bot, prompt="cat", **{**MIKA, "user": "\u7f8e\u9999", "login": "Mika_77"})
    who = (await streamer_bot.get(f"/status/{told['job_id']}")).json()["requested_by"]
    assert (who["login"], who["display_name"]) == ("mika_77", "\u7f8e\u9999")


async def test_unsafe_signs_in_a_name_do_not_come_back(streamer_bot: httpx.AsyncClient) -> None:
    said = await line(streamer_bot, prompt="cat", **{**MIKA, "user": "Mi\u202eka\r\n/ban you"})
    assert "\u202e" not in said
    assert said.startswith("@Mi")


async def test_a_key_in_a_cookie_or_in_the_address_asks_for_nothing(
    gateway: GatewayThread, worker: None, redis: store.Client
) -> None:
    """A browser sends its cookie along whoever wrote the link, so a link could ask."""
    secret, _ = await Keys(redis).new(Role.BROADCASTER, "alice")
    same = {"Sec-Fetch-Site": "same-origin", "Cookie": f"{COOKIE}={secret}"}
    async with httpx.AsyncClient(base_url=gateway.url) as http:
        asked = {"prompt": "cat", **MIKA}
        for headers, more in ((same, {}), ({}, {"key": secret}), ({}, {"X-API-Key": secret}), ({}, {})):
            answer = await http.get("/streamerbot", params={**asked, **more}, headers=headers)
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthenticated")
        assert (await http.get("/queue")).json()["waiting_count"] == 0


async def test_only_get_asks(streamer_bot: httpx.AsyncClient) -> None:
    for method in ("HEAD", "POST", "PUT"):
        answer = await streamer_bot.request(method, "/streamerbot", params={"prompt": "cat", **MIKA})
        assert answer.status_code == 405
    assert (await streamer_bot.get("/queue")).json()["waiting_count"] == 0


async def test_the_answer_is_not_kept_by_anybody(streamer_bot: httpx.AsyncClient) -> None:
    answer = await streamer_bot.get("/streamerbot", params={"do": "queue"})
    assert answer.headers["Cache-Control"] == "no-store"


async def test_it_counts_as_a_change_though_it_is_a_get(
    valkey: Valkey, redis: store.Client, worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await bearer(redis, Role.MODERATOR)
    monkeypatch.setitem(door.WRITES, Role.MODERATOR, door.Rate(2, door.Duration.MINUTE))
    app = create_app(valkey.settings)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8420", headers=key) as http:
        codes = [(await http.get("/streamerbot", params={"do": "queue"})).status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    await app.state.studio.close()


async def test_without_redis_there_is_still_a_line(streamer_bot: httpx.AsyncClient, valkey: Valkey) -> None:
    await line(streamer_bot, do="queue", user="Mika")  # the gateway knows the key now
    valkey.kill()
    said = await line(streamer_bot, prompt="cat", **MIKA)
    assert said.startswith("@Mika the studio lost its notes for a moment.")
