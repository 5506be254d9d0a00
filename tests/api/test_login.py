import httpx
import pytest

from api.door import COOKIE
from api.state import State
from sakuga import store
from sakuga.keys import Keys
from sakuga.role import Role

BASE = "http://127.0.0.1:8420"
OWN_PAGE = {"Origin": BASE, "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def browser(studio: State, worker: None):
    """A client that keeps cookies, and has none yet."""
    transport = httpx.ASGITransport(app=studio.app)  # type: ignore[attr-defined]
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=OWN_PAGE) as client:
        yield client


async def test_a_link_logs_a_browser_in_once_and_looking_at_it_does_not_spend_it(
    browser: httpx.AsyncClient, redis: store.Client
) -> None:
    code = await Keys(redis).link(Role.MODERATOR, "alice")
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    for _ in range(3):
        page = await browser.get(f"/login/{code}", headers=followed)
        assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert "Set-Cookie" not in page.headers
    answer = await browser.post("/login", json={"code": code})
    assert answer.json()["role"] == "moderator"
    assert answer.json()["next"] == "/console"
    cookie = answer.headers["Set-Cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age=2592000"))
    assert "Secure" not in cookie
    assert (await browser.get("/me")).json() == {"role": "moderator", "name": "alice"}
    again = await browser.post("/login", json={"code": code})
    assert (again.status_code, again.json()["error"]["code"]) == (410, "link_spent")


async def test_the_owner_is_led_to_the_studio(browser: httpx.AsyncClient, redis: store.Client) -> None:
    code = await Keys(redis).link(Role.BROADCASTER, "owner")
    assert (await browser.post("/login", json={"code": code})).json()["next"] == "/"


async def test_by_https_the_cookie_stays_with_https(browser: httpx.AsyncClient, redis: store.Client) -> None:
    code = await Keys(redis).link(Role.MODERATOR, "alice")
    answer = await browser.post("/login", json={"code": code}, headers={"Origin": "https://127.0.0.1:8420"})
    assert "Secure" in answer.headers["Set-Cookie"]


async def test_another_site_can_not_log_a_browser_in(browser: httpx.AsyncClient, redis: store.Client) -> None:
    code = await Keys(redis).link(Role.MODERATOR, "alice")
    hostile = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert (await browser.post("/login", json={"code": code}, headers=hostile)).status_code == 403
    assert (await browser.post("/login", json={"code": code})).status_code == 200


async def test_guessing_codes_is_slowed_down(browser: httpx.AsyncClient) -> None:
    for _ in range(30):
        assert (await browser.post("/login", json={"code": "code_guess"})).status_code == 410
    assert (await browser.post("/login", json={"code": "code_guess"})).status_code == 429


async def test_logging_out_ends_the_login_everywhere(browser: httpx.AsyncClient, redis: store.Client) -> None:
    await browser.post("/login", json={"code": await Keys(redis).link(Role.MODERATOR, "alice")})
    secret = browser.cookies[COOKIE]
    assert (await browser.post("/logout")).json() == {"role": None, "name": ""}
    assert COOKIE not in browser.cookies
    assert await Keys(redis).find(secret) is None
    kept = {"Cookie": f"{COOKIE}={secret}"}
    assert (await browser.get("/me", headers=kept)).json()["role"] is None


async def test_a_login_is_revoked_like_a_key(browser: httpx.AsyncClient, redis: store.Client) -> None:
    await browser.post("/login", json={"code": await Keys(redis).link(Role.MODERATOR, "alice")})
    await Keys(redis).revoke("alice")
    answer = await browser.put("/stage", json={"state": "idle"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthenticated")
