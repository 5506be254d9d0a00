"""FakeGateway: the gateway's HTTP contract on a loopback port, with documents that a test writes."""

import hashlib
import json
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tests.fakes.studio import FakeStudio

ROOT = Path(__file__).parents[2]
CSP = (
    "default-src 'none'; script-src 'self'; style-src {style}; img-src 'self'; media-src 'self'; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
STUDIO_CSP = CSP.format(style="'self'")
OVERLAY_CSP = CSP.format(style="'self' 'unsafe-inline'")


class FakeGateway(FakeStudio):
    """A gateway whose studio the test writes: set `refusal` or `trouble`, close the port, read what was asked."""

    def __init__(self, footage: Path) -> None:
        super().__init__()
        self.footage = footage
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The address of the studio page, without the slash."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_open(self) -> bool:
        """Whether the port is open."""
        return self._server is not None

    def start(self) -> None:
        """Open the port, or open it again."""
        config = uvicorn.Config(self._app(), host="127.0.0.1", port=self.port, log_level="warning", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, name="fake-gateway", daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)

    def stop(self) -> None:
        """Close the port and drop who is connected."""
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(timeout=5)
        self._server = None

    def _app(self) -> Starlette:
        studio, overlay = ROOT / "api" / "studio", ROOT / "overlay" / "pages"
        return Starlette(
            middleware=[Middleware(BaseHTTPMiddleware, dispatch=self._note)],
            routes=[
                Route("/", _page(studio / "index.html", STUDIO_CSP)),
                Route("/overlay", _page(overlay / "index.html", OVERLAY_CSP)),
                Route("/generate", self._generate, methods=["POST"]),
                Route("/status/{job_id}", self._status),
                Route("/status/{job_id}/preview", self._picture),
                Route("/queue", self._queue),
                Route("/stage", self._stage),
                Route("/clips", self._clips),
                Route("/clips/{clip_id}/video", self._video),
                Route("/clips/{clip_id}/poster", self._picture),
                Route("/catalog", self._catalog),
                Route("/health", self._health),
                Route("/me", self._me),
                Mount("/studio", StaticFiles(directory=studio)),
                Mount("/overlay", StaticFiles(directory=overlay)),
            ],
        )

    async def _note(self, request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        self.requests.append(f"{request.method} {request.url.path}")
        return await call_next(request)

    def _document(self, request: Request, document: dict[str, Any]) -> Response:
        if self.trouble:
            return _refused(*self.trouble)
        body = json.dumps(document, ensure_ascii=False).encode()
        etag = f'"{hashlib.sha1(body, usedforsecurity=False).hexdigest()}"'
        if request.headers.get("If-None-Match") == etag:
            return Response(status_code=304, headers={"ETag": etag})
        return Response(body, media_type="application/json", headers={"ETag": etag, "Cache-Control": "no-cache"})

    async def _generate(self, request: Request) -> Response:
        body = await request.json()
        self.asked.append(body)
        self.keys.append(request.headers.get("Idempotency-Key"))
        if self.refusal:
            return _refused(*self.refusal)
        by = body["requested_by"]
        job = self.job(body["prompt"], by["display_name"], style=body.get("style") or "genga")
        job["requested_by"] = {key: by[key] for key in ("platform", "login", "display_name")}
        if by["bits"]:
            job.update(lane="bits", credits=[{"reason": f"{by['bits']} bits", "seconds": by["bits"] * 0.6}])
        elif "subscriber" in by["roles"]:
            job.update(lane="sub", credits=[{"reason": "sub", "seconds": 300}])
        self.waiting.append(job)
        self.waits()
        accepted = {key: job[key] for key in ("job_id", "number", "cut", "status", "queue_position", "eta_seconds")}
        return JSONResponse(accepted | {"status_url": f"/status/{job['job_id']}"}, status_code=202)

    async def _status(self, request: Request) -> Response:
        job_id = request.path_params["job_id"]
        for job in [*self.running, *self.waits(), *self.ended.values()]:
            if job["job_id"] == job_id:
                return self._document(request, job)
        return _refused(404, "job_not_found", "There is no such job.")

    async def _queue(self, request: Request) -> Response:
        waiting = self.waits()
        return self._document(
            request,
            {
                "paused": self.paused,
                "slots": 1,
                "waiting_count": len(waiting),
                "seconds_each": 7.1,
                "running": self.running,
                "waiting": waiting,
            },
        )

    async def _stage(self, request: Request) -> Response:
        state, clip, since = self.on_air
        waiting = self.waits()
        if state == "idle" and self.running:
            state = "cooking"
        return self._document(
            request,
            {
                "state": state,
                "revision": 7,
                "since": since.isoformat(),
                "until": None,
                "server_time": datetime.now(UTC).isoformat(),
                "clip": clip,
                "cooking": [job["job_id"] for job in self.running],
                "next": waiting[:5],
                "waiting_count": len(waiting),
                "seconds_each": 7.1,
                "paused": self.paused,
                "poll_after_ms": 500,
            },
        )

    async def _clips(self, request: Request) -> Response:
        return self._document(request, {"clips": self.clips[:50], "next_before": None})

    async def _catalog(self, request: Request) -> Response:
        styles = [
            {"name": "genga", "title": "Pencil drawing", "summary": "Graphite and blue pencil on paper."},
            {"name": "neon", "title": "Neon rain", "summary": "Wet streets at night."},
            {"name": "watercolour", "title": "Watercolour", "summary": "Soft skies and fields."},
        ]
        engine = {"name": "rehearsal", "summary": "No model.", "shortest": 2, "longest": 8, "default": 5}
        return self._document(request, {"styles": styles, "engines": [engine], "prompt_limit": 300})

    async def _me(self, request: Request) -> Response:
        return JSONResponse({"role": self.role, "name": "owner" if self.role else ""})

    async def _health(self, request: Request) -> Response:
        return JSONResponse(self.health, status_code=200 if self.health["status"] != "unhealthy" else 503)

    def _still(self, number: int) -> Path:
        stills = sorted(self.footage.glob("*.jpg"))
        return stills[number % len(stills)]

    async def _picture(self, request: Request) -> Response:
        name = request.path_params.get("clip_id") or request.path_params["job_id"]
        return FileResponse(self._still(int(name.split("_")[1])), media_type="image/jpeg")

    async def _video(self, request: Request) -> Response:
        still = self._still(int(request.path_params["clip_id"].split("_")[1]))
        return FileResponse(still.with_suffix(".mp4"), media_type="video/mp4")


def _page(path: Path, csp: str) -> Callable[[Request], Awaitable[Response]]:
    async def page(request: Request) -> Response:
        return FileResponse(path, headers={"Content-Security-Policy": csp, "Cache-Control": "no-cache"})

    return page


def _refused(status: int, code: str, message: str) -> Response:
    error = {"code": code, "message": message, "type": "invalid_request_error", "param": None}
    return JSONResponse({"error": error}, status_code=status)
