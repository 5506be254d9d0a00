"""GET /metrics: what Prometheus is told, at every gateway the same."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from api.app import create_app
from api.metrics import Meters
from api.state import State
from sakuga import store
from sakuga.history import History
from sakuga.metric import FAMILIES
from sakuga.queue import Queue
from sakuga.role import Role
from tests.api.conftest import BASE
from tests.fakes.jobs import submitted
from tests.fakes.keys import bearer
from tests.fakes.lives import drawn
from tests.fakes.valkey import Valkey

Samples = dict[str, float]


@pytest.fixture(autouse=True)
def _always_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.metrics.KEPT_S", 0.0)


@pytest.fixture
async def other(valkey: Valkey) -> AsyncIterator[httpx.AsyncClient]:
    """A second gateway of the same studio."""
    app = create_app(valkey.settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE) as client:
        yield client
    await app.state.studio.close()


async def scraped(http: httpx.AsyncClient) -> Samples:
    """Return every sample by its name and labels."""
    answer = await http.get("/metrics")
    assert answer.status_code == 200, answer.text
    return {
        sample.name + "".join(f" {name}={value}" for name, value in sorted(sample.labels.items())): sample.value
        for family in parse(answer.text)
        for sample in family.samples
    }


async def test_every_metric_of_the_reference_is_told(http: httpx.AsyncClient) -> None:
    await http.get("/health")
    text = (await http.get("/metrics")).text
    assert set(FAMILIES) == {family for family in FAMILIES if f"# HELP {family.name} {family.help}" in text}
    told = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    assert told == {family.name for family in FAMILIES}


async def test_a_life_of_a_job_can_be_followed_in_figures(http: httpx.AsyncClient, redis: store.Client) -> None:
    accepted = (await http.post("/generate", json={"prompt": "robot cat"})).json()
    before = await scraped(http)
    assert before["sakuga_jobs lane=viewer status=queued"] == 1
    assert before["sakuga_jobs lane=mod status=held"] == 0
    assert before["sakuga_jobs_accepted_total lane=viewer"] == 1
    assert before["sakuga_jobs_ended_total code= outcome=succeeded"] == 0
    await Queue(redis).cancel(accepted["job_id"])
    await drawn(redis, render_s=7.5)
    after = await scraped(http)
    assert after["sakuga_jobs lane=viewer status=queued"] == 0
    assert after["sakuga_jobs_ended_total code= outcome=cancelled"] == 1
    assert after["sakuga_jobs_ended_total code= outcome=succeeded"] == 1
    assert after["sakuga_render_seconds_bucket engine=rehearsal le=5.0 preset=live"] == 0
    assert after["sakuga_render_seconds_bucket engine=rehearsal le=10.0 preset=live"] == 1
    assert after["sakuga_render_seconds_sum engine=rehearsal preset=live"] == 7.5
    assert after["sakuga_wait_seconds_count lane=viewer"] == 1
    assert after["sakuga_clips"] == 1


async def test_two_gateways_tell_the_same_of_the_studio_and_each_its_own_requests(
    http: httpx.AsyncClient, other: httpx.AsyncClient, redis: store.Client
) -> None:
    await submitted(Queue(redis))
    await drawn(redis)
    await http.get("/queue")

    def moving(name: str) -> bool:
        return name.startswith(("sakuga_http", "sakuga_oldest"))

    first, second = await scraped(http), await scraped(other)
    assert {name: value for name, value in first.items() if not moving(name)} == {
        name: value for name, value in second.items() if not moving(name)
    }
    assert first["sakuga_http_requests_total method=GET route=/queue status=200"] == 1
    assert "sakuga_http_requests_total method=GET route=/queue status=200" not in second


async def test_workers_and_what_troubles_them_are_counted(http: httpx.AsyncClient, redis: store.Client) -> None:
    fine = await scraped(http)
    assert (fine["sakuga_workers"], fine["sakuga_renderers_up"], fine["sakuga_gpus_warm"]) == (1, 1, 1)
    document = {"there": False, "warm": False, "trouble": "renderer_unauthorised"}
    await redis.hset(store.WORKER_DOCUMENTS, "worker_1", json.dumps(document))
    away = await scraped(http)
    assert (away["sakuga_workers"], away["sakuga_renderers_up"], away["sakuga_gpus_warm"]) == (1, 0, 0)
    assert away["sakuga_renderer_trouble code=renderer_unauthorised"] == 1


async def test_how_wrong_past_etas_were_is_told(http: httpx.AsyncClient, redis: store.Client) -> None:
    assert "sakuga_eta_kept_ratio" not in await scraped(http)
    (entry,) = [json.loads(raw) for raw in [await _ended(redis)]]
    for promised, most, actual in ((90, 120, 100), (50, 80, 100)):
        told = {"promised_p50_s": promised, "promised_p90_s": most, "ended_at": entry["requested_at"] + actual}
        await redis.lpush(store.ENDED, json.dumps(entry | told))
    assert len(await History(redis).judged()) == 2
    found = await scraped(http)
    assert found["sakuga_eta_judged"] == 2
    assert found["sakuga_eta_error_ratio quantile=0.5"] == pytest.approx(0.1)
    assert found["sakuga_eta_error_ratio quantile=0.9"] == pytest.approx(0.5)
    assert found["sakuga_eta_kept_ratio"] == 0.5


async def _ended(redis: store.Client) -> str:
    await drawn(redis)
    entry: str = await redis.lpop(store.ENDED)
    return entry


async def test_what_is_left_of_the_budget_is_told_where_there_is_a_limit(
    http: httpx.AsyncClient, studio: State, redis: store.Client
) -> None:
    assert not any(name.startswith("sakuga_budget_left") for name in await scraped(http))
    budget = studio.catalog.budget.model_copy(update={"day_usd": 2.0})
    studio.file._catalog = studio.catalog.model_copy(update={"budget": budget})
    day = int((await redis.time())[0]) // 86400
    await redis.set(f"{store.SPENT_PREFIX}day:{day}", 1_700_000)
    found = await scraped(http)
    assert found["sakuga_budget_limit_usd pot=day"] == 2.0
    assert found["sakuga_budget_left_usd pot=day"] == pytest.approx(0.3)
    assert found["sakuga_budget_level"] == 1
    assert "sakuga_budget_left_usd pot=session" not in found


async def test_without_redis_it_says_so_and_still_counts_requests(
    http: httpx.AsyncClient, studio: State, valkey: Valkey
) -> None:
    await http.get("/health")
    valkey.kill()
    found = await scraped(http)
    assert found["sakuga_broker_up"] == 0
    assert found["sakuga_http_requests_total method=GET route=/health status=200"] == 1
    assert "sakuga_workers" not in found


async def test_no_word_of_a_viewer_is_in_it(http: httpx.AsyncClient, redis: store.Client) -> None:
    asked_by = {"platform": "twitch", "id": "77001", "login": "sneaky_name", "display_name": "Sneaky"}
    answer = await http.post("/generate", json={"prompt": "unspeakable words", "requested_by": asked_by})
    assert answer.status_code == 202
    await http.get("/status/" + answer.json()["job_id"])
    await http.get("/no_such_thing/unspeakable")
    text = (await http.get("/metrics")).text.lower()
    assert not any(word in text for word in ("unspeakable", "77001", "sneaky", "job_0"))


async def test_openmetrics_is_told_to_who_asks_for_it(http: httpx.AsyncClient, redis: store.Client) -> None:
    await drawn(redis)
    answer = await http.get(
        "/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}
    )
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert "sakuga_jobs_ended" in {family.name for family in parse_openmetrics(answer.text)}
    assert (await http.get("/metrics")).headers["Content-Type"].startswith("text/plain")


async def test_it_can_be_locked_like_all_that_is_read(valkey: Valkey, redis: store.Client) -> None:
    app = create_app(valkey.settings.model_copy(update={"keyless_reads": False}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE) as client:
        assert (await client.get("/metrics")).status_code == 401
        assert (await client.get("/metrics", headers=await bearer(redis, Role.OVERLAY))).status_code == 200
    await app.state.studio.close()


async def test_the_broker_is_asked_once_a_second_however_many_ask(
    http: httpx.AsyncClient, studio: State, redis: store.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.metrics.KEPT_S", 60.0)
    meters = Meters(studio)
    await meters.look()
    await submitted(Queue(redis))
    await meters.look()
    assert meters._found
    assert not meters._found.reading.jobs
