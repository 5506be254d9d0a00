import httpx
import pytest

from api.state import State
from sakuga import store
from sakuga.catalog import Catalog
from sakuga.gate_policy import GatePolicy
from sakuga.queue import Queue
from tests.fakes.engines import CAST
from tests.fakes.keys import BEARER
from tests.fakes.valkey import Valkey

MIKA = {"platform": "twitch", "id": "3000", "login": "mika", "display_name": "Mika"}


async def ask(http: httpx.AsyncClient, prompt: object = "girl with sword", **more: object) -> httpx.Response:
    return await http.post("/generate", json={"prompt": prompt, **more})


async def test_a_request_is_accepted_with_its_number_place_eta_and_address(http: httpx.AsyncClient) -> None:
    await ask(http)
    answer = await ask(http, "robot cat", requested_by=MIKA)
    assert answer.status_code == 202
    document = answer.json()
    assert (document["number"], document["cut"], document["status"]) == (2, "C-002", "queued")
    assert document["queue_position"] == 2
    assert 6 <= document["eta_seconds"] <= 10
    assert document["status_url"] == f"/status/{document['job_id']}" == answer.headers["Location"]


async def test_everything_that_was_left_out_is_chosen(http: httpx.AsyncClient) -> None:
    job_id = (await ask(http)).json()["job_id"]
    document = (await http.get(f"/status/{job_id}")).json()
    assert (document["style"], document["engine"], document["lane"]) == ("anime", "rehearsal", "viewer")
    assert document["requested_by"]["display_name"] == "somebody"


async def test_subs_and_bits_get_their_lane_and_credits(http: httpx.AsyncClient) -> None:
    await ask(http)
    answer = await ask(http, "cat", requested_by={**MIKA, "roles": ["subscriber"], "bits": 300})
    assert answer.json()["queue_position"] == 1
    document = (await http.get(answer.json()["status_url"])).json()
    assert document["lane"] == "bits"
    told = [(credit["reason"], credit["seconds"], credit["by"]) for credit in document["credits"]]
    assert told == [("sub", 300.0, "studio"), ("300 bits", 180.0, "studio")]
    assert document["credits"][0]["at"] == pytest.approx(document["start_number"] + 480, abs=0.01)


async def test_preset_and_characters_stay_with_the_job(http: httpx.AsyncClient, studio: State) -> None:
    studio.file._catalog = Catalog.model_validate({"characters": CAST})
    answer = await ask(http, preset="draft", characters=["yuki", "ren", "yuki"])
    status = (await http.get(answer.json()["status_url"])).json()
    assert (status["preset"], status["characters"], status["renderer"]) == ("draft", ["yuki", "ren"], None)
    (waiting,) = (await http.get("/queue")).json()["waiting"]
    assert (waiting["preset"], waiting["characters"]) == ("draft", ["yuki", "ren"])
    plain = (await http.get((await ask(http)).json()["status_url"])).json()
    assert (plain["preset"], plain["characters"]) == ("live", [])


async def test_the_shows_preset_is_that_of_requests_that_name_none(http: httpx.AsyncClient, studio: State) -> None:
    studio.file._catalog = Catalog(preset="quality")
    assert (await http.get((await ask(http)).json()["status_url"])).json()["preset"] == "quality"


