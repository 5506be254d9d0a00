"""The login page in a real browser, on the real gateway; and what a page of another port can do to it."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from sakuga import store
from sakuga.keys import Keys
from sakuga.role import Role
from tests.fakes.gateway import FakeGateway
from tests.fakes.server import GatewayThread
from tests.fakes.valkey import Valkey

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def server(valkey: Valkey) -> Iterator[GatewayThread]:
    with GatewayThread(valkey.settings) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def code(valkey: Valkey) -> AsyncIterator[str]:
    redis = store.connect(valkey.url)
    yield await Keys(redis).link(Role.MODERATOR, "alice")
    await redis.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context()
    context.set_default_timeout(5000)
    yield await context.new_page()
    await context.close()


WHO = "fetch('/me').then(answer => answer.json()).then(me => me.role)"


async def test_opening_the_link_logs_the_browser_in_and_leads_on(page: Page, server: GatewayThread, code: str) -> None:
    await page.goto(f"{server.url}/login/{code}")
    await page.wait_for_url(lambda url: "/login/" not in url)
    await page.goto(f"{server.url}/docs")
    assert await page.evaluate(WHO) == "moderator"
    (cookie,) = await page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert await page.evaluate("document.cookie") == ""


async def test_a_link_that_was_used_says_so(page: Page, server: GatewayThread, code: str) -> None:
    await page.goto(f"{server.url}/login/{code}")
    await page.wait_for_url("**/console")
    await page.goto(f"{server.url}/login/{code}")
    await expect(page.locator("#says")).to_contain_text("link was used")


async def test_a_page_of_another_port_can_do_nothing_with_the_login(
    page: Page, server: GatewayThread, code: str, gateway: FakeGateway
) -> None:
    await page.goto(f"{server.url}/login/{code}")
    await page.wait_for_url(lambda url: "/login/" not in url)
    before = await stage(page, server)
    attack = """async url => {
      const json = { "Content-Type": "application/json" };
      const asked = [
        ["/queue", { mode: "no-cors" }],
        ["/me", {}],
        ["/logout", { mode: "no-cors", method: "POST" }],
        ["/stage", { method: "PUT", headers: json, body: '{"state": "dumped"}' }],
        ["/generate", { mode: "no-cors", method: "POST", body: '{"prompt": "cat"}' }],
      ];
      const tries = asked.map(([path, options]) => fetch(url + path, { credentials: "include", ...options }));
      return (await Promise.allSettled(tries)).map(({ value }) => value?.ok ?? false);
    }"""
    # The same host, so the same site: the cookie is sent. Without a content policy, as such a page would be.
    hostile = await page.context.new_page()
    await hostile.route(f"{gateway.url}/blank", lambda route: route.fulfill(content_type="text/html", body="<p>"))
    await hostile.goto(f"{gateway.url}/blank")
    assert await hostile.evaluate(attack, server.url) == [False] * 5
    assert await stage(page, server) == before
    assert await page.evaluate(WHO) == "moderator"


async def stage(page: Page, server: GatewayThread) -> int:
    """Return the stage's revision, as our own page reads it."""
    await page.goto(f"{server.url}/docs")
    return int(await page.evaluate("fetch('/stage').then(answer => answer.json()).then(stage => stage.revision)"))
