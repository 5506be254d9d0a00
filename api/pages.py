"""Pages: the studio page, the console, the overlay, and the API reference. Files only; their data comes by the API."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import FastAPI, Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from api.door import NOBODY, Caller, Door, needs
from api.login import give
from sakuga.errors import KeyExposed, SakugaError
from sakuga.role import Role

HOUSE = Path(__file__).parent.parent
STUDIO = HOUSE / "api" / "studio"
CONSOLE = HOUSE / "api" / "console"
OVERLAY = HOUSE / "overlay" / "pages"
REFERENCE = HOUSE / "api" / "reference"
SWAGGER = HOUSE / "api" / "vendor" / "swagger-ui"
SORTABLE = HOUSE / "api" / "vendor" / "sortablejs"


class Files(StaticFiles):
    """A folder of files that browsers must ask about again before they use what they kept."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        """Add the header that makes a new version show at once."""
        response: Response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "no-cache"
        return response


def install(app: FastAPI) -> None:
    """Serve the pages."""
    pages = {
        "/": STUDIO / "index.html",
        "/console": CONSOLE / "index.html",
        "/overlay": OVERLAY / "index.html",
        "/docs": REFERENCE / "index.html",
        "/login/{code}": STUDIO / "login.html",  # its script spends the code: previews of the link run none
    }
    for address, file in pages.items():
        app.add_api_route(address, _page(file), dependencies=needs(None), include_in_schema=False)
    app.mount("/studio", Files(directory=STUDIO), name="studio")
    app.mount("/console/sortablejs", Files(directory=SORTABLE), name="sortablejs")
    app.mount("/console", Files(directory=CONSOLE), name="console")
    app.mount("/overlay", Files(directory=OVERLAY), name="overlay")
    app.mount("/docs/swagger-ui", Files(directory=SWAGGER), name="swagger-ui")
    app.mount("/docs", Files(directory=REFERENCE), name="reference")


def _page(path: Path) -> Callable[[Request], Awaitable[Response]]:
    async def page(request: Request) -> Response:
        if "key" in request.query_params:
            return await _without_key(request)
        return FileResponse(path, media_type="text/html", headers={"Cache-Control": "no-cache"})

    return page


async def _without_key(request: Request) -> Response:
    """Turn the key in a browser source's address into a cookie, and send the browser on to the address without it.

    Raises Unauthenticated, and KeyExposed for a key that may do more than read.
    """
    door: Door = request.app.state.door
    secret = request.query_params["key"]
    if (await door.known(secret, request.scope)).role is not Role.OVERLAY:
        raise KeyExposed
    onward = RedirectResponse(str(request.url.remove_query_params("key").replace(scheme="", netloc="")), 303)
    if not (await _logged_in(door, request)).may(Role.OVERLAY):  # a login of more is not exchanged for less
        give(onward, request, secret, max_age_s=None)
    return onward


async def _logged_in(door: Door, request: Request) -> Caller:
    try:
        return await door.caller(request.scope)
    except SakugaError:
        return NOBODY
