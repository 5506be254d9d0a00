"""FakeModeration: an OpenAI-compatible moderation endpoint on loopback, and the trouble one has with such."""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from tests.fakes.loopback import Loopback


def result(*, flagged: bool = False, categories: dict[str, bool] | None = None, **scores: float) -> dict[str, Any]:
    """Return one entry of `results`; a score's name has `__` where the category has a slash."""
    return {
        "flagged": flagged,
        "categories": categories or {},
        "category_scores": {name.replace("__", "/"): score for name, score in scores.items()},
    }


class FakeModeration(Loopback):
    """Answers with `results`, or with `next_status`, or with the bytes `garbage`; `freeze` makes it say nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.results: list[dict[str, Any]] = [result()]
        self.status = 200
        self.garbage: bytes | None = None
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self._heard = asyncio.Condition()

    @property
    def url(self) -> str:
        """The endpoint's address."""
        return f"{self.base}/v1/moderations"

    def routes(self) -> Sequence[web.RouteDef]:
        """Return the endpoint, and where its redirects lead."""
        return [web.post("/v1/moderations", self._moderate), web.get("/elsewhere", self._moderate)]

    async def was_asked(self, times: int) -> None:
        """Wait until so many requests have come in all."""
        async with self._heard, asyncio.timeout(10):
            await self._heard.wait_for(lambda: len(self.asked) >= times)

    async def _moderate(self, request: web.Request) -> web.Response:
        async with self._heard:
            self.asked.append(await request.json())
            self.keys.append(request.headers.get("Authorization"))
            self._heard.notify_all()
        await self.going.wait()
        if self.garbage is not None:
            return web.Response(body=self.garbage, content_type="application/json")
        if self.status != 200:
            return web.json_response({"error": "no"}, status=self.status, headers={"Location": "/elsewhere"})
        return web.json_response({"id": "modr-1", "model": "omni-moderation-latest", "results": self.results})
