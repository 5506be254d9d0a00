"""Pages: the studio page, the overlay, and the reference of this API. Files only; their data comes by the API."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

HOUSE = Path(__file__).parent.parent
STUDIO = HOUSE / "api" / "studio"
OVERLAY = HOUSE / "overlay" / "pages"
REFERENCE = HOUSE / "api" / "reference"
SWAGGER = HOUSE / "api" / "vendor" / "swagger-ui"


class Files(StaticFiles):
    """A folder of files that browsers must ask about again before they use what they kept."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        """Add the header that makes a new version show at once."""
        response: Response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "no-cache"
        return response


def install(app: FastAPI) -> None:
    """Serve the pages."""
    for address, page in {"/": STUDIO, "/overlay": OVERLAY, "/docs": REFERENCE}.items():
        app.add_api_route(address, _page(page / "index.html"), include_in_schema=False)
    app.mount("/studio", Files(directory=STUDIO), name="studio")
    app.mount("/overlay", Files(directory=OVERLAY), name="overlay")
    app.mount("/docs/swagger-ui", Files(directory=SWAGGER), name="swagger-ui")
    app.mount("/docs", Files(directory=REFERENCE), name="reference")


def _page(path: Path) -> Callable[[], Awaitable[FileResponse]]:
    async def page() -> FileResponse:
        return FileResponse(path, media_type="text/html", headers={"Cache-Control": "no-cache"})

    return page
