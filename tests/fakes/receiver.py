"""A program that hears of events, on a real socket: it checks signatures as the receivers of others do."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any, Self

from standardwebhooks import Webhook as Signature


@dataclass
class Heard:
    """One request that came in."""

    id: str
    payload: dict[str, Any]
    headers: dict[str, str]


@dataclass
class FakeReceiver:
    """Answers 204, or what it was told to: a status, with headers, or `hang` until it is let go."""

    secret: str = ""
    status: int = 204
    answer_headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    hanging: bool = False
    heard: list[Heard] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self._news = asyncio.Condition()
        self._let_go = asyncio.Event()
        self._serving: set[asyncio.Task[Any]] = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._let_go.set()
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving)
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def ids(self) -> list[str]:
        return [one.id for one in self.heard]

    def types(self) -> list[str]:
        return [one.payload["type"] for one in self.heard]

    async def hears(self, times: int = 1) -> list[Heard]:
        """Wait until so many requests have come in."""
        async with asyncio.timeout(40), self._news:
            await self._news.wait_for(lambda: len(self.heard) >= times)
        return self.heard

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (task := asyncio.current_task()) is not None:
            self._serving.add(task)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await self._answer(head.decode(), reader, writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass  # it hung up, or the test is over
        finally:
            writer.close()

    async def _answer(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        text = await reader.readexactly(int(headers.get("content-length", "0")))
        self.paths.append(first.split()[1])
        payload = Signature(self.secret).verify(text, headers) if self.secret else json.loads(text)
        async with self._news:
            self.heard.append(Heard(headers.get("webhook-id", ""), payload, headers))
            self._news.notify_all()
        if self.hanging:
            await self._let_go.wait()
        extra = "".join(f"{name}: {value}\r\n" for name, value in self.answer_headers.items())
        length = "" if self.status == 204 else f"Content-Length: {len(self.body)}\r\n"
        writer.write(f"HTTP/1.1 {self.status} Told\r\n{length}{extra}\r\n".encode() + self.body)
        await writer.drain()
