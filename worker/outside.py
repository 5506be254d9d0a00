"""The way outside: HTTP to addresses that a stranger may have chosen, never to what is inside.

A name is looked up once, every address found is looked at, and the connection goes to one of those: between look and
connect there is no second question to a DNS server, whose answer may differ. No redirect is followed, no proxy and no
`.netrc` is read, and an answer's body is not kept.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic
from typing import Any

import httpcore
import httpx

from sakuga import address

CONNECT_S = 3.0
TOTAL_S = 10.0
CONNECTIONS = 128  # more than all webhooks may use at a time: a slow one must not keep others waiting
SPARED = 20
SPARED_S = 30.0
BODY_READ = 16_384  # bytes of an answer that are read, so that the connection can be used again
LOOKUPS = 8

Resolve = Callable[[str, int], list[str]]


class Forbidden(Exception):
    """The name leads to an address that nothing may be sent to."""


class Unresolved(Exception):
    """The name leads nowhere."""


def look_up(host: str, port: int) -> list[str]:
    """Return the addresses of a host, as the system finds them. Blocks. Raises OSError."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


OUTCOMES: dict[type[Exception], str] = {  # the first that fits
    TimeoutError: "timeout",
    httpcore.TimeoutException: "timeout",
    Forbidden: "forbidden_address",
    Unresolved: "unknown_host",
    httpx.InvalidURL: "invalid_url",
    httpcore.ConnectError: "connection_failed",
    ssl.SSLError: "connection_failed",
    httpcore.NetworkError: "connection_broken",
    httpcore.ProtocolError: "connection_broken",
    OSError: "connection_broken",
    ValueError: "invalid_url",
}


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Connects by TCP to allowed addresses only."""

    def __init__(self, *, private: bool, resolve: Resolve = look_up) -> None:
        self._private = private
        self._resolve = resolve
        self._inner = httpcore.AnyIOBackend()
        # Threads of its own: a DNS server that hangs must not take those by which Redis and renderers are found.
        self._threads = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="webhook-dns")

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Return a connection. Raises Forbidden if any address of the host is, Unresolved, and httpcore's errors."""
        until = monotonic() + (CONNECT_S if timeout is None else timeout)
        try:
            async with asyncio.timeout(until - monotonic()):
                found = await asyncio.get_running_loop().run_in_executor(self._threads, self._resolve, host, port)
        except (OSError, UnicodeError) as error:  # a TimeoutError is an OSError
            raise Unresolved from error
        if not found:
            raise Unresolved
        if not all(address.allowed(one, private=self._private) for one in found):
            raise Forbidden
        *others, last = dict.fromkeys(found)
        for one in others:  # a machine without IPv6 has AAAA answers too, and they come first
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                left_s = max(0.1, (until - monotonic()) / 2)
                return await self._inner.connect_tcp(one, port, left_s, local_address, socket_options)
        left_s = max(0.1, until - monotonic())
        return await self._inner.connect_tcp(last, port, left_s, local_address, socket_options)

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        """Refuse: nothing outside is reached by a file."""
        raise Forbidden

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        await asyncio.sleep(seconds)

    def close(self) -> None:
        """Let go of the threads; one that hangs is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class Outside:
    """Posts bodies to URLs that were given by others."""

    def __init__(
        self,
        *,
        private: bool,
        resolve: Resolve = look_up,
        tls: ssl.SSLContext | None = None,
        total_s: float = TOTAL_S,
    ) -> None:
        self._total_s = total_s
        self._network = GuardedNetwork(private=private, resolve=resolve)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls or httpx.create_ssl_context(trust_env=False),
            max_connections=CONNECTIONS,
            max_keepalive_connections=SPARED,
            keepalive_expiry=SPARED_S,
            network_backend=self._network,
        )

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> tuple[str, float | None]:
        """Post a body and return how it went, and after how many seconds the receiver wants to be asked again.

        How it went is the HTTP status in digits, or one of: `timeout`, `forbidden_address`, `unknown_host`,
        `connection_failed`, `connection_broken`, `invalid_url`.
        """
        try:
            async with asyncio.timeout(self._total_s):
                return await self._post(url, headers, body)
        except tuple(OUTCOMES) as error:
            return next(word for kind, word in OUTCOMES.items() if isinstance(error, kind)), None

    async def _post(self, url: str, headers: dict[str, str], body: bytes) -> tuple[str, float | None]:
        parts = httpx.URL(url)
        target = httpcore.URL(
            scheme=parts.raw_scheme, host=parts.raw_host, port=parts.port, target=parts.raw_path or b"/"
        )
        # Three of these fit into the whole: looking up, TCP, TLS. httpcore leaves a socket open when a TLS handshake is
        # cancelled, and closes it when it times out by itself.
        connect_s = min(CONNECT_S, 0.3 * self._total_s)
        timeouts = {"connect": connect_s, "read": self._total_s, "write": self._total_s, "pool": self._total_s}
        async with self._pool.stream(
            "POST", target, headers=list(headers.items()), content=body, extensions={"timeout": timeouts}
        ) as answer:
            asked = next((value for name, value in answer.headers if name.lower() == b"retry-after"), b"")
            read = 0
            async for part in answer.aiter_stream():
                read += len(part)
                if read > BODY_READ:
                    break  # the connection is closed with what is left
            return str(answer.status), float(asked) if asked.isdigit() else None

    async def close(self) -> None:
        """Close what is open."""
        await self._pool.aclose()
        self._network.close()
