"""Conditional answers: a document with its ETag, or 304 when the caller has it already."""

import hashlib

from fastapi import Request, Response
from pydantic import BaseModel


def answer(request: Request, document: BaseModel) -> Response:
    """Return the document, or 304 with an empty body when `If-None-Match` names it."""
    body = document.model_dump_json().encode()
    etag = _etag(body)
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if known(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def etag_of(document: BaseModel, *, apart_from: frozenset[str] = frozenset()) -> str:
    """Return a document's ETag. Fields `apart_from` change all the time and don't count."""
    return _etag(document.model_dump_json(exclude=set(apart_from)).encode())


def _etag(counted: bytes) -> str:
    return f'"{hashlib.blake2b(counted, digest_size=9).hexdigest()}"'


def known(request: Request, etag: str) -> bool:
    """Whether the caller's `If-None-Match` names this ETag."""
    return etag in (part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(","))
