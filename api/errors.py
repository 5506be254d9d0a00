"""Errors over HTTP: one table of statuses, one envelope, one handler."""

from difflib import get_close_matches
from typing import Any
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.types import Scope

from sakuga import errors
from sakuga.log import get_logger

log = get_logger("api")

STATUS: dict[type[errors.SakugaError], int] = {
    errors.RequestInvalid: 422,
    errors.BodyUnreadable: 400,
    errors.BodyTooLarge: 413,
    errors.MediaTypeUnsupported: 415,
    errors.PromptEmpty: 422,
    errors.PromptTooLong: 422,
    errors.PromptUnreadable: 422,
    errors.StyleUnknown: 422,
    errors.EngineUnknown: 422,
    errors.CharacterUnknown: 422,
    errors.CharacterUnavailable: 422,
    errors.CharacterNeeded: 422,
    errors.PresetUnknown: 422,
    errors.DurationOutOfRange: 422,
    errors.QueueFull: 429,
    errors.StreamsExhausted: 429,
    errors.KeyReused: 409,
    errors.QueueClosed: 503,
    errors.ViewerBanned: 403,
    errors.MessageRetracted: 409,
    errors.CoolingDown: 429,
    errors.ViewerBusy: 429,
    errors.BudgetSpent: 429,
    errors.PromptRefused: 422,
    errors.JobChanged: 409,
    errors.JobNotEnded: 409,
    errors.JobNotTheirs: 403,
    errors.BallotNotOpen: 409,
    errors.BallotOpen: 409,
    errors.BallotTooSmall: 409,
    errors.ChoiceUnknown: 422,
    errors.ActNotFound: 404,
    errors.ActUndone: 409,
    errors.JobNotFound: 404,
    errors.JobNotWaiting: 409,
    errors.RedemptionNotFound: 404,
    errors.RedemptionSpent: 409,
    errors.ClipNotFound: 404,
    errors.RemixNotFound: 404,
    errors.PreviewNotFound: 404,
    errors.WebhookRefused: 422,
    errors.WebhooksExhausted: 409,
    errors.WebhookNotFound: 404,
    errors.WebhookDisabled: 409,
    errors.DeliveryNotFound: 404,
    errors.RouteNotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.RangeNotSatisfiable: 416,
    errors.HostNotAllowed: 403,
    errors.OriginNotAllowed: 403,
    errors.Unauthenticated: 401,
    errors.SignatureInvalid: 401,
    errors.Forbidden: 403,
    errors.KeyExposed: 403,
    errors.LinkSpent: 410,
    errors.RateLimited: 429,
    errors.BrokerUnavailable: 503,
    errors.StudioNotReady: 503,
    errors.StorageUnavailable: 503,
    errors.Unexpected: 500,
}
TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
RETRY_AFTER_S = 2


class ErrorDetail(BaseModel):
    """What went wrong, for programs and for people."""

    code: str = Field(description="Stable name of the error.", examples=["prompt_empty"])
    message: str = Field(
        description="A sentence that says what to do.",
        examples=["The prompt is empty. Say what to draw, for example: girl with sword, neon rain."],
    )
    type: str = Field(description="Kind of error.", examples=["invalid_request_error"])
    param: str | None = Field(description="The field or header at fault, if it is one.", examples=["prompt"])


class ErrorDocument(BaseModel):
    """The envelope of every error."""

    error: ErrorDetail


# What the API's reference shows for each status.
EXAMPLES: dict[int, errors.SakugaError] = {
    400: errors.BodyUnreadable(problem="Expecting value"),
    401: errors.Unauthenticated(problem="This needs a key."),
    403: errors.Forbidden(needs="moderator", role="viewer"),
    404: errors.JobNotFound(job_id="job_01KAFK3V5N8ZQ6W3Y7T2M4R9XB", kept_days=3),
    409: errors.KeyReused(),
    410: errors.LinkSpent(),
    413: errors.BodyTooLarge(limit_bytes=65536),
    415: errors.MediaTypeUnsupported(),
    416: errors.RangeNotSatisfiable(size=1_061_547),
    422: errors.PromptEmpty(),
    429: errors.QueueFull(waiting=200, retry_after_s=7),
    503: errors.BrokerUnavailable(),
}

