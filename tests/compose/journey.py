"""`make test-compose`: the containers of docker-compose.yml, built, run and taken through a stream's troubles.

It needs a Docker engine (DOCKER_HOST names it, if not the usual one) with `docker compose` or `docker-compose`.
The name keeps it out of `make test`, which must not need an engine.
"""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.keys import BEARER, KEY

HOUSE = Path(__file__).parents[2]
PROJECT = "sakuga-test"
OURS = ("gateway", "worker", "stage", "bot")
SERVICES = ("redis", *OURS)
TERMINAL = {"succeeded", "failed", "cancelled", "rejected", "expired"}
UID = "10001"
BUILD_S, HEALTHY_S, RENDER_S, RESTART_S, STOP_S = 1200, 120, 120, 60, 90

pytestmark = pytest.mark.timeout(BUILD_S + HEALTHY_S)  # the first test waits for the build


def docker(*arguments: str, check: bool = True, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=check, timeout=timeout_s)


def eventually(look: Callable[[], Any], *, within_s: float, what: str) -> Any:
    """Return the first answer of `look` that is true; what it raises while waiting counts as no."""
    end = time.monotonic() + within_s
    seen: object = None
    while time.monotonic() < end:
        try:
            if seen := look():
                return seen
        except httpx.HTTPError as error:
            seen = error
        time.sleep(0.25)
    pytest.fail(f"{what}: not within {within_s:g} s (last seen: {seen!r})")


