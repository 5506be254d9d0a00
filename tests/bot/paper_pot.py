"""PaperPot: a PaperGateway with a pot that viewers fill, and with purses."""

from typing import Any

from aiohttp import web

from tests.bot.paper_answers import refusal
from tests.bot.paper_gateway import PaperGateway

NOON_ENTRY: dict[str, Any] = {"at": "2026-11-20T12:00:00Z"}
OPENED, CLOSES = "2026-11-20T12:00:00Z", "2026-11-20T12:00:45Z"


class PaperPot(PaperGateway):
    """`pour` makes a job of the open pot; `spill` makes nothing of it."""

    def __init__(self) -> None:
        super().__init__()
        self.pot: dict[str, Any] | None = None
        self.lines: dict[str, tuple[str, str]] = {}
        self.past: list[dict[str, Any]] = []
        self.purses: dict[str, dict[str, Any]] = {}

    def furnish(self, app: web.Application) -> None:
        app.router.add_post("/pot", self._join)
        app.router.add_get("/pot", self._pots)
        app.router.add_get("/viewers/{viewer}/credit", self._credit)

    def pour(self) -> dict[str, Any]:
        names = [name for name, _ in self.lines.values()]
        who = {"platform": "twitch", "login": "", "display_name": f"{names[0]} + {len(names) - 1}"}
        job = self._accept({"prompt": ", ".join(words for _, words in self.lines.values()), "requested_by": who})
        self._end(job["job_id"], None)
        return job

    def spill(self, reason: str | None) -> None:
        self._end(None, reason)

    def _end(self, job_id: str | None, reason: str | None) -> None:
        assert self.pot is not None
        self.past.insert(0, {"pot_id": self.pot["pot_id"], "job_id": job_id, "reason": reason})
        self.pot["state"] = "poured" if job_id else "spilled"
        self.lines = {}

    async def _join(self, request: web.Request) -> web.Response:
        body = await request.json()
        if len(body["words"]) > 300:
            return refusal(422, "prompt_too_long", "The prompt has too many characters.")
        self.asked.append(body | {"key": request.headers.get("Idempotency-Key")})
        opened = self.pot is None or self.pot["state"] != "open"
        if opened:
            times = {"opened_at": OPENED, "closes_at": CLOSES, "job_id": None, "reason": None}
            self.pot = {"pot_id": f"pot_{len(self.past) + 1}", "state": "open", **times}
        assert self.pot is not None
        who = body["requested_by"]
        self.lines[who["id"]] = (who["display_name"], body["words"])
        self.pot["names"] = [name for name, _ in self.lines.values()]
        return web.json_response({"joined": "opened" if opened else "joined", "pot": self.pot})

    async def _pots(self, _: web.Request) -> web.Response:
        return web.json_response({"pot": self.pot, "poured": self.past})

    async def _credit(self, request: web.Request) -> web.Response:
        viewer = request.match_info["viewer"]
        return web.json_response({"viewer": viewer, "bits": 0, "entries": [], **self.purses.get(viewer, {})})
