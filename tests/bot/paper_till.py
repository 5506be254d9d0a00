"""PaperTill: a PaperGateway that also counts what viewers pay, and whose answers can be kept waiting."""

import asyncio
from typing import Any

from aiohttp import web

from tests.bot.paper_answers import refusal, tagged
from tests.bot.paper_gateway import NOON, PaperGateway


class PaperTill(PaperGateway):
    """Holds redemptions by their jobs, owes them when those end, and keeps what was settled.

    `doors` are those of generate, refund and settled: while one is closed, nothing of that kind is looked at.
    """

    def __init__(self, *, drawing_s: float | None = None) -> None:
        super().__init__(drawing_s=drawing_s)
        self.redemptions: dict[str, dict[str, Any]] = {}
        self.supports: list[dict[str, Any]] = []
        self.closed = False
        self.held_count = 0
        self.doors = {name: asyncio.Event() for name in ("generate", "refund", "settled")}
        for door in self.doors.values():
            door.set()
        self._at_doors: set[str] = set()
        self._changed = asyncio.Condition()

    def furnish(self, app: web.Application) -> None:
        app.router.add_get("/redemptions", self._list)
        app.router.add_get("/redemptions/{platform}/{id}", self._one)
        app.router.add_post("/redemptions/{platform}/{id}/refund", self._refund)
        app.router.add_post("/redemptions/{platform}/{id}/settled", self._settled)
        app.router.add_post("/supports", self._support)

    def state_of(self, redemption_id: str) -> tuple[str, str | None]:
        """Return state and outcome of a redemption; ("", None) if it is not known."""
        known = self.redemptions.get(redemption_id, {})
        return known.get("state", ""), known.get("outcome")

    def job_of(self, redemption_id: str) -> str:
        return str(self.redemptions[redemption_id]["job_id"])

    async def until(self, redemption_id: str, state: str, outcome: str | None = None) -> None:
        """Wait until a redemption is in a state, and has that outcome."""
        async with self._changed, asyncio.timeout(20):
            await self._changed.wait_for(lambda: self.state_of(redemption_id) == (state, outcome))

    async def reached(self, door: str) -> None:
        """Wait until somebody came to a door."""
        async with self._changed, asyncio.timeout(20):
            await self._changed.wait_for(lambda: door in self._at_doors)

    def finish(self, job_id: str, status: str = "succeeded", error: tuple[str, str] | None = None) -> None:
        super().finish(job_id, status, error)
        for redemption in self.redemptions.values():
            if redemption["job_id"] == job_id and redemption["state"] == "held":
                outcome = "fulfilled" if status == "succeeded" else "refunded"
                redemption |= {"state": "due", "outcome": outcome}

    def _keep(self, redemption_id: str, **fields: Any) -> dict[str, Any]:
        known = {"platform": "twitch", "redemption_id": redemption_id, "job_id": None, "outcome": None, "at": NOON}
        self.redemptions[redemption_id] = {**known, **fields}
        return self.redemptions[redemption_id]

    async def _pass(self, door: str) -> None:
        self._at_doors.add(door)
        await self._notice()
        await self.doors[door].wait()

    async def _notice(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _generate(self, request: web.Request) -> web.Response:
        await self._pass("generate")
        body = await request.json()
        answer = await super()._generate(request)
        paid = body.get("redemption")
        if answer.status == 202 and paid and paid["id"] not in self.redemptions:
            job_id = next(reversed(self.jobs))
            self._keep(paid["id"], state="held", job_id=job_id, reward_id=paid["reward_id"], cost=paid["cost"])
        await self._notice()
        return answer

    async def _queue(self, request: web.Request) -> web.Response:
        waiting = sum(job["status"] == "queued" for job in self.jobs.values())
        numbers = {"paused": False, "slots": 1, "waiting_count": waiting, "held_count": self.held_count}
        return tagged(request, {**numbers, "open": not self.closed, "running": [], "waiting": []})

    async def _list(self, request: web.Request) -> web.Response:
        state = request.query["state"]
        found = [known for known in self.redemptions.values() if known["state"] == state]
        return web.json_response({"redemptions": found})

    async def _one(self, request: web.Request) -> web.Response:
        known = self.redemptions.get(request.match_info["id"])
        return web.json_response(known) if known else refusal(404, "redemption_not_found", "There is no such one.")

    async def _refund(self, request: web.Request) -> web.Response:
        await self._pass("refund")
        body = await request.json()
        redemption_id = request.match_info["id"]
        if redemption_id not in self.redemptions:
            self._keep(redemption_id, **body, state="due", outcome="refunded")
        await self._notice()
        return web.json_response(self.redemptions[redemption_id])

    async def _settled(self, request: web.Request) -> web.Response:
        await self._pass("settled")
        known = self.redemptions[request.match_info["id"]]
        if known["state"] != "settled":
            known |= {"state": "settled", "outcome": (await request.json())["outcome"]}
        await self._notice()
        return web.json_response(known)

    async def _support(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body["id"] not in [support["id"] for support in self.supports]:
            self.supports.append(body)
        return web.json_response({"bits": body["amount"]})
