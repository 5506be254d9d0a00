"""Several viewers fill a pot; when its clock has run out, one job is made of it, once."""

import asyncio
from contextlib import suppress
from typing import Any

import httpx
import pytest

from api import pot
from api.app import create_app
from api.state import State
from sakuga import chores, store
from sakuga.catalog import Catalog
from sakuga.event import EventType
from sakuga.gate_policy import GatePolicy
from sakuga.job import JobStatus
from sakuga.limits import Limits
from sakuga.moderation import Moderation
from sakuga.pots import Pots
from sakuga.queue import Queue
from sakuga.role import Role
from tests.fakes.jobs import happened
from tests.fakes.keys import bearer
from tests.fakes.valkey import Valkey


def viewer(login: str, **more: object) -> dict[str, object]:
    return {"platform": "twitch", "id": f"id-{login}", "login": login, "display_name": login.title(), **more}


async def add(http: httpx.AsyncClient, words: str, login: str = "mika", **more: object) -> httpx.Response:
    key = more.pop("key", None)
    headers = {"Idempotency-Key": str(key)} if key else {}
    body = {"words": words, "requested_by": viewer(login), **more}
    return await http.post("/pot", json=body, headers=headers)


async def now(http: httpx.AsyncClient) -> Any:
    return (await http.get("/pot")).json()["pot"]


async def run_out(redis: store.Client) -> None:
    """Let the clock of the open pot have run out, for the second time."""
    await redis.hset(store.POT, mapping={"closes_at": "1", "again": "1"})


async def status(http: httpx.AsyncClient, job_id: str) -> dict[str, Any]:
    document: dict[str, Any] = (await http.get(f"/status/{job_id}")).json()
    return document


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_one_job_is_made_of_all_lines_with_everybody_credited(
    http: httpx.AsyncClient, studio: State, redis: store.Client
) -> None:
    assert await now(http) is None
    opened = (await add(http, "a cat")).json()
    assert (opened["joined"], opened["pot"]["state"], opened["pot"]["names"]) == ("opened", "open", ["Mika"])
    for login, words in (("jo", "neon rain"), ("aki", "on a roof"), ("ren", "at night")):
        assert (await add(http, words, login)).json()["joined"] == "joined"
    assert await pot.pour(studio) is None
    await run_out(redis)
    job = await pot.pour(studio)
    assert job is not None
    document = await status(http, job.id)
    assert document["prompt"] == "a cat, neon rain, on a roof, at night"
    assert document["requested_by"] == {"platform": "twitch", "login": "", "display_name": "Mika + 3"}
    assert document["ensemble"] == ["Mika", "Jo", "Aki", "Ren"]
    (waiting,) = (await http.get("/queue")).json()["waiting"]
    assert waiting["ensemble"] == document["ensemble"]
    told = await now(http)
    assert (told["state"], told["job_id"], told["names"]) == ("poured", job.id, [])


async def test_the_studio_pours_by_itself(
    http: httpx.AsyncClient, studio: State, redis: store.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pot, "EVERY_S", 0.01)
    studio.file._catalog = Catalog.model_validate({"pot": {"seconds": 1, "least": 1}})
    pouring = [asyncio.create_task(pot.keep_pouring(studio)) for _ in range(3)]
    try:
        await add(http, "a cat")
        await happened(redis, EventType.POT_POURED)
    finally:
        await chores.end(pouring)
    assert (await Queue(redis).board()).waiting_count == 1


async def test_many_gateways_make_one_job_and_one_number(
    http: httpx.AsyncClient, studio: State, valkey: Valkey, redis: store.Client
) -> None:
    others = [create_app(valkey.settings).state.studio for _ in range(3)]
    for login in ("mika", "jo"):
        await add(http, f"a cat of {login}", login)
    await run_out(redis)
    jobs = await asyncio.gather(*(pot.pour(one) for one in (studio, *others) for _ in range(4)))
    assert len({job.id for job in jobs if job}) == 1
    assert (await Queue(redis).board(10)).waiting_count == 1
    assert await redis.hget(store.STUDIO, "number") == "1"
    for other in others:
        await other.close()


