"""What the show costs, over HTTP."""

from pathlib import Path

import httpx
import pytest

from api.state import State
from sakuga import store
from sakuga.engine import Cost
from sakuga.lifecycle import Lifecycle
from sakuga.queue import Queue
from sakuga.role import Role
from sakuga.studio_file import StudioFile
from tests.fakes.jobs import clip
from tests.fakes.keys import bearer
from tests.fakes.renderer import SPEC
from worker import upkeep

MIKA = {"platform": "twitch", "id": "3000", "login": "mika"}
RATE = 0.01


@pytest.fixture
async def mod(redis: store.Client) -> dict[str, str]:
    return await bearer(redis, Role.MODERATOR)


@pytest.fixture
async def rented(redis: store.Client, http: httpx.AsyncClient) -> None:
    """A worker whose renderer is Modal."""
    spec = SPEC.model_copy(update={"usd_per_s": RATE})
    await upkeep.introduce(redis, upkeep.Introduction("worker_1", "modal", [spec], 1))


def say(studio: State, tmp_path: Path, text: str) -> None:
    (tmp_path / "studio.toml").write_text(f"[limits]\ndouble_s = 0\ncooldown = {{viewer = 0}}\n{text}")
    studio.file = StudioFile(tmp_path / "studio.toml")


async def ask(http: httpx.AsyncClient, viewer: str = "1", **more: object) -> httpx.Response:
    return await http.post("/generate", json={"prompt": "cat", "requested_by": {**MIKA, "id": viewer, **more}})


async def drawn(redis: store.Client, job_id: str, usd: float) -> None:
    """Draw a waiting job for that much."""
    await Queue(redis).admit()
    job, _ = await Queue(redis).look(job_id)
    job = job.model_copy(update={"attempt": 1, "handle": "modal:1"})
    assert await Lifecycle(redis).begin_attempt(job, usd_per_s=RATE)
    await Lifecycle(redis).finish(job)
    made = clip(id=job_id.replace("job", "clip"), job_id=job_id, cost=Cost(gpu="H100", seconds=3, usd=usd))
    assert await Lifecycle(redis).succeed(job, made)
    await redis.zrem(store.SLOTS, job_id)


async def test_an_estimate_is_told_on_accept_and_the_true_cost_at_the_end(
    http: httpx.AsyncClient, redis: store.Client, rented: None
) -> None:
    accepted = (await ask(http)).json()
    assert accepted["estimate_usd"] == pytest.approx(0.035, rel=0.1)  # three seconds and a start
    waiting = (await http.get(accepted["status_url"])).json()
    assert (waiting["estimate_usd"], waiting["cost_usd"]) == (accepted["estimate_usd"], None)
    assert (await http.get("/budget")).json()["promised_usd"] == accepted["estimate_usd"]
    await drawn(redis, accepted["job_id"], 0.0421)
    assert (await http.get(accepted["status_url"])).json()["cost_usd"] == 0.0421
    told = (await http.get("/budget")).json()
    assert (told["promised_usd"], told["total_usd"], told["day"]["spent_usd"]) == (0, 0.0421, 0.0421)


async def test_a_rehearsal_is_free_and_the_budget_says_so(http: httpx.AsyncClient) -> None:
    assert (await ask(http)).json()["estimate_usd"] == 0
    told = (await http.get("/budget")).json()
    assert told["prices"] == [{"engine": "rehearsal", "usd_per_s": 0, "source": "none"}]
    assert (told["level"], told["session"]["limit_usd"], told["day"]["left_usd"]) == ("open", None, None)


async def test_a_price_of_the_studio_file_comes_before_the_engines(
    http: httpx.AsyncClient, studio: State, tmp_path: Path, rented: None
) -> None:
    assert (await http.get("/budget")).json()["prices"] == [
        {"engine": "rehearsal", "usd_per_s": RATE, "source": "engine"}
    ]
    say(studio, tmp_path, "[prices]\nmodal = 0.5\n")
    assert (await http.get("/budget")).json()["prices"] == [
        {"engine": "rehearsal", "usd_per_s": 0.5, "source": "studio file"}
    ]