async def test_names_are_cleaned_before_anyone_sees_them(http: httpx.AsyncClient) -> None:
    answer = await ask(http, requested_by={**MIKA, "display_name": "Mi\u202eka" + "x" * 40})
    document = (await http.get(answer.json()["status_url"])).json()
    assert document["requested_by"]["display_name"] == "Mika" + "x" * 21


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        ({"prompt": ""}, 422, "prompt_empty", "prompt"),
        ({"prompt": " \u200b "}, 422, "prompt_empty", "prompt"),
        ({"prompt": "a" * 10_000}, 422, "prompt_too_long", "prompt"),
        ({"prompt": "bell\x07"}, 422, "prompt_unreadable", "prompt"),
        ({"prompt": "nul\x00"}, 422, "prompt_unreadable", "prompt"),
        ({"prompt": "abc\u202edef"}, 422, "prompt_unreadable", "prompt"),
        ({"prompt": 7}, 422, "request_invalid", "prompt"),
        ({"prompt": ["a"]}, 422, "request_invalid", "prompt"),
        ({}, 422, "request_invalid", "prompt"),
        ([], 422, "request_invalid", "body"),
        ({"prompt": "a", "style": "cubist"}, 422, "style_unknown", "style"),
        ({"prompt": "a", "engine": "gpt"}, 422, "engine_unknown", "engine"),
        ({"prompt": "a", "preset": "quality"}, 422, "preset_unknown", "preset"),
        ({"prompt": "a", "preset": "best"}, 422, "preset_unknown", "preset"),
        ({"prompt": "a", "preset": 1}, 422, "request_invalid", "preset"),
        ({"prompt": "a", "characters": ["nobody"]}, 422, "character_unknown", "characters"),
        ({"prompt": "a", "characters": "hana"}, 422, "request_invalid", "characters"),
        ({"prompt": "a", "characters": ["a", "b", "c", "d"]}, 422, "request_invalid", "characters"),
        ({"prompt": "a", "characters": ["a" * 41]}, 422, "request_invalid", "characters.0"),
        ({"prompt": "a", "duration": 0.5}, 422, "duration_out_of_range", "duration"),
        ({"prompt": "a", "duration": 1e9}, 422, "duration_out_of_range", "duration"),
        ({"prompt": "a", "duration": "long"}, 422, "request_invalid", "duration"),
        ({"prompt": "a", "seed": True}, 422, "request_invalid", "seed"),
        ({"prompt": "a", "seed": "7"}, 422, "request_invalid", "seed"),
        ({"prompt": "a", "seed": -1}, 422, "request_invalid", "seed"),
        ({"prompt": "a", "seed": 2**32}, 422, "request_invalid", "seed"),
        ({"prompt": "a", "colour": "red"}, 422, "request_invalid", "colour"),
        ({"prompt": "a", "requested_by": {"bits": -5}}, 422, "request_invalid", "requested_by.bits"),
        ({"prompt": "a", "requested_by": {"roles": ["king"]}}, 422, "request_invalid", "requested_by.roles.0"),
    ],
)
async def test_a_request_that_can_not_be_drawn_is_refused_with_code_param_and_a_sentence(
    http: httpx.AsyncClient, redis: store.Client, body: object, status: int, code: str, param: str
) -> None:
    answer = await http.post("/generate", json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (status, code, param)
    assert error["type"] == "invalid_request_error"
    assert error["message"].endswith((".", "?"))
    assert await redis.zcard(store.WAITING) == 0


@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        ("character", "character: there is no such field, perhaps characters was meant. See /docs"),
        ("colour", "colour: there is no such field. See /docs"),
    ],
)
async def test_a_field_that_does_not_exist_is_told_with_the_one_that_was_meant(
    http: httpx.AsyncClient, field: str, sentence: str
) -> None:
    answer = await http.post("/generate", json={"prompt": "cat", field: "hana"})
    assert answer.json()["error"]["message"].startswith(sentence)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'{"prompt":', "body_unreadable"),
        (b"", "request_invalid"),
        (b"\xff\xfe", "body_unreadable"),
        (b'{"prompt": "\\ud800"}', "prompt_unreadable"),
        (b'{"prompt": NaN}', "request_invalid"),
        (b"[" * 20_000, "body_unreadable"),
    ],
)
async def test_a_body_that_is_no_json_is_told_so(http: httpx.AsyncClient, content: bytes, code: str) -> None:
    answer = await http.post("/generate", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}
    assert answer.json()["error"]["code"] == code


async def test_the_same_key_is_one_job_and_gets_the_first_answer(http: httpx.AsyncClient, redis: store.Client) -> None:
    headers = {"Idempotency-Key": "message-1"}
    first = await http.post("/generate", json={"prompt": "cat"}, headers=headers)
    again = await http.post("/generate", json={"prompt": "cat"}, headers=headers)
    assert again.status_code == 202
    assert again.json()["job_id"] == first.json()["job_id"]
    assert await redis.zcard(store.WAITING) == 1
    other = await http.post("/generate", json={"prompt": "dog"}, headers=headers)
    assert (other.status_code, other.json()["error"]["code"]) == (409, "key_reused")


