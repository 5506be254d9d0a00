"""The part of FakeModal that answers: a gRPC server on loopback, and the trouble that one can have with it."""

import asyncio
import inspect
import itertools
import os
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Self

import modal
from grpclib import GRPCError, Status
from grpclib.protocol import H2Protocol
from grpclib.server import Server
from modal_proto import api_grpc
from modal_proto import api_pb2 as proto

TOKEN = ("ak-fake", "as-fake")


class _Lines(Server):
    """A server that hangs up when it closes; the library's own lets connections live."""

    def __init__(self, services: list[Any]) -> None:
        super().__init__(services)
        self._lines: list[H2Protocol] = []

    def _protocol_factory(self) -> H2Protocol:
        self._lines.append(super()._protocol_factory())
        return self._lines[-1]

    def close(self) -> None:
        super().close()
        for line in self._lines:
            line.processor.close("the server is stopped")


class ModalServer:
    """Answers each RPC by the method of its name, looked up when it is called; an async generator answers a stream."""

    def __init__(self) -> None:
        self.troubles: dict[str, tuple[Status, str]] = {}  # RPC, or "*" for all -> what it answers from now on
        self.silent = False  # take every request and never answer
        self.asked: list[str] = []  # the RPCs, in their order
        self.port = 0
        self.ids = itertools.count(1)
        self._server: _Lines | None = None
        self._news = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self.loop = asyncio.get_running_loop()
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        await asyncio.gather(*self._tasks)

    async def start(self) -> None:
        """Be reachable, at the same address as before."""
        rpcs = {name: self._rpc(name) for name in api_grpc.ModalClientBase.__abstractmethods__}
        self._server = _Lines([type("Service", (api_grpc.ModalClientBase,), rpcs)()])
        await self._server.start("127.0.0.1", self.port)
        assert self._server._server
        self.port = self._server._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Be unreachable. What runs, runs on."""
        if self._server:
            self._server.close()
            await self._server.wait_closed()
        self._server = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environ(self) -> dict[str, str]:
        """What other processes need in their environment to find this server."""
        token = dict(zip(("MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET"), TOKEN, strict=True))
        return {"MODAL_SERVER_URL": self.url, "MODAL_CONFIG_PATH": os.devnull, "MODAL_ENVIRONMENT": "main", **token}

    def client(self, token: tuple[str, str] = TOKEN) -> modal.Client:
        """Return a real client of this server, to be entered."""
        return modal.Client(self.url, proto.CLIENT_TYPE_CLIENT, token)

    async def until(self, true: Callable[[], Any], limit_s: float = 20) -> None:
        """Wait until something is true that changes with requests, calls and queues."""
        async with asyncio.timeout(limit_s):
            while not true():
                await self._news.wait()

    def notify(self) -> None:
        """Let those look again who wait for something to change. May be called from any thread."""
        self.loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside the answering, and no longer than this server lives."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _rpc(self, name: str) -> Callable[[object, Any], Awaitable[None]]:
        async def answer(_: object, stream: Any) -> None:
            request = await stream.recv_message()
            self.asked.append(name)
            self.notify()
            if self.silent:
                await asyncio.Event().wait()
            if stream.metadata.get("x-modal-token-id") != TOKEN[0]:
                raise GRPCError(Status.UNAUTHENTICATED, "Invalid token.")
            if trouble := self.troubles.get(name) or self.troubles.get("*"):
                raise GRPCError(*trouble)
            method = getattr(self, name, None)
            if method is None:
                raise GRPCError(Status.UNIMPLEMENTED, name)
            if inspect.isasyncgenfunction(method):
                async for message in method(request):
                    await stream.send_message(message)
            else:
                await stream.send_message(await method(request))

        return answer
