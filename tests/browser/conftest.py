"""A real Chromium on the pages, and FakeGateway behind them."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from tests.browser.console import Entrance, Entry
from tests.fakes.desk import Desk
from tests.fakes.footage import draw_footage
from tests.fakes.gateway import FakeGateway

CHROMIUM = shutil.which("chromium") or "chromium is not installed: make test says how"
ARGS = [
    "--no-sandbox",
    "--headless=new",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
STREAM = (1920, 1080)
DESKTOP = (1440, 900)
PHONE = (390, 844)

Opener = Callable[..., Awaitable[Page]]


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_footage(tmp_path_factory.mktemp("footage"))


@pytest.fixture(scope="session")
def open_gateway(footage: Path) -> Iterator[FakeGateway]:
    gateway = FakeGateway(footage)
    gateway.start()
    yield gateway
    gateway.stop()


@pytest.fixture
def gateway(open_gateway: FakeGateway) -> Iterator[FakeGateway]:
    """Give a gateway that has just opened, with an empty studio."""
    open_gateway.reset()
    yield open_gateway
    if not open_gateway.is_open:
        open_gateway.start()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def open_desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with Desk(tmp_path_factory.mktemp("desk")) as desk:
        yield desk


@pytest_asyncio.fixture(loop_scope="session")
async def desk(open_desk: Desk) -> Desk:
    """Give a real gateway that has just opened."""
    await open_desk.clear()
    return open_desk


@pytest_asyncio.fixture(loop_scope="session")
async def enter(browser: Browser, desk: Desk) -> AsyncIterator[Entry]:
    """Open the console of the real gateway, logged in; at the end no page may have complained."""
    entrance = Entrance(browser, desk)
    yield entrance.enter
    await entrance.close()
    assert entrance.complaints == []


@pytest.fixture
def complaints() -> list[str]:
    """Collect what the page wrote as errors. A test that expects some clears the list."""
    return []


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser, gateway: FakeGateway, complaints: list[str]) -> AsyncIterator[Opener]:
    """Open a page of the gateway; at the end no page may have complained."""
    contexts = []

    async def open_page(path: str, size: tuple[int, int] = DESKTOP, **options: object) -> Page:
        context = await browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
        contexts.append(context)
        context.set_default_timeout(5000)
        page = await context.new_page()
        page.on("console", lambda line: complaints.append(line.text) if line.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(gateway.url + path)
        return page

    yield open_page
    for context in contexts:
        await context.close()
    assert complaints == []


async def until(page: Page, expression: str) -> None:
    """Wait for a JavaScript expression to be true. Playwright's own way needs eval, which the page's policy forbids."""
    look = f"new Promise(done => {{ const look = () => ({expression}) ? done() : setTimeout(look, 30); look() }})"
    await asyncio.wait_for(page.evaluate(look), timeout=10)