async def test_a_full_queue_says_how_many_wait_and_when_to_ask_again(http: httpx.AsyncClient, studio: object) -> None:
    limits = studio.catalog.limits.model_copy(update={"waiting": 2, "paid_places": 0})  # type: ignore[attr-defined]
    studio.file._catalog = studio.catalog.model_copy(update={"limits": limits})  # type: ignore[attr-defined]
    await ask(http, "one")
    await ask(http, "two")
    answer = await ask(http, "three")
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "queue_full")
    assert answer.json()["error"]["type"] == "rate_limit_error"
    assert "2 jobs wait" in answer.json()["error"]["message"]
    assert int(answer.headers["Retry-After"]) > 0


async def test_before_any_worker_came_the_studio_is_not_ready(studio: object, redis: store.Client) -> None:
    transport = httpx.ASGITransport(app=studio.app)  # type: ignore[attr-defined]
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8420", headers=BEARER) as http:
        answer = await ask(http)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "studio_not_ready")


async def test_when_the_broker_is_gone_the_answer_is_503_and_nothing_was_accepted(
    http: httpx.AsyncClient, valkey: Valkey
) -> None:
    await ask(http)
    await ask(http)  # within seconds, as a client that got no answer does
    valkey.kill()
    answer = await ask(http)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "broker_unavailable")
    assert answer.headers["Retry-After"]
    await valkey.start()
    assert (await ask(http, "robot cat")).status_code == 202
    async with store.connect(valkey.url) as redis:
        assert (await Queue(redis).board()).waiting_count == 2


async def test_the_same_request_within_seconds_is_one_job_and_another_one_is_not(http: httpx.AsyncClient) -> None:
    first, again = await ask(http), await ask(http)
    assert first.json()["job_id"] == again.json()["job_id"]
    assert (await ask(http, "robot cat")).json()["job_id"] != first.json()["job_id"]
    asked = {"requested_by": {"platform": "twitch", "id": "1"}}
    assert (await ask(http, **asked)).json()["job_id"] != first.json()["job_id"]


async def test_a_viewer_who_asks_too_soon_or_for_too_much_is_told_when_to_ask_again(http: httpx.AsyncClient) -> None:
    viewer, sub = (
        {"requested_by": {"platform": "twitch", "id": who, "roles": roles}}
        for who, roles in (("1", []), ("2", ["subscriber"]))
    )
    await ask(http, "one", **viewer)
    soon = await ask(http, "two", **viewer)
    assert (soon.status_code, soon.json()["error"]["code"]) == (429, "cooling_down")
    assert 25 <= int(soon.headers["Retry-After"]) <= 30
    await ask(http, "one", **sub)
    assert 10 <= int((await ask(http, "two", **sub)).headers["Retry-After"]) <= 15


async def test_a_word_of_the_streamers_list_is_refused_or_held_and_nobody_sees_it(
    http: httpx.AsyncClient, studio: State
) -> None:
    policy = GatePolicy(refuse=("spider",), hold=("clown",))
    studio.file._catalog = studio.catalog.model_copy(update={"gate": policy})
    refused = await ask(http, "a S.P.I.D.E.R in rain")
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "prompt_refused")
    assert "spider" not in refused.text.lower()
    held = (await ask(http, "a clown in rain")).json()
    assert (held["status"], held["queue_position"]) == ("held", None)
    assert (await http.get(held["status_url"])).json()["prompt"] == ""
    await studio.queue.cancel(held["job_id"])  # or it expires: nobody has let it through
    assert (await http.get(held["status_url"])).json()["prompt"] == ""
    troll = {"platform": "twitch", "id": "", "login": "spider_man", "display_name": "Spider"}
    named = (await ask(http, "a hill", requested_by=troll)).json()
    assert (await http.get(named["status_url"])).json()["requested_by"]["display_name"] == "somebody"
