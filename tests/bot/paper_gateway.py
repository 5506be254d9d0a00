"""PaperGateway: a gateway without a studio, on a loopback port. It keeps the contract and draws one cut at a time."""

import asyncio
from typing import Any, Self

from aiohttp import web

from sakuga.lane import lane_of
from tests.bot import paper_moderation
from tests.bot.paper_answers import refusal, tagged

NOON = "2026-11-20T12:00:00Z"


class PaperGateway:
    """Each cut takes `drawing_s` seconds, or for ever if None; `finish` ends one by hand."""

    def __init__(self, *, drawing_s: float | None = None) -> None:
        self.drawing_s = drawing_s
        self.seconds_each = 20.0 if drawing_s is None else drawing_s
        self.requests: list[tuple[str, str]] = []
        self.asked: list[dict[str, Any]] = []
        self.jobs: dict[str, dict[str, Any]] = {}
        self.stage: dict[str, Any] = {"state": "idle", "revision": 1, "server_time": NOON, "waiting_count": 0}
        self.characters: list[dict[str, str]] = []
        self.wanted: dict[str, Any] = {"warm": False}
        self.acts: list[tuple[str, str, str]] = []  # by whom, what, with which body
        self.votes: dict[str, set[str]] = {}
        self.next_answers: list[web.Response | None] = []  # None: the connection breaks
        self._keys: dict[str, str] = {}
        self._started_at = 0.0
        self._port = 0
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.shut()

    async def open(self) -> None:
        app = web.Application(middlewares=[self._fault])
        app.router.add_post("/generate", self._generate)
        app.router.add_get("/status/{job_id}", self._status)
        app.router.add_get("/queue", self._queue)
        app.router.add_get("/stage", self._get_stage)
        app.router.add_put("/stage", self._put_stage)
        app.router.add_get("/clips", self._clips)
        app.router.add_get("/health", self._health)
        app.router.add_get("/renderer", self._renderer)
        app.router.add_put("/renderer", self._renderer)
        app.router.add_get("/catalog", self._catalog)
        app.router.add_post("/votes", self._vote)
        app.router.add_post("/jobs/{job_id}/upvote", self._upvote)
        app.router.add_post("/jobs/{job_id}/withdraw", self._withdraw)
        for method, path, act in paper_moderation.routes(self):
            app.router.add_route(method, path, act)
        self.furnish(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()
        self._port = self._runner.addresses[0][1]

    def furnish(self, app: web.Application) -> None:
        """Add the routes of a subclass."""

    async def shut(self) -> None:
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    def refuse_next(self, status: int, code: str, message: str, **headers: str) -> None:
        self.next_answers.append(refusal(status, code, message, **headers))

    def fill(self, count: int) -> None:
        """Let somebody ask for that many cuts."""
        for _ in range(count):
            self._accept(
                {"prompt": "a cat", "requested_by": {"platform": "studio", "login": "aki", "display_name": "Aki"}}
            )

    def finish(self, job_id: str, status: str = "succeeded", error: tuple[str, str] | None = None) -> None:
        job = self.jobs[job_id]
        job |= {"status": status, "stage": "done", "queue_position": None, "eta_seconds": None, "poll_after_ms": None}
        if status == "succeeded":
            clip_id = job_id.replace("job_", "clip_")
            job |= {"progress": 100.0, "clip_id": clip_id, "video_url": f"/clips/{clip_id}/video"}
        if error:
            job["error"] = {"code": error[0], "message": error[1]}

    def _accept(self, body: dict[str, Any]) -> dict[str, Any]:
        number = len(self.jobs) + 41
        who = {
            "platform": "api",
            "login": "",
            "display_name": "",
            "roles": [],
            "bits": 0,
            **body.get("requested_by", {}),
        }
        job = {
            "job_id": f"job_{number:026d}",
            "number": number,
            "cut": f"C-{number:03d}",
            "status": "queued",
            "stage": "waiting",
            "progress": 0.0,
            "lane": lane_of(who["roles"], who["bits"]),
            "requested_by": {name: who[name] for name in ("platform", "login", "display_name")},
            "requested_at": NOON,
            "prompt": body["prompt"],
            "viewer": f"{who['platform']}:{who.get('id', '')}",
            "poll_after_ms": 20,
        }
        self.jobs[job["job_id"]] = job
        self._draw()
        return job

    def _draw(self) -> None:
        """Finish what is done, begin what is first, and give the others their places."""
        now = asyncio.get_running_loop().time()
        alive = [job for job in self.jobs.values() if job["status"] in ("queued", "rendering")]
        if self.drawing_s is not None and alive:
            if alive[0]["status"] == "queued":
                alive[0] |= {"status": "rendering", "stage": "denoise", "progress": 10.0}
                self._started_at = now
            if now - self._started_at >= self.drawing_s:
                self.finish(alive[0]["job_id"])
                self._draw()
                return
        for place, job in enumerate(job for job in alive if job["status"] == "queued"):
            job |= {"queue_position": place + 1, "eta_seconds": self.seconds_each * (place + 1)}

    # -- the contract -------------------------------------------------------------------------------------------------

    @web.middleware
    async def _fault(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.requests.append((request.method, request.path_qs))
        if self.next_answers:
            answer = self.next_answers.pop(0)
            if answer is not None:
                return answer
            await handler(request)
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return await handler(request)

    async def _generate(self, request: web.Request) -> web.Response:
        body = await request.json()
        if len(body["prompt"]) > 300:
            return refusal(422, "prompt_too_long", "The prompt has too many characters.")
        self.asked.append(body)
        key = request.headers.get("Idempotency-Key", "")
        if key not in self._keys:
            job_id = self._accept(body)["job_id"]
            self._keys[key or job_id] = job_id
            key = key or job_id
        job = self.jobs[self._keys[key]]
        fields = ("job_id", "number", "cut", "status", "queue_position", "eta_seconds")
        answer = {name: job.get(name) for name in fields} | {"status_url": f"/status/{job['job_id']}"}
        return web.json_response(answer, status=202)

    async def _status(self, request: web.Request) -> web.Response:
        self._draw()
        job = self.jobs.get(request.match_info["job_id"])
        return tagged(request, job) if job else refusal(404, "job_not_found", "There is no such job.")

    async def _queue(self, request: web.Request) -> web.Response:
        self._draw()
        running = [job for job in self.jobs.values() if job["status"] == "rendering"]
        waiting = [job for job in self.jobs.values() if job["status"] == "queued"]
        numbers = {"paused": False, "slots": 1, "waiting_count": len(waiting), "seconds_each": self.seconds_each}
        return tagged(request, {**numbers, "running": running, "waiting": waiting[: int(request.query["limit"])]})

    async def _get_stage(self, request: web.Request) -> web.Response:
        return tagged(request, self.stage)

    async def _put_stage(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append(body)
        self.stage |= {"state": body["state"], "revision": self.stage["revision"] + 1}
        return web.json_response(self.stage)

    async def _clips(self, request: web.Request) -> web.Response:
        done = [job for job in self.jobs.values() if job["status"] == "succeeded"]
        more = {"poster_url": "/clips/p.jpg", "duration": 5.06, "finished_at": NOON}
        return web.json_response({"clips": [{**job, **more} for job in reversed(done)], "next_before": None})

    async def _catalog(self, _: web.Request) -> web.Response:
        styles = [{"name": name, "title": name.title()} for name in ("anime", "neon")]
        return web.json_response({"style": "anime", "styles": styles, "characters": self.characters})

    async def _vote(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append(body)
        return web.json_response({"job_id": next(iter(self.jobs))})

    async def _upvote(self, request: web.Request) -> web.Response:
        job_id = request.match_info["job_id"]
        voters = self.votes.setdefault(job_id, set())
        voters.add((await request.json())["viewer"])
        return web.json_response({"job_id": job_id, "votes": len(voters)})

    async def _withdraw(self, request: web.Request) -> web.Response:
        job = self.jobs[request.match_info["job_id"]]
        if job["viewer"] != (await request.json())["viewer"]:
            return refusal(403, "job_not_theirs", "Somebody else asked for this job.")
        return paper_moderation.end(self, job)

    async def _renderer(self, request: web.Request) -> web.Response:
        if request.method == "PUT":
            self.wanted = await request.json()
            self.asked.append(self.wanted)
        until = NOON if self.wanted["warm"] else None
        told = {"name": "modal", "engines": ["ltx-video-2b"], "gpu": "H100", "warm": False, "trouble": None}
        return web.json_response({**told, "wanted": self.wanted["warm"], "until": until})

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "unhealthy", "version": "0.1.0"}, status=503)
