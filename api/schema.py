"""The schema: what each route needs, told in the OpenAPI document; a route that does not say is a mistake."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import Route

from api.door import COOKIE, Needs
from api.errors import ErrorDocument, example
from api.signature import SIGNATURE
from sakuga.errors import RateLimited
from sakuga.role import Role

SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A key, as `Authorization: Bearer sk_…`."},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same key."},
    "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "A browser's, by POST /login."},
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": SIGNATURE,
        "description": "By Standard Webhooks, made with SAKUGA_INBOUND_SECRET.",
    },
}
SIGNED = {"signature"}
KEYS = [name for name in SCHEMES if name not in SIGNED]
UNAUTHENTICATED = "401"
RATE_LIMITED = "429"


class RouteUndeclared(Exception):
    """A route did not say who may use it: a mistake of ours, told before anything is served."""


def declare(app: FastAPI, *, keyless_reads: bool) -> None:
    """Write into the app's schema what every route needs, as `x-role`; `x-keyless` where a key may be left out.

    `x-signed` where a message needs a signature in place of a key.

    Raises RouteUndeclared.
    """
    needed = dict(_needed(app))
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is not None and "securitySchemes" in app.openapi_schema["components"]:
            return app.openapi_schema
        document = plain()
        document["components"]["securitySchemes"] = SCHEMES
        for path, methods in document["paths"].items():
            for method, route in methods.items():
                _write(route, needed[method.upper(), path], keyless_reads=keyless_reads)
        return document

    app.openapi = openapi  # type: ignore[method-assign] # as FastAPI's own pages do it


def _write(route: dict[str, Any], needs: Needs, *, keyless_reads: bool) -> None:
    keyless = needs.keyless and keyless_reads
    route["x-role"] = needs.role.label if needs.role else None
    route["x-keyless"] = keyless or (needs.role is None and not needs.signed)
    if needs.signed:
        route["x-signed"] = True
        route["responses"].setdefault(RATE_LIMITED, _rate_limited())
        route["security"] = [{name: []} for name in sorted(SIGNED)]
        return
    if needs.role is None:
        route["responses"].pop(UNAUTHENTICATED, None)
        return
    if not keyless:
        route["responses"].setdefault(RATE_LIMITED, _rate_limited())
    ways = [name for name in KEYS if not (needs.acts and name == "cookie")]
    route["security"] = [{name: []} for name in ways] + ([{}] if keyless else [])
    if not needs.keyless:
        names = ", ".join(f"`{role.label}`" for role in Role if role >= needs.role)
        route["description"] += f"\n\nNeeds a key of one of these roles: {names}."


def _rate_limited() -> dict[str, Any]:
    return {
        "description": (RateLimited.__doc__ or "").strip(),
        "content": {
            "application/json": {
                "schema": {"$ref": f"#/components/schemas/{ErrorDocument.__name__}"},
                "example": example(RateLimited(retry_after_s=7)),
            }
        },
    }


def _needed(app: FastAPI) -> Iterator[tuple[tuple[str, str], Needs]]:
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, APIRoute):
            said = list(_said(context.dependant))
            if not said:
                raise RouteUndeclared(context.path)
            strictest = max(said, key=lambda needs: needs.role or 0)
            for method in context.methods or ():
                yield (method, str(context.path_format)), strictest
        elif isinstance(route, Route) and route.path != app.openapi_url:
            raise RouteUndeclared(route.path)


def _said(dependant: Dependant) -> Iterator[Needs]:
    for inner in dependant.dependencies:
        if isinstance(inner.call, Needs):
            yield inner.call
        yield from _said(inner)
