"""GET /clips: finished clips and their files."""

import re
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response
from starlette.responses import StreamingResponse

from api.cache import answer, known
from api.documents import CLIP_ID, ClipDocument, ClipsDocument
from api.door import Caller, at_least, reads
from api.errors import described
from api.state import State, Studio
from sakuga.errors import ClipNotFound, RangeNotSatisfiable
from sakuga.role import Role

router = APIRouter(tags=["clips"])

ClipIdInPath = Annotated[str, Path(max_length=64, description="A clip_id of GET /clips.", examples=[CLIP_ID])]
RangeHeader = Annotated[str | None, Header(alias="Range", description="One byte range, as in bytes=0-1023.")]
RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
FOR_EVER = "public, max-age=31536000, immutable"  # a clip's files never change


def _file(kind: str) -> dict[int | str, dict[str, object]]:
    content = {"content": {kind: {"schema": {"type": "string", "format": "binary"}}}}
    return {
        **described(404, 416, 422),
        200: {**content, "description": "The whole file."},
        206: {**content, "description": "The range that was asked for."},
        304: {"description": "Not changed since the ETag in If-None-Match."},
    }


@router.get(
    "/clips",
    dependencies=reads(),
    response_model=ClipsDocument,
    responses={**described(404, 422), 304: {"description": "Not changed since the ETag in If-None-Match."}},
    summary="The gallery, newest first",
)
async def clips(
    request: Request,
    studio: Studio,
    limit: Annotated[int, Query(ge=1, le=200, description="How many to list.")] = 50,
    before: Annotated[str | None, Query(max_length=64, description="List those older than this clip.")] = None,
) -> Response:
    """Return finished clips."""
    found = await studio.gallery.newest(limit + 1, before)
    document = ClipsDocument(
        clips=[ClipDocument.of(clip) for clip in found[:limit]],
        next_before=found[limit - 1].id if len(found) > limit else None,
    )
    return answer(request, document)


@router.get("/clips/{clip_id}", dependencies=reads(), responses=described(404, 422), summary="One clip")
async def clip(clip_id: ClipIdInPath, studio: Studio) -> ClipDocument:
    """Return who asked for a clip, what it shows and how it was made."""
    return ClipDocument.of(await studio.gallery.get(clip_id))


@router.delete("/clips/{clip_id}", status_code=204, responses=described(404, 422), summary="Take a clip out")
async def remove(clip_id: ClipIdInPath, caller: Annotated[Caller, at_least(Role.MODERATOR)], studio: Studio) -> None:
    """Take a clip out of the gallery, off the stage and out of storage, for good."""
    found = await studio.gallery.get(clip_id)
    await studio.gallery.remove(found, by=caller.by)
    await studio.shredder.shred()


@router.get(
    "/clips/{clip_id}/video",
    dependencies=reads(),
    response_class=Response,
    responses=_file("video/mp4"),
    summary="The video",
)
async def video(clip_id: ClipIdInPath, studio: Studio, request: Request, ranged: RangeHeader = None) -> Response:
    """Return the MP4 (H.264), whole or in a range."""
    found = await studio.gallery.get(clip_id)
    return await _send(studio, request, clip_id=clip_id, key=found.video_key, kind="video/mp4", ranged=ranged)


@router.get(
    "/clips/{clip_id}/poster",
    dependencies=reads(),
    response_class=Response,
    responses=_file("image/jpeg"),
    summary="The poster",
)
async def poster(clip_id: ClipIdInPath, studio: Studio, request: Request, ranged: RangeHeader = None) -> Response:
    """Return a still of the clip as JPEG."""
    found = await studio.gallery.get(clip_id)
    return await _send(studio, request, clip_id=clip_id, key=found.poster_key, kind="image/jpeg", ranged=ranged)


async def _send(studio: State, request: Request, *, clip_id: str, key: str, kind: str, ranged: str | None) -> Response:
    etag = f'"{key}"'
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": FOR_EVER,
        "ETag": etag,
        "Content-Disposition": f'inline; filename="{key}"',
    }
    if known(request, etag):
        return Response(status_code=304, headers=headers)
    size = await studio.storage.size(key)
    if size is None:
        raise ClipNotFound(clip_id=clip_id)
    span = _span(ranged, size)
    start, end = span or (0, size)
    headers["Content-Length"] = str(end - start)
    if span:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    body = studio.storage.read(key, start, end)
    return StreamingResponse(body, 206 if span else 200, headers, media_type=kind)


def _span(ranged: str | None, size: int) -> tuple[int, int] | None:
    """Return first byte and the one behind the last; None for what is no single byte range, as RFC 9110 allows."""
    match = RANGE.fullmatch(ranged or "")
    if not match or match.group() == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
    if start >= size or start >= end:
        raise RangeNotSatisfiable(size=size)
    return start, end
