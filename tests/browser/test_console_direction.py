"""The console shows what the engine is told, where the prompt helper has worded it."""

import pytest
from playwright.async_api import expect

from sakuga import store
from tests.browser.console import Entry
from tests.fakes.desk import Desk

pytestmark = pytest.mark.asyncio(loop_scope="session")

DIRECTION = "A girl swings a glowing sword in neon rain, <b>low angle</b>, slow dolly in, cyan and pink light. " * 4


async def test_a_moderator_reads_both_texts_before_letting_them_through(enter: Entry, desk: Desk) -> None:
    job = await desk.ask("girl with sword", held_for="approved by hand")
    await desk.redis.hset(store.JOB_PREFIX + job.id, "direction", DIRECTION.strip())
    page = await enter()
    await page.locator("#held .strip").first.click()
    await expect(page.locator(".paper .asks")).to_have_text("girl with sword")
    await expect(page.locator(".paper .facts dd").first).to_have_text(DIRECTION.strip())
    assert await page.locator(".paper .facts b").count() == 0
    wide = await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert not wide
