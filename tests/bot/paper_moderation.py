"""The moderators' routes of PaperGateway: it does what they ask and remembers who did."""

from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.bot.paper_answers import refusal

if TYPE_CHECKING:
    from tests.bot.paper_gateway import PaperGateway

MODERATORS_KEY = "sk_of-a-moderator-in-chat"
Handler = Callable[[web.Request], Awaitable[web.Response]]


def routes(paper: "PaperGateway") -> Iterator[tuple[str, str, Handler]]:
    """Yield method, path and handler of each route; all of them want the moderator's key."""

    def guarded(act: Callable[["PaperGateway", web.Request, dict[str, Any]], web.Response]) -> Handler:
        async def handler(request: web.Request) -> web.Response:
            if request.headers.get("Authorization") != f"Bearer {MODERATORS_KEY}":
                return refusal(401, "unauthenticated", "This needs a key.")
            body = await request.json() if request.can_read_body else {}
            if request.method != "GET":
                paper.acts.append((request.headers["X-On-Behalf-Of"], request.path, str(body)))
            return act(paper, request, body)

        return handler

    yield "PATCH", "/jobs/{job_id}", guarded(_seen)
    yield "POST", "/jobs/{job_id}/hold", guarded(_hold)
    yield "POST", "/jobs/{job_id}/approve", guarded(_approve)
    yield "POST", "/jobs/{job_id}/cancel", guarded(_cancel)
    yield "GET", "/held", guarded(_held)
    yield "POST", "/queue/clear", guarded(lambda *_: web.json_response({"cancelled": 7}))
    yield "POST", "/queue/{way}", guarded(_switch)
    yield "POST", "/bans", guarded(lambda *_: web.json_response({"cancelled": ["job_1"]}, status=201))
    yield "POST", "/stage/{way}", guarded(lambda paper, *_: web.json_response(paper.stage))
    yield "GET", "/budget", guarded(_budget)
    yield "PUT", "/show", guarded(_show)


def end(paper: "PaperGateway", job: dict[str, Any]) -> web.Response:
    """End a job as the gateway does: one that is drawn is only on its way to its end."""
    was = job["status"]
    if was in ("queued", "held"):
        paper.finish(job["job_id"], "cancelled")
    status = {"queued": "cancelled", "held": "cancelled", "rendering": "cancelling"}.get(was, was)
    return web.json_response({"job_id": job["job_id"], "status": status})


def _job(paper: "PaperGateway", request: web.Request) -> dict[str, Any]:
    return paper.jobs[request.match_info["job_id"]]


def _seen(paper: "PaperGateway", request: web.Request, _: dict[str, Any]) -> web.Response:
    job = _job(paper, request)
    if job["status"] != "queued":
        return refusal(409, "job_not_waiting", "The job can't be moved any more.")
    return web.json_response(job)


def _hold(paper: "PaperGateway", request: web.Request, _: dict[str, Any]) -> web.Response:
    job = _job(paper, request)
    job |= {"status": "held", "queue_position": None}
    return web.json_response(job)


def _approve(paper: "PaperGateway", request: web.Request, _: dict[str, Any]) -> web.Response:
    job = _job(paper, request)
    job |= {"status": "queued", "queue_position": 1}
    return web.json_response(job)


def _cancel(paper: "PaperGateway", request: web.Request, _: dict[str, Any]) -> web.Response:
    return end(paper, _job(paper, request))


def _held(paper: "PaperGateway", _: web.Request, __: dict[str, Any]) -> web.Response:
    return web.json_response({"jobs": [job for job in paper.jobs.values() if job["status"] == "held"]})


def _switch(paper: "PaperGateway", request: web.Request, _: dict[str, Any]) -> web.Response:
    way = request.match_info["way"]
    before = [path for _, path, _ in paper.acts[:-1] if path.startswith("/queue/")]
    return web.json_response({"open": True, "paused": False, "changed": f"/queue/{way}" != (before or [""])[-1]})


def _show(_: "PaperGateway", __: web.Request, wanted: dict[str, Any]) -> web.Response:
    if wanted.get("style") == "noir":
        return refusal(422, "style_unknown", "There is no style 'noir'.")
    return web.json_response({"style": None, "characters": None, **wanted})


def _budget(_: "PaperGateway", __: web.Request, ___: dict[str, Any]) -> web.Response:
    session, day = {"spent_usd": 1.27, "left_usd": 3.73}, {"spent_usd": 2.5, "left_usd": None}
    return web.json_response({"session": session, "day": day, "prices": []})