class Containers:
    """The studio in containers, under a name and a port of its own."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        # In place of the developer's own .env, which may hold keys of a channel.
        env = folder / "compose.env"
        port = self.url.rpartition(":")[2]
        env.write_text(
            f"SAKUGA_API_PORT={port}\nSAKUGA_PUBLIC_URL={self.url}\nSAKUGA_REHEARSAL_SECONDS=2\nSAKUGA_KEY={KEY}\n"
        )
        self._compose = [*_compose(), "--env-file", str(env), "-p", PROJECT, "-f", "docker-compose.yml"]
        self._compose += ["-f", "tests/compose/host-network.yml"]

    def compose(self, *arguments: str, timeout_s: float) -> str:
        done = subprocess.run(
            [*self._compose, *arguments], cwd=HOUSE, capture_output=True, text=True, check=False, timeout=timeout_s
        )
        assert done.returncode == 0, f"compose {arguments[0]} failed:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def id_of(self, service: str) -> str:
        return self.compose("ps", "-q", service, timeout_s=60).strip()

    def look(self, service: str) -> dict[str, Any]:
        return json.loads(docker("inspect", self.id_of(service)).stdout)[0]

    def logs(self, service: str) -> str:
        done = docker("logs", self.id_of(service))
        return done.stdout + done.stderr

    def run(self, service: str, *command: str) -> subprocess.CompletedProcess[str]:
        return docker("exec", self.id_of(service), *command, check=False)


def _compose() -> list[str]:
    if not shutil.which("docker"):
        pytest.fail("There is no `docker` on the PATH.")
    engine = docker("info", "--format", "{{.ServerVersion}}", check=False)
    if engine.returncode != 0:
        pytest.fail(f"No Docker engine answers: {engine.stderr.strip()}")
    if docker("compose", "version", check=False).returncode == 0:
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    pytest.fail("There is neither `docker compose` nor `docker-compose`.")


@pytest.fixture(scope="module")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    containers = Containers(tmp_path_factory.mktemp("compose"))
    try:
        containers.compose("up", "--build", "-d", timeout_s=BUILD_S)
        yield containers
    finally:
        containers.compose("down", "-v", "--remove-orphans", timeout_s=STOP_S)


@pytest.fixture
def gateway(containers: Containers) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=containers.url, timeout=10, trust_env=False, headers=BEARER) as client:
        yield client


def request(gateway: httpx.Client, prompt: str) -> str:
    answer = gateway.post("/generate", json={"prompt": prompt, "duration": 2})
    assert answer.status_code == 202, answer.text
    return answer.json()["job_id"]


def ended(gateway: httpx.Client, job_id: str) -> dict[str, Any] | None:
    job = gateway.get(f"/status/{job_id}").raise_for_status().json()
    return job if job["status"] in TERMINAL else None


def test_every_container_becomes_healthy(containers: Containers, gateway: httpx.Client) -> None:
    for service in SERVICES:

        def healthy(service: str = service) -> bool:
            return containers.look(service)["State"]["Health"]["Status"] == "healthy"

        eventually(healthy, within_s=HEALTHY_S, what=f"{service} is healthy")
    assert gateway.get("/health").json()["status"] == "healthy"


def test_no_process_of_ours_is_root_or_can_change_its_own_code(containers: Containers) -> None:
    for service in OURS:
        assert containers.run(service, "id", "-u").stdout.strip() == UID, service
        assert containers.run(service, "touch", "/studio/sakuga/job.py").returncode != 0, service


def test_only_the_gateway_is_published_and_only_to_this_machine(containers: Containers) -> None:
    published = {service: containers.look(service)["NetworkSettings"]["Ports"] for service in SERVICES}
    for service in SERVICES:
        addresses = [address["HostIp"] for bound in published[service].values() for address in bound or ()]
        assert addresses == (["127.0.0.1"] if service == "gateway" else []), service


def test_the_bot_without_keys_says_so_once_and_waits(containers: Containers) -> None:
    assert containers.logs("bot").count("bot.quiet") == 1
    assert containers.look("bot")["RestartCount"] == 0


def test_a_request_becomes_a_clip_that_a_browser_can_seek_in(gateway: httpx.Client) -> None:
    # Given a request with words that only the image's fonts can show
    job_id = request(gateway, "剣を持つ少女、ネオンの雨 ⚔️")
    # When it is drawn
    job = eventually(lambda: ended(gateway, job_id), within_s=RENDER_S, what="the job ends")
    # Then its video is there, whole and in parts
    assert job["status"] == "succeeded", job["error"]
    start = gateway.get(job["video_url"], headers={"Range": "bytes=0-99"})
    assert (start.status_code, len(start.content), start.content[4:8]) == (206, 100, b"ftyp")
    whole = gateway.get(job["video_url"])
    assert whole.headers["content-type"] == "video/mp4"
    assert start.headers["content-range"] == f"bytes 0-99/{len(whole.content)}"
    assert gateway.get(job["poster_url"]).content[:3] == b"\xff\xd8\xff"


def test_the_gateway_can_read_clips_but_not_change_them(containers: Containers) -> None:
    assert containers.run("gateway", "ls", "/clips").stdout.strip()
    assert containers.run("gateway", "touch", "/clips/new").returncode != 0


def test_waiting_jobs_survive_a_redis_that_is_killed(containers: Containers, gateway: httpx.Client) -> None:
    # Given more jobs than the one slot can take
    jobs = [request(gateway, f"a lantern in the fog, number {number}") for number in range(6)]
    waiting = [item["job_id"] for item in gateway.get("/queue").json()["waiting"]]
    assert len(waiting) >= 4
    # When Redis dies without a chance to save, and comes back
    redis = containers.id_of("redis")
    docker("kill", "--signal", "KILL", redis)
    docker("start", redis)
    # Then those that still wait do so in the same order, and every one of the six is drawn
    left = eventually(
        lambda: gateway.get("/queue").raise_for_status().json(), within_s=RESTART_S, what="the queue can be read again"
    )
    still = [item["job_id"] for item in left["waiting"]]
    assert still
    assert still == [job_id for job_id in waiting if job_id in still]
    for job_id in jobs:
        job = eventually(lambda job_id=job_id: ended(gateway, job_id), within_s=RENDER_S, what=f"{job_id} ends")
        assert job["status"] == "succeeded", job["error"]


def test_clips_and_jobs_outlive_the_containers(containers: Containers, gateway: httpx.Client) -> None:
    # Given the clips made so far
    before = gateway.get("/clips").json()["clips"]
    # When the containers are removed and made anew
    containers.compose("down", timeout_s=STOP_S)
    containers.compose("up", "-d", timeout_s=HEALTHY_S)
    # Then every clip is listed and can be played
    after = eventually(
        lambda: gateway.get("/clips").raise_for_status().json()["clips"], within_s=RESTART_S, what="the clips are back"
    )
    assert after == before
    assert gateway.get(after[0]["video_url"]).status_code == 200


def test_everybody_ends_by_themselves_when_asked_to_stop(containers: Containers) -> None:
    ids = {service: containers.id_of(service) for service in OURS}
    containers.compose("stop", timeout_s=STOP_S)
    codes = {name: json.loads(docker("inspect", id_).stdout)[0]["State"]["ExitCode"] for name, id_ in ids.items()}
    # 143: uvicorn, when it has closed everything, ends by the signal that it was sent. 137 would be: had to be killed.
    assert all(code in {0, 143} for code in codes.values()), codes
