"""Requests are counted by route, and what the log says of one carries its id and its job."""

import re

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from structlog.contextvars import get_contextvars, merge_contextvars
from structlog.testing import capture_logs

from api.state import State
from api.traffic import Traffic
from sakuga.job import new_job_id

REQUEST = re.compile(r'sakuga_http_requests_total\{method="(\w+)",route="([^"]+)",status="(\d+)"\} ([\d.]+)')


async def counted(http: httpx.AsyncClient) -> dict[tuple[str, str, str], float]:
    found = REQUEST.findall((await http.get("/metrics")).text)
    return {(method, route, status): float(number) for method, route, status, number in found}


async def test_requests_are_counted_by_pattern_and_not_by_address(http: httpx.AsyncClient) -> None:
    for _ in range(3):
        await http.get(f"/status/{new_job_id()}")
    await http.get("/overlay")
    await http.get("/studio/no-such-file.js")
    assert await counted(http) == {
        ("GET", "/status/{job_id}", "404"): 3,
        ("GET", "/overlay", "200"): 1,
        ("GET", "files", "404"): 1,
    }


async def test_made_up_addresses_and_methods_make_no_new_metrics(http: httpx.AsyncClient) -> None:
    for number in range(5):
        await http.get(f"/made/up/{number}")
        await http.request(f"MADEUP{number}", "/queue")
    found = await counted(http)
    assert found[("GET", "other", "404")] == 5
    assert {(method, status) for method, _, status in found} == {("GET", "404"), ("other", "405")}
    assert len(found) == 2


async def test_what_the_guard_refuses_is_counted_too(http: httpx.AsyncClient) -> None:
    await http.get("/queue", headers={"Origin": "https://evil.example"})
    assert await counted(http) == {("GET", "other", "403"): 1}


async def test_an_accepted_job_is_told_once_with_its_request_and_without_its_prompt(
    http: httpx.AsyncClient, studio: State
) -> None:
    with capture_logs([merge_contextvars]) as lines:
        job = (await http.post("/generate", json={"prompt": "unspeakable words"})).json()
    (line,) = lines
    assert (line["event"], line["job_id"], line["cut"]) == ("job.queued", job["job_id"], job["cut"])
    assert re.fullmatch(r"[0-9a-f]{8}", line["request_id"])
    assert "unspeakable" not in str(lines)
    assert not {"request_id", "job_id"} & set(get_contextvars())


@pytest.mark.parametrize("path", ["/status/{job_id}", "/jobs/{job_id}", "/jobs/{job_id}/cancel"])
async def test_a_line_about_a_request_for_a_job_names_the_job(
    path: str,
) -> None:
    seen: list[dict[str, object]] = []

    async def app(scope: object, receive: object, send: object) -> None:
        seen.append(get_contextvars())

    job_id = new_job_id()
    scope = {"type": "http", "method": "GET", "path": path.format(job_id=job_id)}
    await Traffic(app, CollectorRegistry())(scope, None, None)  # type: ignore[arg-type]
    assert seen[0]["job_id"] == job_id


async def test_a_request_is_counted_when_its_answer_begins_and_an_unanswered_one_is_not() -> None:
    async def silent(scope: object, receive: object, send: object) -> None:
        return None

    registry = CollectorRegistry()
    await Traffic(silent, registry)({"type": "http", "method": "GET", "path": "/"}, None, None)  # type: ignore[arg-type]
    assert "status=" not in generate_latest(registry).decode()
