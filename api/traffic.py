"""Traffic: every request is counted and gets an id for the log. It stands in front of all, the guard too."""

import re
import secrets
from collections import Counter
from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sakuga.log import about
from sakuga.metric import REQUESTS

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
OTHER = "other"
JOB = re.compile(r"/(?:jobs|status)/(job_[0-9A-HJKMNP-TV-Z]{26})(?:/|$)")


class Traffic:
    """ASGI middleware. Made-up methods and addresses are counted together: whoever calls must not make new metrics."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        self._answers = Counter[tuple[str, str, int]]()
        registry.register(self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through and look at its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                method = scope["method"] if scope["method"] in METHODS else OTHER
                self._answers[method, _route(scope), message["status"]] += 1
            await send(message)

        job = JOB.match(scope["path"])
        with about(request_id=secrets.token_hex(4), **({"job_id": job[1]} if job else {})):
            await self._app(scope, receive, counted)

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield the count, as Prometheus' client calls for it."""
        family = CounterMetricFamily(REQUESTS.name.removesuffix("_total"), REQUESTS.help, labels=REQUESTS.labels)
        for (method, route, status), number in sorted(self._answers.items()):
            family.add_metric((method, route, str(status)), number)
        yield family


def _route(scope: Scope) -> str:
    """Return the route's pattern; `files` for a folder of files, `other` for what no route has taken."""
    path = getattr(scope.get("route"), "path", None)
    return str(path) if path else "files" if "endpoint" in scope else OTHER
