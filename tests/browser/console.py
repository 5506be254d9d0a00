"""Opens the console in a browser, logged in as whom a test says."""

from collections.abc import Awaitable, Callable
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page

from sakuga.role import Role
from tests.fakes.desk import Desk

Entry = Callable[..., Awaitable[Page]]
# How a browser notes that an act came too late, and a stream that a test cut.
EXPECTED = ("409 (Conflict)", "net::ERR_FAILED", "net::ERR_INTERNET_DISCONNECTED")


class Entrance:
    """The way in; `complaints` are what the pages wrote as errors."""

    def __init__(self, browser: Browser, desk: Desk) -> None:
        self._browser = browser
        self._desk = desk
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    async def enter(
        self,
        role: Role | None = Role.MODERATOR,
        name: str = "alice",
        *,
        size: tuple[int, int] = (1440, 900),
        silent: bool = False,
        budget: dict[str, Any] | None = None,
        **options: Any,
    ) -> Page:
        """Open the console; `silent` cuts its events off, `budget` is what GET /budget answers."""
        context = await self._browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
        self._contexts.append(context)
        context.set_default_timeout(8000)
        if role is not None:
            await context.add_cookies([await self._desk.cookie(role, name)])
        page = await context.new_page()
        page.on("console", lambda line: self._heard(line.text) if line.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: self._heard(str(error)))
        if silent:
            await page.route("**/events", lambda route: route.abort())
        if budget is not None:
            await page.route("**/budget", lambda route: route.fulfill(json=budget))
        await page.goto(f"{self._desk.url}/console")
        return page

    def _heard(self, text: str) -> None:
        if not any(known in text for known in EXPECTED):
            self.complaints.append(text)

    async def close(self) -> None:
        """Shut every page."""
        for context in self._contexts:
            await context.close()
