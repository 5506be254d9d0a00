"""GET /streamerbot: what Streamer.bot's Fetch URL can ask, answered with a line for chat."""

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from redis.exceptions import RedisError

from api.door import Caller, at_least
from api.errors import RETRY_AFTER_S, STATUS, described
from api.state import Studio
from api.visit import AnswerDocument, Asked, Visit, declined
from sakuga.errors import BrokerUnavailable, GatewayRefused, RequestInvalid, SakugaError
from sakuga.log import get_logger
from sakuga.replies import Replies
from sakuga.role import Role

log = get_logger("streamerbot")
router = APIRouter(tags=["jobs"])


@router.get(
    "/streamerbot",
    response_model=AnswerDocument,
    responses={
        200: {
            "description": "A line for chat, also when something was refused.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
        **described(422, 429),
    },
    summary="Ask by an address, as Streamer.bot does",
)
async def streamerbot(
    request: Request,
    asked: Annotated[Asked, Query()],
    caller: Annotated[Caller, at_least(Role.BOT, acts=True)],
    studio: Studio,
) -> Response:
    """Do what a viewer asks for in chat, and say in one line how it went. A refusal is a line too, with status 200.

    The checks are those of POST /generate. The key stands in a header, never in the address or in a cookie.
    """
    replies = Replies(lambda: studio.catalog.chat)
    visit = Visit(asked, asked.viewer, caller, studio, replies)
    try:
        _once_each(request)
        answer = await visit.answer()
    except SakugaError as error:
        answer = _refused(error, visit.name, replies)
    except RedisError as error:
        log.warning("broker.lost", reason=type(error).__name__)
        answer = _refused(BrokerUnavailable(), visit.name, replies)
    if asked.wants_json:
        return JSONResponse(answer.model_dump())
    return PlainTextResponse(answer.chat)


def _refused(error: SakugaError, name: str, replies: Replies) -> AnswerDocument:
    wait_s = error.data.get("retry_after_s", RETRY_AFTER_S) if error.retryable else None
    told = GatewayRefused(status=STATUS[type(error)], reason=error.code, sentence=str(error), retry_after_s=wait_s)
    return declined(error.code, replies.refused(told, name=name), name)


def _once_each(request: Request) -> None:
    """Refuse an address that says something twice: a viewer's name that holds `&mod=True` is no badge."""
    counts = Counter(name for name, _ in request.query_params.multi_items())
    for name, count in counts.items():
        if count > 1:
            raise RequestInvalid(param=name, problem="The address has it twice")
