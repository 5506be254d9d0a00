"""What moderators set for the show, and numbers that begin anew with each stream."""

from typing import Any

import httpx
import pytest

from api.state import State
from sakuga import store
from sakuga.catalog import Catalog
from sakuga.events import Events
from sakuga.queue import Queue
from tests.fakes.engines import CAST, PICTURED, WAN
from tests.fakes.lives import begun

STYLES = {"anime": {"title": "Anime"}, "neon": {"title": "Neon"}, "sumi": {"title": "Sumi"}}


@pytest.fixture(autouse=True)
def offered(studio: State) -> None:
    studio.file._catalog = Catalog.model_validate({"styles": STYLES, "characters": CAST, "limits": {"double_s": 0}})


async def ask(http: httpx.AsyncClient, **more: object) -> dict[str, Any]:
    answer = await http.post("/generate", json={"prompt": "a cat", **more})
    assert answer.status_code == 202, answer.text
    status: dict[str, Any] = (await http.get(answer.json()["status_url"])).json()
    return status


async def test_style_and_cast_of_the_show_are_those_of_jobs_that_name_none(
    http: httpx.AsyncClient, moderator: httpx.AsyncClient
) -> None:
    before = await ask(http)
    answer = await moderator.put("/show", json={"style": "neon", "characters": ["yuki", "yuki", "ren"]})
    assert answer.json() == {"style": "neon", "characters": ["yuki", "ren"]}
    assert (await http.get("/show")).json() == answer.json()
    catalog = (await http.get("/catalog")).json()
    assert (catalog["style"], catalog["cast"]) == ("neon", ["yuki", "ren"])
    after, named = await ask(http), await ask(http, style="sumi", characters=["ren"])
    assert [(job["style"], job["characters"]) for job in (before, after, named)] == [
        ("anime", []),
        ("neon", ["yuki", "ren"]),
        ("sumi", ["ren"]),
    ]


async def test_what_is_left_out_stays_and_null_leaves_it_to_the_studio_file(moderator: httpx.AsyncClient) -> None:
    await moderator.put("/show", json={"style": "neon", "characters": ["yuki"]})
    answer = await moderator.put("/show", json={"characters": []})
    assert answer.json() == {"style": "neon", "characters": []}
    answer = await moderator.put("/show", json={"style": None})
    assert answer.json() == {"style": None, "characters": []}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"style": "noir"}, "style_unknown"),
        ({"characters": ["nobody"]}, "character_unknown"),
        ({"characters": ["hana"]}, "character_unavailable"),
        ({"characters": ["a"] * 4}, "request_invalid"),
        ({"title": "x"}, "request_invalid"),
    ],
)
async def test_names_that_nobody_could_ask_for_are_refused(
    moderator: httpx.AsyncClient, body: dict[str, object], code: str
) -> None:
    answer = await moderator.put("/show", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, code)


async def test_only_moderators_set_it(http: httpx.AsyncClient) -> None:
    assert (await http.put("/show", json={"style": "neon"})).status_code == 403


async def test_it_stands_in_the_audit_and_undoing_brings_back_what_was_set_before(
    moderator: httpx.AsyncClient, redis: store.Client
) -> None:
    await moderator.put("/show", json={"style": "neon", "characters": ["yuki"]})
    await moderator.put("/show", json={"style": "sumi"})
    await moderator.put("/show", json={"style": "sumi"})
    acts = (await moderator.get("/audit")).json()["acts"]
    assert [(entry["act"]["type"], entry["act"]["by"]) for entry in acts] == [("show.set", "alice")] * 2
    assert (await moderator.post(f"/audit/{acts[0]['act_id']}/undo")).status_code == 200
    assert (await moderator.get("/show")).json() == {"style": "neon", "characters": ["yuki"]}
    assert (await moderator.post(f"/audit/{acts[1]['act_id']}/undo")).status_code == 200
    assert (await moderator.get("/show")).json() == {"style": None, "characters": None}
    told = [event.data for event in await Events(redis).after("0-0") if event.type == "show.changed"]
    assert [data["style"] for data in told] == ["neon", "sumi", "neon", None]


async def test_undoing_one_of_the_two_leaves_the_other_as_it_is(moderator: httpx.AsyncClient) -> None:
    for body in ({"style": "neon"}, {"characters": ["ren"]}, {"characters": []}):
        await moderator.put("/show", json=body)
    acts = (await moderator.get("/audit")).json()["acts"]
    for act, left in ((acts[2], {"style": None, "characters": []}), (acts[0], {"style": None, "characters": ["ren"]})):
        await moderator.post(f"/audit/{act['act_id']}/undo")
        assert (await moderator.get("/show")).json() == left


async def test_the_end_of_the_stream_takes_it_back(http: httpx.AsyncClient, moderator: httpx.AsyncClient) -> None:
    await moderator.put("/show", json={"style": "neon"})
    await http.post("/session/begin")
    assert (await http.get("/show")).json()["style"] == "neon"
    await http.post("/session/end")
    assert (await http.get("/show")).json() == {"style": None, "characters": None}
    assert (await ask(http))["style"] == "anime"


async def test_a_style_that_has_left_the_studio_file_and_a_cast_that_an_engine_can_not_draw_refuse_nobody(
    http: httpx.AsyncClient, moderator: httpx.AsyncClient, studio: State
) -> None:
    studio._specs = {"wan-i2v": PICTURED, "wan": WAN}
    studio._specs_until = float("inf")
    answer = await moderator.put("/show", json={"style": "neon", "characters": ["hana", "ren"]})
    assert answer.status_code == 200, answer.text
    drawn = await ask(http)
    assert (drawn["engine"], drawn["characters"]) == ("wan-i2v", ["hana", "ren"])
    assert (await ask(http, engine="wan"))["characters"] == []
    studio.file._catalog = Catalog.model_validate({"characters": CAST, "limits": {"double_s": 0}})
    assert (await ask(http))["style"] == "anime"
    assert (await http.get("/catalog")).json()["style"] == "anime"


async def test_numbers_begin_anew_with_the_stream_unless_somebody_still_waits(
    http: httpx.AsyncClient, redis: store.Client
) -> None:
    first = [(await ask(http, seed=seed))["number"] for seed in (1, 2)]
    await http.post("/session/begin")
    waiting = await ask(http)
    assert (first, waiting["cut"]) == ([1, 2], "C-003")
    await http.post("/session/end", json={"rest": "cancel"})
    await http.post("/session/begin")
    assert (await ask(http))["cut"] == "C-001"
    await http.post("/session/begin")
    assert (await ask(http, seed=3))["cut"] == "C-002"


@pytest.mark.parametrize("where", ["held", "running"])
async def test_numbers_go_on_while_somebody_is_held_or_drawn(
    http: httpx.AsyncClient, moderator: httpx.AsyncClient, redis: store.Client, where: str
) -> None:
    if where == "running":
        await begun(redis)
    else:
        await moderator.post(f"/jobs/{(await ask(http))['job_id']}/hold")
    await http.post("/session/begin")
    assert (await ask(http, seed=3))["number"] == 2
    assert (await Queue(redis).board()).waiting_count == 1
