"""GET /status/{job_id}: how a job is going, to be polled."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.cache import known
from api.documents import JOB_ID, StatusDocument
from api.door import reads
from api.errors import described
from api.forecast import Forecast, whole_seconds
from api.state import State, Studio
from sakuga import store
from sakuga.clip import Clip
from sakuga.errors import ClipNotFound, PreviewNotFound
from sakuga.job import Job

router = APIRouter(tags=["jobs"])

JobIdInPath = Annotated[str, Path(max_length=64, description="The job_id of POST /generate.", examples=[JOB_ID])]


@dataclass(slots=True)
class _Answer:
    """What was last said about a job, kept while it is still true: most polls change nothing."""

    job: Job
    clip: Clip | None
    place: int | None
    ready_s: int | None
    headers: dict[str, str]
    body: bytes


@router.get(
    "/status/{job_id}",
    dependencies=reads(),
    response_model=StatusDocument,
    responses={**described(404, 422), 304: {"description": "Not changed since the ETag in If-None-Match."}},
    summary="How a job is going",
)
async def status(job_id: JobIdInPath, request: Request, studio: Studio) -> Response:
    """Return all about one job. Poll again after `poll_after_ms`, with the ETag of the last answer."""
    revision, place = await studio.queue.peek(job_id)
    forecast = await studio.recent_forecast()
    answer = studio.answers.get(job_id)
    if answer is None or answer.job.revision != revision:
        job, place = await studio.queue.look(job_id)
        answer = _say(job, await _clip(studio, job), place, forecast)
        studio.answers[job_id] = answer
    elif (answer.place, answer.ready_s) != (place, whole_seconds(forecast.until_ready_s(answer.job, place))):
        answer = studio.answers[job_id] = _say(answer.job, answer.clip, place, forecast)
    if known(request, answer.headers["ETag"]):
        return Response(status_code=304, headers=answer.headers)
    return Response(answer.body, media_type="application/json", headers=answer.headers)


async def _clip(studio: State, job: Job) -> Clip | None:
    try:
        return await studio.gallery.get(job.clip_id) if job.clip_id else None
    except ClipNotFound:  # taken out of the gallery since
        return None


def _say(job: Job, clip: Clip | None, place: int | None, forecast: Forecast) -> _Answer:
    document = StatusDocument.of(job, place, forecast, clip)
    etag = f'"{job.revision}.{place or 0}.{document.eta_seconds or 0}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    return _Answer(job, clip, place, document.eta_seconds, headers, document.model_dump_json().encode())


@router.get(
    "/status/{job_id}/preview",
    dependencies=reads(),
    response_class=Response,
    responses={
        **described(404, 422),
        200: {
            "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
            "description": "A small JPEG.",
        },
    },
    summary="The picture so far",
)
async def preview(job_id: JobIdInPath, studio: Studio) -> Response:
    """Return what the renderer has drawn so far. Its address changes with each new picture."""
    picture = await studio.raw.get(store.PREVIEW_PREFIX + job_id)
    if picture is None or await studio.redis.hget(store.JOB_PREFIX + job_id, "held_for"):  # taken back since
        raise PreviewNotFound(job_id=job_id)
    return Response(picture, media_type="image/jpeg")