async def test_the_soft_limit_closes_the_viewers_lane_the_hard_one_all_and_bits_open_it_again(
    http: httpx.AsyncClient, studio: State, redis: store.Client, tmp_path: Path, rented: None
) -> None:
    say(studio, tmp_path, "[budget]\nday_usd = 1\nsoft = 0.5\nusd_per_100_bits = 0.25\n")
    await drawn(redis, (await ask(http)).json()["job_id"], 0.6)
    told = (await http.get("/budget")).json()
    assert (told["level"], told["day"]["left_usd"]) == ("soft", 0.4)
    refused = await ask(http, "2")
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "budget_spent")
    assert int(refused.headers["Retry-After"]) >= 1
    assert (await ask(http, "3", roles=["vip"])).status_code == 429
    accepted = await ask(http, "4", roles=["subscriber"])
    assert accepted.status_code == 202
    await drawn(redis, accepted.json()["job_id"], 0.39)
    assert (await ask(http, "5", roles=["subscriber"])).status_code == 429
    assert (await ask(http, "5", roles=["subscriber"], bits=400)).status_code == 202
    assert (await http.get("/budget")).json()["day"]["refilled_usd"] == 1


async def test_moderators_refill_once_for_each_key_and_see_it_in_ledger_and_audit(
    http: httpx.AsyncClient, mod: dict[str, str], studio: State, tmp_path: Path
) -> None:
    say(studio, tmp_path, "[budget]\nsession_usd = 1\nusd_per_100_bits = 0.25\n")
    for _ in range(2):
        told = await http.post(
            "/budget/refill", json={"usd": 2, "reason": "tip"}, headers=mod | {"Idempotency-Key": "a"}
        )
    assert told.json()["session"] == {
        "session_id": None,
        "live": False,
        "spent_usd": 0,
        "limit_usd": 1,
        "refilled_usd": 2,
        "left_usd": 3,
    }
    assert (await http.post("/budget/refill", json={"bits": 350}, headers=mod)).json()["day"]["refilled_usd"] == 2.75
    lines = (await http.get("/budget/ledger", headers=mod)).json()["entries"]
    assert [(line["type"], line["usd"], line["by"], line["reason"]) for line in lines] == [
        ("refilled", 0.75, "alice", None),
        ("refilled", 2, "alice", "tip"),
    ]
    acts = (await http.get("/audit", headers=mod)).json()["acts"]
    assert [act["act"]["type"] for act in acts] == ["budget.refilled"] * 2


@pytest.mark.parametrize("body", [{}, {"usd": 1, "bits": 100}, {"usd": 0}, {"usd": -1}, {"bits": 99}, {"bits": 100}])
async def test_a_refill_of_nothing_is_refused_and_says_why(
    http: httpx.AsyncClient, mod: dict[str, str], body: dict[str, object]
) -> None:
    answer = await http.post("/budget/refill", json=body, headers=mod)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "request_invalid")


@pytest.mark.parametrize("before", ["0-0", "nonsense", "1", f"{2**64}-0"])
async def test_what_is_no_line_of_the_ledger_is_refused(
    http: httpx.AsyncClient, mod: dict[str, str], before: str
) -> None:
    assert (await http.get("/budget/ledger", params={"before": before}, headers=mod)).status_code == 422


async def test_a_bot_may_read_what_is_left_but_neither_refill_nor_see_for_whom(http: httpx.AsyncClient) -> None:
    assert (await http.get("/budget")).status_code == 200
    for method, path in (("POST", "/budget/refill"), ("GET", "/budget/ledger"), ("GET", "/budget/viewers")):
        assert (await http.request(method, path, json={"usd": 1} if method == "POST" else None)).status_code == 403


async def test_the_ledger_can_be_read_on_and_names_who_costs_most(
    http: httpx.AsyncClient, redis: store.Client, mod: dict[str, str], rented: None
) -> None:
    for viewer, usd in (("1", 0.1), ("2", 0.3)):
        await drawn(redis, (await ask(http, viewer)).json()["job_id"], usd)
    first = (await http.get("/budget/ledger?limit=1", headers=mod)).json()
    second = (await http.get(f"/budget/ledger?limit=1&before={first['next_before']}", headers=mod)).json()
    assert [page["entries"][0]["usd"] for page in (first, second)] == [0.3, 0.1]
    assert second["entries"][0]["attempt"] == 1
    assert (await http.get("/budget/viewers", headers=mod)).json()["viewers"] == [
        {"viewer": "twitch:2", "spent_usd": 0.3},
        {"viewer": "twitch:1", "spent_usd": 0.1},
    ]
