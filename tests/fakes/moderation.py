"""FakeModeration: an OpenAI-compatible moderation endpoint on loopback, and the trouble one has with such."""

import asyncio
from typing import Any, Self

from aiohttp import web


def result(*, flagged: bool = False, categories: dict[str, bool] | None = None, **scores: float) -> dict[str, Any]:
    """Return one entry of `results`; a score's name has `__` where the category has a slash."""
    return {
        "flagged": flagged,
        "categories": categories or {},
        "category_scores": {name.replace("__", "/"): score for name, score in scores.items()},
    }


class FakeModeration:
    """Answers with `results`, or with `next_status`, or with the bytes `garbage`; `freeze` makes it say nothing."""

    def __init__(self) -> None:
        self.results: list[dict[str, Any]] = [result()]
        self.status = 200
        self.garbage: bytes | None = None
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self._going = asyncio.Event()
        self._going.set()
        self._heard = asyncio.Condition()
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """The endpoint's address."""
        return f"http://127.0.0.1:{self._port}/v1/moderations"

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/v1/moderations", self._moderate)
        app.router.add_get("/elsewhere", self._moderate)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.shut()

    async def shut(self) -> None:
        """Go away: nobody answers at the address any more."""
        self._going.set()
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    def freeze(self) -> None:
        """Take requests and answer none."""
        self._going.clear()

    def thaw(self) -> None:
        """Answer again."""
        self._going.set()

    async def was_asked(self, times: int) -> None:
        """Wait until so many requests have come in all."""
        async with self._heard, asyncio.timeout(10):
            await self._heard.wait_for(lambda: len(self.asked) >= times)

    async def _moderate(self, request: web.Request) -> web.Response:
        async with self._heard:
            self.asked.append(await request.json())
            self.keys.append(request.headers.get("Authorization"))
            self._heard.notify_all()
        await self._going.wait()
        if self.garbage is not None:
            return web.Response(body=self.garbage, content_type="application/json")
        if self.status != 200:
            return web.json_response({"error": "no"}, status=self.status, headers={"Location": "/elsewhere"})
        return web.json_response({"id": "modr-1", "model": "omni-moderation-latest", "results": self.results})