MEANINGS = {
    403: "The host name, or the page that asked, is not one that the studio answers to.",
    404: "There is nothing of that name.",
    422: "A field or parameter can't be taken as it is; `code`, `param` and `message` say which and why.",
    429: "There are as many already as the studio takes.",
    503: "The studio can't answer now; ask again.",
}
"""What a status means that several errors have; one that a single error has means that."""


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return OpenAPI responses for a route: the error envelope for each of these statuses and the common ones."""
    return {
        status: {
            "model": ErrorDocument,
            "description": MEANINGS.get(status) or (type(EXAMPLES[status]).__doc__ or "").strip(),
            "content": {"application/json": {"example": example(EXAMPLES[status])}},
        }
        for status in sorted({401, 403, 503, *statuses})
    }


def example(error: errors.SakugaError) -> dict[str, Any]:
    """Return the envelope of an error as the API's reference shows it."""
    return _document(error).model_dump()


def respond(error: errors.SakugaError) -> JSONResponse:
    """Return the response for an error of ours."""
    headers = {"Cache-Control": "no-store"}
    if error.retryable:
        headers["Retry-After"] = str(error.data.get("retry_after_s", RETRY_AFTER_S))
    if isinstance(error, errors.MethodNotAllowed):
        headers["Allow"] = error.data["allowed"]
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="sakuga"'
    if isinstance(error, errors.RangeNotSatisfiable):
        headers["Content-Range"] = f"bytes */{error.data['size']}"
    return JSONResponse(_document(error).model_dump(), STATUS[type(error)], headers)


def _document(error: errors.SakugaError) -> ErrorDocument:
    status = STATUS[type(error)]
    kind = TYPES.get(status) or ("studio_error" if status >= 500 else "invalid_request_error")  # noqa: PLR2004
    detail = ErrorDetail(code=error.code, message=str(error), type=kind, param=error.data.get("param", error.param))
    return ErrorDocument(error=detail)


def install(app: FastAPI) -> None:
    """Answer every error of the application with the envelope."""
    app.add_exception_handler(errors.SakugaError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RedisError, _broker)


async def _ours(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, errors.SakugaError)  # noqa: S101 - registered for it
    return respond(error)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return respond(errors.BodyUnreadable(problem=first["ctx"]["error"]))
    place, *rest = (str(part) for part in first["loc"])
    param = ".".join(rest) or place
    problem = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        problem = "there is no such field" + _nearest(request, rest)
    return respond(errors.RequestInvalid(param=param, problem=problem))


def _nearest(request: Request, place: list[str]) -> str:
    """Return a guess at the field of the body that was meant, or nothing."""
    dependant = getattr(request.scope.get("route"), "dependant", None)
    bodies = (field.field_info.annotation for field in dependant.body_params) if dependant and len(place) == 1 else ()
    known = [name for body in bodies for name in getattr(body, "model_fields", ())]
    near = get_close_matches(place[0], known, n=1) if place else []
    return f", perhaps {near[0]} was meant" if near else ""


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    path = request.url.path
    if error.status_code == STATUS[errors.MethodNotAllowed]:
        allowed = (error.headers or {}).get("Allow", "GET")
        return respond(errors.MethodNotAllowed(path=path, method=request.method, allowed=allowed))
    if error.status_code == STATUS[errors.RouteNotFound]:
        return respond(errors.RouteNotFound(path=path))
    return respond(errors.BodyUnreadable(problem=str(error.detail)))


async def _broker(_: Request, error: Exception) -> JSONResponse:
    log.warning("broker.lost", reason=type(error).__name__)
    return respond(errors.BrokerUnavailable())


def unexpected(scope: Scope, error: Exception) -> JSONResponse:
    """Log an error without a name of its own and return the response for it."""
    reference = uuid4().hex[:8]
    log.error("request.broke", reference=reference, method=scope["method"], path=scope["path"], exc_info=error)
    return respond(errors.Unexpected(reference=reference))
