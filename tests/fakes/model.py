"""FakeModel: a language model on loopback that speaks as OpenAI's and as Anthropic's do, and the trouble with such."""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from tests.fakes.loopback import Loopback

DIRECTION = "A girl swings a glowing sword in neon rain, low angle, slow dolly in, cyan and pink light."


class FakeModel(Loopback):
    """Says `text`, having read and written so many tokens; or `status`, or the bytes `garbage`. `freeze` silences it.

    Like the real ones it answers 400 to a question that lacks what they demand, and 401 to a wrong key.
    """

    def __init__(self, key: str = "a-key-that-nobody-may-see") -> None:
        super().__init__()
        self.key = key
        self.text = DIRECTION
        self.reason: str | None = None  # why it stopped; its usual word if None
        self.tokens = (100, 20)
        self.status = 200
        self.garbage: bytes | None = None
        self.endless = False
        self.asked: list[dict[str, Any]] = []
        self._dropped = asyncio.Event()
        self._heard = asyncio.Condition()

    @property
    def openai(self) -> str:
        """Where it speaks as OpenAI's do."""
        return f"{self.base}/v1/chat/completions"

    @property
    def anthropic(self) -> str:
        """Where it speaks as Anthropic's do."""
        return f"{self.base}/v1/messages"

    @property
    def ideas(self) -> list[str]:
        """What it was given to word."""
        return [question["messages"][-1]["content"] for question in self.asked]

    def routes(self) -> Sequence[web.RouteDef]:
        """Return both dialects."""
        return [web.post("/v1/chat/completions", self._complete), web.post("/v1/messages", self._message)]

    async def was_asked(self, times: int) -> None:
        """Wait until so many questions have come in all."""
        async with self._heard, asyncio.timeout(10):
            await self._heard.wait_for(lambda: len(self.asked) >= times)

    async def was_dropped(self) -> None:
        """Wait until somebody has hung up on it while it was silent."""
        async with asyncio.timeout(10):
            await self._dropped.wait()

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        question = await self._hear(request)
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            return web.json_response({"error": {"code": "invalid_api_key"}}, status=401)
        if not {"model", "messages", "max_tokens"} <= set(question):
            return web.json_response({"error": {"code": "missing_required_parameter"}}, status=400)
        choice = {"index": 0, "message": {"role": "assistant", "content": self.text}}
        read, written = self.tokens
        return await self._answer(request, {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "choices": [choice | {"finish_reason": self.reason or "stop"}],
            "usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written},
        })  # fmt: skip

    async def _message(self, request: web.Request) -> web.StreamResponse:
        question = await self._hear(request)
        if request.headers.get("x-api-key") != self.key:
            return web.json_response({"type": "error", "error": {"type": "authentication_error"}}, status=401)
        if "anthropic-version" not in request.headers or not {"model", "messages", "max_tokens"} <= set(question):
            return web.json_response({"type": "error", "error": {"type": "invalid_request_error"}}, status=400)
        read, written = self.tokens
        return await self._answer(request, {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "content": [{"type": "text", "text": self.text}],
            "stop_reason": self.reason or "end_turn",
            "usage": {"input_tokens": read, "output_tokens": written},
        })  # fmt: skip

    async def _hear(self, request: web.Request) -> dict[str, Any]:
        question: dict[str, Any] = await request.json()
        async with self._heard:
            self.asked.append(question)
            self._heard.notify_all()
        try:
            await self.going.wait()
        except asyncio.CancelledError:
            self._dropped.set()
            raise
        return question

    async def _answer(self, request: web.Request, document: dict[str, Any]) -> web.StreamResponse:
        if self.endless:
            response = web.StreamResponse()
            await response.prepare(request)
            while True:
                await response.write(b" " * 65536)
        if self.garbage is not None:
            return web.Response(body=self.garbage, content_type="application/json")
        if self.status != 200:
            return web.json_response({"error": "no"}, status=self.status, headers={"Location": "/elsewhere"})
        return web.json_response(document)
