"""The quiet line about a chat that is not heard, on both pages."""

from typing import Any

import pytest
from playwright.async_api import expect

from sakuga.presence import Presence, Presences
from sakuga.retraction import Retractions
from tests.browser.conftest import PHONE, Opener
from tests.browser.console import Entry
from tests.fakes.desk import Desk
from tests.fakes.gateway import FakeGateway

pytestmark = pytest.mark.asyncio(loop_scope="session")

MARKUP = "<img src=x onerror=\"document.title='taken'\">"
LOGGED_OUT = Presence(platform="twitch", state="logged_out", detail=MARKUP)


def said(presence: Presence) -> dict[str, Any]:
    return {**presence.model_dump(exclude={"at"}), "message": presence.message, "at": "2026-11-20T14:03:10.512Z"}


async def test_the_console_says_in_a_quiet_line_which_chat_is_not_heard_and_no_more_once_it_is(
    enter: Entry, desk: Desk
) -> None:
    await Presences(desk.redis).tell(LOGGED_OUT)
    page = await enter()
    line = page.locator("#chats li")
    await expect(line).to_have_count(1)
    await expect(line).to_contain_text("The bot is not logged in to Twitch. Log in: .venv/bin/python -m sakuga login")
    await expect(line.locator("bdi")).to_have_text(f" {MARKUP}")
    assert await page.title() == "Sakuga console"
    await expect(page.locator("#away")).to_be_hidden()
    await Presences(desk.redis).tell(LOGGED_OUT.model_copy(update={"state": "listening", "detail": None}))
    await expect(page.locator("#chats")).to_be_hidden(timeout=10_000)  # it is asked for every five seconds


async def test_a_retraction_of_the_chat_is_told_in_the_audit(enter: Entry, desk: Desk) -> None:
    await desk.line("one")
    page = await enter()
    await expect(page.locator("#waiting .strip")).to_have_count(1)
    gone = await Retractions(desk.redis).chat("twitch", by="twitch:bob via chat")
    assert len(gone.cancelled) == 1
    await expect(page.locator("#waiting .strip")).to_have_count(0)
    first = page.locator("#audit li").first
    await expect(first).to_contain_text("twitch:bob via chat took back the chat of twitch: 1 cut: chat cleared")
    await expect(first.locator(".back")).to_be_hidden()


@pytest.mark.parametrize("size", [(1440, 900), PHONE])
async def test_the_studio_page_says_it_too_and_is_as_wide_as_before(
    visit: Opener, gateway: FakeGateway, size: tuple[int, int]
) -> None:
    gateway.health["chats"] = [said(LOGGED_OUT), said(Presence(platform="youtube", state="listening"))]
    page = await visit("/", size)
    await expect(page.locator("#chats li")).to_have_count(1)
    await expect(page.locator("#chats li")).to_contain_text("not logged in to Twitch")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await expect(page.locator("#away")).to_be_hidden()
