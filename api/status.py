"""GET /status/{job_id}: how a job is going, to be polled."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.cache import known
from api.documents import JOB_ID, StatusDocument
from api.errors import described
from api.state import Studio
from sakuga import store
from sakuga.errors import PreviewNotFound

router = APIRouter(tags=["jobs"])

JobIdInPath = Annotated[str, Path(max_length=64, description="The job_id of POST /generate.", examples=[JOB_ID])]


@router.get(
    "/status/{job_id}",
    response_model=StatusDocument,
    responses={**described(404, 422), 304: {"description": "Not changed since the ETag in If-None-Match."}},
    summary="How a job is going",
)
async def status(job_id: JobIdInPath, request: Request, studio: Studio) -> Response:
    """Return all about one job. Poll again after `poll_after_ms`, with the ETag of the last answer."""
    job, place = await studio.queue.look(job_id)
    forecast = await studio.recent_forecast()
    clip = await studio.gallery.get(job.clip_id) if job.clip_id else None
    document = StatusDocument.of(job, place, forecast, clip)
    etag = f'"{job.revision}.{place or 0}.{document.eta_seconds or 0}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if known(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(document.model_dump_json(), media_type="application/json", headers=headers)


@router.get(
    "/status/{job_id}/preview",
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
    if picture is None:
        raise PreviewNotFound(job_id=job_id)
    return Response(picture, media_type="image/jpeg")