async def test_a_gateway_that_dies_between_job_and_word_of_it_leaves_one_job(
    http: httpx.AsyncClient, studio: State, valkey: Valkey, redis: store.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for login in ("mika", "jo"):
        await add(http, f"a cat of {login}", login)
    await run_out(redis)

    class Died(BaseException):
        pass

    async def dies(*_: object, **__: object) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(Pots, "poured", dies)
        with suppress(Died):
            await pot.pour(studio)
    assert (await now(http))["state"] == "pouring"
    other = create_app(valkey.settings).state.studio
    job = await pot.pour(other)
    assert job is not None
    assert (await Queue(redis).board(10)).waiting_count == 1
    assert (await now(http))["job_id"] == job.id
    await other.close()


async def test_one_viewer_alone_gets_their_cut_anyway_as_their_own(
    http: httpx.AsyncClient, studio: State, redis: store.Client
) -> None:
    await add(http, "a cat")
    await redis.hset(store.POT, "closes_at", "1")
    assert await pot.pour(studio) is None
    assert (await now(http))["state"] == "open"
    await redis.hset(store.POT, "closes_at", "1")
    job = await pot.pour(studio)
    assert job is not None
    assert (job.ensemble, job.viewer, job.requested_by.name) == ([], "twitch:id-mika", "Mika")
    answer = await http.post(f"/jobs/{job.id}/withdraw", json={"viewer": "twitch:id-mika"})
    assert answer.json()["status"] == "cancelled"


async def test_it_counts_for_nobodys_limits(http: httpx.AsyncClient, studio: State, redis: store.Client) -> None:
    studio.file._catalog = Catalog(limits=Limits.model_validate({"cooldown": {"viewer": 600}, "active": {"viewer": 1}}))
    asked = await http.post("/generate", json={"prompt": "a dog", "requested_by": viewer("mika")})
    assert asked.status_code == 202
    for login in ("mika", "jo"):
        assert (await add(http, f"a cat of {login}", login)).status_code == 200
    await run_out(redis)
    assert await pot.pour(studio) is not None
    answer = await http.post("/generate", json={"prompt": "a dog", "requested_by": viewer("jo")})
    assert answer.status_code == 202
    assert [credit["reason"] for credit in (await status(http, answer.json()["job_id"]))["credits"]] == []


async def test_a_line_passes_the_gate_and_a_held_one_holds_the_whole(
    http: httpx.AsyncClient, studio: State, redis: store.Client
) -> None:
    policy = GatePolicy(refuse=("spider",), hold=("clown",))
    studio.file._catalog = studio.catalog.model_copy(update={"gate": policy})
    assert code_of(await add(http, "a spider")) == (422, "prompt_refused")
    assert await now(http) is None
    assert (await add(http, "a clown")).status_code == 200
    assert (await add(http, "a cat", "jo")).status_code == 200
    await run_out(redis)
    job = await pot.pour(studio)
    assert job is not None
    assert job.status is JobStatus.HELD
    assert (await status(http, job.id))["prompt"] == ""


async def test_what_only_together_can_not_be_drawn_waits_for_a_moderator(
    http: httpx.AsyncClient, studio: State, redis: store.Client
) -> None:
    studio.file._catalog = studio.catalog.model_copy(update={"gate": GatePolicy(refuse=("red spider",))})
    for login, words in (("mika", "red"), ("jo", "spider")):
        assert (await add(http, words, login)).status_code == 200
    await run_out(redis)
    job = await pot.pour(studio)
    assert job is not None
    assert job.status is JobStatus.HELD


@pytest.mark.parametrize(
    ("words", "code"),
    [("", "prompt_empty"), ("x" * 301, "prompt_too_long"), ("a\x07", "prompt_unreadable"), (7, "request_invalid")],
)
async def test_words_are_checked_like_a_prompt(http: httpx.AsyncClient, words: Any, code: str) -> None:
    assert code_of(await add(http, words)) == (422, code)


async def test_names_that_may_not_be_on_air_are_not(http: httpx.AsyncClient, studio: State) -> None:
    studio.file._catalog = studio.catalog.model_copy(update={"gate": GatePolicy(refuse=("spider",))})
    told = (await add(http, "a cat", "spider")).json()
    assert told["pot"]["names"] == ["somebody"]


async def test_a_full_or_due_pot_is_poured_and_the_next_opened(
    http: httpx.AsyncClient, studio: State, redis: store.Client
) -> None:
    studio.file._catalog = Catalog.model_validate({"pot": {"most": 2}})
    first, second, third = [(await add(http, "a cat", login)).json() for login in ("mika", "jo", "aki")]
    assert [told["joined"] for told in (first, second, third)] == ["opened", "joined", "opened"]
    assert (third["pot"]["names"], (await Queue(redis).board()).waiting_count) == (["Aki"], 1)


async def test_a_queue_that_takes_nothing_takes_no_lines_and_a_pot_spills(
    http: httpx.AsyncClient, moderator: httpx.AsyncClient, studio: State, redis: store.Client
) -> None:
    await add(http, "a cat")
    await moderator.post("/queue/close")
    assert code_of(await add(http, "a dog", "jo")) == (503, "queue_closed")
    await run_out(redis)
    assert await pot.pour(studio) is None
    told = await now(http)
    assert (told["state"], told["job_id"], told["reason"]) == ("spilled", None, "queue_closed")
    await moderator.post("/queue/open")
    assert (await add(http, "a dog", "jo")).json()["joined"] == "opened"


async def test_the_same_message_is_one_line_also_after_it_was_poured(
    http: httpx.AsyncClient, studio: State, redis: store.Client
) -> None:
    for _ in range(2):
        assert (await add(http, "a cat", key="m-1")).status_code == 200
    await run_out(redis)
    await pot.pour(studio)
    again = (await add(http, "a cat", key="m-1")).json()
    assert (again["joined"], again["pot"]["state"]) == ("again", "poured")


async def test_whoever_is_banned_takes_the_whole_along_and_a_message_too(
    http: httpx.AsyncClient, moderator: httpx.AsyncClient, studio: State, redis: store.Client
) -> None:
    for by in ("ban", "ban by login", "message", "viewer"):
        for login in ("mika", "jo"):
            await add(http, f"a cat of {login}", login, message_id=f"{by}-{login}".replace(" ", "_"))
        await run_out(redis)
        job = await pot.pour(studio)
        assert job is not None
        match by:
            case "ban" | "ban by login":
                name = "twitch:id-jo" if by == "ban" else "twitch:jo"
                await moderator.post("/bans", json={"viewer": name})
                await moderator.delete(f"/bans/{name}")
            case "message":
                body = {"platform": "twitch", "kind": "message", "message_id": "message-jo"}
                assert (await moderator.post("/retractions", json=body)).json()["cancelled"] == [job.id]
            case _:
                body = {"platform": "twitch", "kind": "viewer", "viewer": "twitch:id-jo"}
                assert (await moderator.post("/retractions", json=body)).status_code == 200
        assert (await status(http, job.id))["status"] == "cancelled", by


async def test_who_leaves_while_it_is_poured_stops_the_job(
    http: httpx.AsyncClient, studio: State, redis: store.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for login in ("mika", "jo"):
        await add(http, f"a cat of {login}", login)
    await run_out(redis)
    submit = studio.queue.submit

    async def submitted_late(*given: Any, **named: Any) -> Any:
        done = await submit(*given, **named)
        await Pots(redis).leave("twitch:id-jo")
        return done

    monkeypatch.setattr(studio.queue, "submit", submitted_late)
    assert await pot.pour(studio) is None
    assert (await Queue(redis).board()).waiting_count == 0
    assert (await now(http))["reason"] == "message_retracted"


async def test_the_ensemble_stays_with_a_job_that_is_tried_again(
    http: httpx.AsyncClient, studio: State, redis: store.Client
) -> None:
    for login in ("mika", "jo"):
        await add(http, f"a cat of {login}", login)
    await run_out(redis)
    job = await pot.pour(studio)
    assert job is not None
    await Moderation(redis).cancel(job.id, by="alice")
    again = await Moderation(redis).retry(job.id, by="alice")
    assert (again.ensemble, again.crowd) == (job.ensemble, job.crowd)


async def test_a_viewers_key_speaks_for_itself(http: httpx.AsyncClient, studio: State, redis: store.Client) -> None:
    headers = await bearer(redis, Role.VIEWER, "otto")
    answer = await http.post("/pot", json={"words": "a cat", "requested_by": viewer("mika")}, headers=headers)
    assert answer.json()["pot"]["names"] == ["otto"]
    answer = await http.post("/pot", json={"words": "a cat", "message_id": "m-1"}, headers=headers)
    assert code_of(answer) == (403, "forbidden")
