"""GET /me, POST /login and /logout: how a browser comes to a key, by a link that works once."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import Headers

from api.documents import Document
from api.door import COOKIE, NOBODY, Caller, Door, anybody, needs, shown
from api.errors import described
from sakuga.errors import LinkSpent
from sakuga.keys import LOGIN_S
from sakuga.role import Role

router = APIRouter(tags=["keys"])

CONSOLE = "/console"


class LoginRequest(BaseModel):
    """The code of a one-time link."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    code: str = Field(max_length=100, description="The last part of the link that `python -m sakuga keys link` prints.")


class MeDocument(Document):
    """Who is calling."""

    role: str | None = Field(description="The role of the key; null without one.", examples=["moderator"])
    name: str = Field(description="The name of the key.", examples=["alice"])

    @classmethod
    def of(cls, caller: Caller) -> "MeDocument":
        """Describe a caller."""
        return cls(role=caller.role.label if caller.role else None, name=caller.name)


class LoginDocument(MeDocument):
    """Who has logged in, and where to go."""

    next: str = Field(description="The page to go to.", examples=["/console"])


@router.get("/me", dependencies=needs(None), responses=described(429), summary="Who is calling")
async def me(caller: Annotated[Caller, anybody]) -> MeDocument:
    """Return role and name of the key that was sent."""
    return MeDocument.of(caller)


@router.post(
    "/login",
    dependencies=needs(None),
    responses=described(400, 410, 413, 415, 422, 429),
    summary="Log a browser in by a one-time link",
)
async def login(asked: LoginRequest, request: Request, response: Response) -> LoginDocument:
    """Spend the code of a link and set the cookie that stands for its role, for thirty days."""
    door = _door(request)
    try:
        secret, key = await door.keys.enter(asked.code)
    except LinkSpent:
        door.failed(request.scope)
        raise
    give(response, request, secret, max_age_s=LOGIN_S)
    caller = Caller(role=key.role, name=key.name, key_id=key.id)
    return LoginDocument(next=CONSOLE if key.role is Role.MODERATOR else "/", **MeDocument.of(caller).model_dump())


@router.post("/logout", dependencies=needs(None), responses=described(413, 415), summary="Log this browser out")
async def logout(request: Request, response: Response) -> MeDocument:
    """End the login of the cookie that was sent. A key in a header stays as it is."""
    door = _door(request)
    way, secret = shown(Headers(scope=request.scope))
    if way == "cookie":
        await door.keys.leave(secret)
        door.forget(secret)
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return MeDocument.of(NOBODY)


def give(response: Response, request: Request, secret: str, *, max_age_s: int | None) -> None:
    """Set the cookie; by https alone where the browser came by https, also through a proxy."""
    came_by = request.headers.get("origin", "").partition("://")[0] or request.url.scheme
    response.set_cookie(
        COOKIE, secret, max_age=max_age_s, path="/", httponly=True, samesite="strict", secure=came_by == "https"
    )


def _door(request: Request) -> Door:
    door: Door = request.app.state.door
    return door
