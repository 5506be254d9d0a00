"""The guard: what no request may do, checked before any route sees it.

Any web page that is open on the streaming PC can send requests to loopback addresses, so a request must name a host
that we answer to (against DNS rebinding), and what another site's page asks for is refused, writes and documents alike;
another port of this machine is another site too. Following a link to a page or to a clip is no such request.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

from anyio import BrokenResourceError, ClosedResourceError
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import respond, unexpected
from sakuga.errors import BodyTooLarge, HostNotAllowed, MediaTypeUnsupported, OriginNotAllowed, SakugaError
from sakuga.settings import Settings

BODY_LIMIT = 64 * 1024  # bytes
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LINKED = re.compile(r"/|/overlay|/docs|/console|/login/[^/]+|/clips/[^/]+/(?:video|poster)")  # may be linked to
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
POLICY = (
    b"default-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
# OBS puts a streamer's Custom CSS into the overlay as a style element; the API reference styles itself.
STYLED = frozenset({"/overlay", "/docs"})
STYLED_POLICY = POLICY.replace(b"style-src 'self'", b"style-src 'self' 'unsafe-inline'")
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
NOT_KEPT = (b"cache-control", b"no-store")


class Guard:
    """ASGI middleware in front of everything."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        named = {settings.api_host, urlsplit(settings.base_url).hostname, urlsplit(settings.gateway).hostname}
        self._hosts = LOOPBACK | {host.lower() for host in (*named, *settings.allowed_hosts) if host}
        self._base_url = settings.base_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with the reason why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        begun = False

        async def send_with_policy(message: Message) -> None:
            nonlocal begun
            begun = True
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_policy(scope["path"], message["headers"])]
            await send(message)

        try:
            self._check(scope["method"], scope["path"], Headers(scope=scope))
            if scope["method"] not in SAFE:
                receive = await _buffered(receive)
            await self._app(scope, receive, send_with_policy)
        except SakugaError as error:
            await respond(error)(scope, receive, send_with_policy)
        except Exception as error:  # noqa: BLE001 - the edge of this process
            if _gone(error):
                return
            answer = unexpected(scope, error)
            if not begun:
                await answer(scope, receive, send_with_policy)

    def _check(self, method: str, path: str, headers: Headers) -> None:
        host = headers.get("host", "")
        if _hostname(host) not in self._hosts:
            raise HostNotAllowed(expected=self._base_url)
        if _foreign(host, headers) and not (method in SAFE and _followed(path, headers)):
            raise OriginNotAllowed
        if method in SAFE:
            return
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > BODY_LIMIT:
            raise BodyTooLarge(limit_bytes=BODY_LIMIT)
        sent = length != "0" or "transfer-encoding" in headers
        if sent and headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise MediaTypeUnsupported


def _foreign(host: str, headers: Headers) -> bool:
    """Whether another site's page sent this. Programs that are no browsers send neither header."""
    if headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
        return True
    return headers.get("origin", f"http://{host}").partition("://")[2] != host


def _followed(path: str, headers: Headers) -> bool:
    """Whether somebody followed a link to a page or clip: the other site never gets to see what it shows."""
    by_link = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return by_link and LINKED.fullmatch(path) is not None


def _gone(error: BaseException) -> bool:
    """Whether an error only says that the caller hung up."""
    if isinstance(error, BaseExceptionGroup):
        return all(_gone(part) for part in error.exceptions)
    return isinstance(error, ClientDisconnect | BrokenResourceError | ClosedResourceError | ConnectionError)


def _policy(path: str, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    policy = STYLED_POLICY if path in STYLED else POLICY
    kept = any(name == b"cache-control" for name, _ in headers)
    return [(b"content-security-policy", policy), *HEADERS, *([] if kept else [NOT_KEPT])]


@lru_cache(maxsize=64)
def _hostname(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


async def _buffered(receive: Receive) -> Receive:
    """Read the body, at most the limit, and return a `receive` that plays it back. Raises BodyTooLarge."""
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > BODY_LIMIT:
            raise BodyTooLarge(limit_bytes=BODY_LIMIT)
        if not message.get("more_body"):
            break
    played = False

    async def play() -> Message:
        nonlocal played
        if played:
            return await receive()
        played = True
        return {"type": "http.request", "body": body, "more_body": False}

    return play
