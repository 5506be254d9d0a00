"""Two gateways and three workers on one broker are one studio."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sakuga import store
from sakuga.event import EventType
from sakuga.events import Events
from sakuga.role import Role
from tests.drill.house import House
from tests.drill.renderer import ask, socket_of
from tests.fakes.keys import BEARER, bearer

SLOTS = 2
STUDIO_FILE = """
[limits]
waiting = 6
paid_places = 2
[limits.cooldown]
viewer = 60
sub = 0
[limits.active]
sub = 2
"""


class Door:
    """One of the gateways, with a bot's key and with a moderator's."""

    def __init__(self, url: str, moderator: dict[str, str]) -> None:
        self.chat = httpx.AsyncClient(base_url=url, trust_env=False, timeout=20, headers=BEARER)
        self.desk = httpx.AsyncClient(base_url=url, trust_env=False, timeout=20, headers=moderator)

    async def ask(self, viewer: int, *roles: str, prompt: str = "cat", key: str = "") -> httpx.Response:
        """Ask for a clip as the bot does for a viewer."""
        by = {"platform": "twitch", "id": str(viewer), "roles": roles}
        told = {"Idempotency-Key": key} if key else {}
        return await self.chat.post("/generate", json={"prompt": prompt, "requested_by": by}, headers=told)

    async def queue(self) -> dict[str, Any]:
        """Return the queue as this gateway tells it."""
        document: dict[str, Any] = (await self.chat.get("/queue")).json()
        return document

    async def waiting(self) -> list[str]:
        """Return the ids of those that wait, in their order."""
        return [job["job_id"] for job in (await self.queue())["waiting"]]

    async def close(self) -> None:
        """Hang up."""
        await self.chat.aclose()
        await self.desk.aclose()


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and the code of a refusal."""
    return answer.status_code, answer.json()["error"]["code"]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with House(tmp_path, gateways=2, workers=3, slots=SLOTS, studio=STUDIO_FILE) as house:
        async with asyncio.timeout(30):
            while await house.redis.zcard(store.WORKERS) < 3:  # noqa: ASYNC110 - other processes introduce themselves
                await asyncio.sleep(0.05)
        yield house


@pytest.fixture
async def doors(house: House) -> AsyncIterator[list[Door]]:
    """Both gateways, in front of a queue that is paused: what waits stays as it is."""
    moderator = await bearer(house.redis, Role.MODERATOR)
    doors = [Door(url, moderator) for url in house.urls]
    assert (await doors[0].desk.post("/queue/pause")).json()["changed"]
    yield doors
    for door in doors:
        await door.close()


async def test_slots_and_order_hold_for_all_workers_together(house: House, doors: list[Door]) -> None:
    # Given jobs that were asked for at both gateways, some with a head start
    left, right = doors
    for number in range(8):
        roles = ["subscriber"] if number in {3, 6, 7} else []
        assert (await doors[number % 2].ask(number, *roles)).status_code == 202
    order = await left.waiting()
    assert len(order) == 8
    assert await right.waiting() == order

    # When the other gateway lets them begin
    assert (await right.desk.post("/queue/resume")).json()["changed"]
    async with asyncio.timeout(60):
        while (await left.queue())["waiting_count"] or (await right.queue())["running"]:  # noqa: ASYNC110
            await asyncio.sleep(0.1)

    # Then they were admitted in that order, each was drawn once, and never more at a time than there are slots
    events = await Events(house.redis).after("0-0", limit=1000)
    assert [event.data["job_id"] for event in events if event.type is EventType.JOB_ADMITTED] == order
    renders = await ask(socket_of(house.settings), "log")
    assert sorted(render["job_id"] for render in renders) == sorted(order)
    beside = [
        sum(other["began"] <= render["began"] < other["ended"] for other in renders if other["ended"])
        for render in renders
    ]
    assert max(beside) == SLOTS


async def test_limits_hold_for_all_gateways_together(doors: list[Door]) -> None:
    left, right = doors

    # A viewer who asked at one cools down at the other
    assert (await left.ask(1)).status_code == 202
    assert refused(await right.ask(1, prompt="dog")) == (429, "cooling_down")

    # A sub who has two at one has two at the other
    for door in doors:
        assert (await door.ask(2, "subscriber", prompt=f"fox at {door}")).status_code == 202
    assert refused(await left.ask(2, "subscriber", prompt="owl")) == (429, "viewer_busy")

    # A request that is sent to both is one job, and its key is no other's
    first = await left.ask(3, key="message-3")
    again = await right.ask(3, key="message-3")
    assert (first.status_code, again.json()["job_id"]) == (202, first.json()["job_id"])
    assert refused(await right.ask(3, key="message-3", prompt="another")) == (409, "key_reused")

    # Twelve who ask at the same moment get the two places that are left for viewers
    answers = await asyncio.gather(*(doors[number % 2].ask(100 + number) for number in range(12)))
    assert sorted(answer.status_code for answer in answers) == [202] * 2 + [429] * 10
    assert (await left.queue())["waiting_count"] == 6


async def test_what_a_moderator_does_at_one_gateway_is_seen_at_the_other_at_once(doors: list[Door]) -> None:
    left, right = doors
    first, second, third = [(await left.ask(number)).json()["job_id"] for number in range(3)]

    moved = await left.desk.patch(f"/jobs/{third}", json={"position": "top"})
    assert moved.status_code == 200
    assert await right.waiting() == [third, first, second]

    assert (await right.desk.post(f"/jobs/{first}/hold")).status_code == 200
    assert await left.waiting() == [third, second]
    assert [job["job_id"] for job in (await left.desk.get("/held")).json()["jobs"]] == [first]

    late = await left.desk.patch(f"/jobs/{third}", json={"position": 2}, headers={"If-Match": "1"})
    assert refused(late) == (409, "job_changed")

    assert (await left.desk.post(f"/jobs/{second}/cancel")).json()["status"] == "cancelled"
    assert (await right.chat.get(f"/status/{second}")).json()["status"] == "cancelled"

    assert (await left.desk.post("/bans", json={"viewer": "twitch:9"})).status_code == 201
    assert refused(await right.ask(9)) == (403, "viewer_banned")

    assert (await left.desk.post("/queue/close")).json()["changed"]
    assert not (await right.queue())["open"]
    assert refused(await right.ask(8))[1] == "queue_closed"
    acts = (await right.desk.get("/audit")).json()["acts"]
    assert [act["act"]["type"] for act in acts[:2]] == ["queue.closed", "ban.added"]
