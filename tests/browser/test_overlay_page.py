"""The overlay in a real browser, as a browser source would show it."""

import io

import pytest
from PIL import Image
from playwright.async_api import Page, expect

from tests.browser.conftest import STREAM, Opener, until
from tests.fakes.gateway import FakeGateway

pytestmark = pytest.mark.asyncio(loop_scope="session")

MARKUP = "<img src=x onerror=\"document.title='taken'\">"
SMALL_TEXT = """() => [...document.querySelectorAll('body *')]
  .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()))
  .filter((element) => element.checkVisibility ? element.checkVisibility() : element.offsetParent)
  .map((element) => [element.className, parseFloat(getComputedStyle(element).fontSize)])
  .filter(([, size]) => size < 17.99)"""


def busy(gateway: FakeGateway) -> None:
    gateway.cook(lane="sub", credits=[{"reason": "sub", "seconds": 300}])
    gateway.waiting = [
        gateway.job(f"cut number {n}", "Aki", lane="bits", credits=[{"reason": "300 bits", "seconds": 180}])
        for n in range(7)
    ]


async def picture(page: Page) -> Image.Image:
    return Image.open(io.BytesIO(await page.screenshot(omit_background=True)))


async def test_what_is_not_paper_is_transparent(visit: Opener, gateway: FakeGateway) -> None:
    busy(gateway)
    page = await visit("/overlay?motion=reduced", STREAM)
    await expect(page.locator(".cut .no")).to_have_text("C-041")
    shot = await picture(page)
    assert [shot.getpixel(at)[3] for at in ((0, 0), (1919, 0), (960, 300), (1919, 1079))] == [0, 0, 0, 0]
    assert shot.getpixel((80, 1000))[3] == 255


async def test_the_next_five_and_the_cut_on_the_desk_are_shown(visit: Opener, gateway: FakeGateway) -> None:
    busy(gateway)
    page = await visit("/overlay", STREAM)
    await expect(page.locator("#bags .strip")).to_have_count(5)
    await expect(page.locator("#waiting")).to_have_text("7 waiting · about 7 s each")
    await expect(page.locator(".cut .percent")).to_have_text("58 %")
    await expect(page.locator(".cut .who")).to_have_text("Mika · sub")


async def test_only_the_stage_and_the_job_on_the_desk_are_polled(visit: Opener, gateway: FakeGateway) -> None:
    job = gateway.cook()
    page = await visit("/overlay", STREAM)
    gateway.requests.clear()
    job["progress"] = 80.0
    await expect(page.locator(".cut .percent")).to_have_text("80 %")
    asked = {request for request in gateway.requests if not request.startswith("GET /overlay")}
    assert asked <= {"GET /stage", f"GET /status/{job['job_id']}"}


async def test_a_clip_plays_once_and_its_last_picture_stays(visit: Opener, gateway: FakeGateway) -> None:
    busy(gateway)
    page = await visit("/overlay", STREAM)
    gateway.play(gateway.clip("fox in a ramen shop", "Chika"))
    await expect(page.locator("#eyecatch")).to_contain_text("fox in a ramen shop")
    await until(page, "document.querySelector('#screen video')?.currentTime > 0.2")
    await expect(page.locator("#desk")).to_have_attribute("data-size", "strip")
    await until(page, "document.querySelector('#screen video').ended")
    await expect(page.locator("#clip")).to_be_visible()


async def test_each_clip_gets_a_fresh_video_and_the_old_one_is_freed(visit: Opener, gateway: FakeGateway) -> None:
    gateway.play(gateway.clip("first", "Aki"))
    page = await visit("/overlay", STREAM)
    await page.wait_for_selector("#screen video")
    old = await page.query_selector("#screen video")
    assert old
    gateway.play(gateway.clip("second", "Bo"), "gallery")
    await expect(page.locator("#eyecatch")).to_contain_text("second")
    await expect(page.locator("#screen video")).to_have_count(1)
    assert await old.evaluate("video => !video.isConnected && !video.hasAttribute('src') && video.paused")
    await expect(page.locator("#eyecatch .kind")).to_have_text("GALLERY")


async def test_a_reloaded_page_joins_the_clip_where_it_is(visit: Opener, gateway: FakeGateway) -> None:
    gateway.play(gateway.clip("fox", "Chika"))
    page = await visit("/overlay", STREAM)
    await until(page, "document.querySelector('#screen video')?.currentTime > 1")
    await page.reload()
    await until(page, "document.querySelector('#screen video')?.readyState > 1")
    assert await page.evaluate("document.querySelector('#screen video').currentTime") > 1


async def test_a_clip_that_cannot_be_played_leaves_its_poster(
    visit: Opener, gateway: FakeGateway, complaints: list[str]
) -> None:
    gateway.play(gateway.clip("fox", "Chika", video_url="/clips/none/video"))
    page = await visit("/overlay", STREAM)
    await expect(page.locator("#screen video")).to_have_count(0)
    await expect(page.locator("#screen img")).to_be_visible()
    complaints.clear()


async def test_a_clip_that_stalls_is_ended_by_the_watchdog(visit: Opener, gateway: FakeGateway) -> None:
    page = await visit("/overlay", STREAM)
    await page.route("**/video", lambda route: None)
    gateway.play(gateway.clip("fox", "Chika", duration=0.8))
    await expect(page.locator("#screen video")).to_have_count(1)
    await expect(page.locator("#screen video")).to_have_count(0)
    await expect(page.locator("#screen img")).to_be_visible()


async def test_a_dumped_stage_is_cleared_at_once(visit: Opener, gateway: FakeGateway) -> None:
    busy(gateway)
    clip = gateway.clip("fox", "Chika")
    gateway.play(clip)
    page = await visit("/overlay", STREAM)
    await expect(page.locator("#clip")).to_be_visible()
    gateway.play(clip, "dumped")
    await expect(page.locator("#clip")).to_be_hidden(timeout=1000)
    shot = await picture(page)
    assert shot.getextrema()[3] == (0, 0)


async def test_an_idle_stage_says_how_to_ask(visit: Opener) -> None:
    page = await visit("/overlay", STREAM)
    await expect(page.locator("#slip")).to_have_text("Type !anime “what to draw” in chat, and watch it being drawn")


async def test_without_the_gateway_there_is_a_dot_and_no_error_box(
    visit: Opener, gateway: FakeGateway, complaints: list[str]
) -> None:
    gateway.cook()
    page = await visit("/overlay", STREAM)
    await expect(page.locator(".cut .no")).to_have_text("C-041")
    gateway.stop()
    await expect(page.locator("#away")).to_be_visible()
    await expect(page.locator(".cut .no")).to_have_text("C-041")
    gateway.start()
    await expect(page.locator("#away")).to_be_hidden(timeout=7000)
    complaints.clear()


async def test_what_a_viewer_writes_stays_text(visit: Opener, gateway: FakeGateway) -> None:
    gateway.cook(MARKUP, MARKUP)
    gateway.waiting = [gateway.job(MARKUP, MARKUP)]
    gateway.play(gateway.clip(MARKUP, MARKUP))
    page = await visit("/overlay", STREAM)
    await expect(page.locator(".cut .prompt")).to_have_text(MARKUP)
    await expect(page.locator("#eyecatch .what")).to_have_text(MARKUP)
    assert await page.title() == "Sakuga overlay"
    assert await page.locator("img[src=x]").count() == 0


async def test_no_text_is_under_18_px_and_the_margins_are_64(visit: Opener, gateway: FakeGateway) -> None:
    busy(gateway)
    gateway.play(gateway.clip("fox", "Chika"))
    page = await visit("/overlay", STREAM)
    await expect(page.locator("#bags .strip")).to_have_count(5)
    await expect(page.locator(".cut")).to_be_visible()
    assert await page.evaluate(SMALL_TEXT) == []
    desk, queue = await page.locator(".cut").bounding_box(), await page.locator("#next").bounding_box()
    assert desk
    assert queue
    assert desk["x"] >= 63.9
    assert queue["x"] + queue["width"] <= 1856.1
    assert desk["y"] + desk["height"] <= 1016.1


async def test_a_720p_source_is_the_same_picture_smaller(visit: Opener, gateway: FakeGateway) -> None:
    busy(gateway)
    boxes = []
    for size in (STREAM, (1280, 720)):
        page = await visit("/overlay?motion=reduced", size)
        await expect(page.locator("#bags .strip")).to_have_count(5)
        await expect(page.locator(".cut .no")).to_be_visible()
        boxes.append(await page.locator(".cut").bounding_box())
    large, small = boxes
    assert {key: round(value * 2 / 3) for key, value in large.items()} == pytest.approx(
        {key: round(value) for key, value in small.items()}, abs=2
    )


async def test_a_streamers_own_css_turns_the_knobs(visit: Opener, gateway: FakeGateway) -> None:
    busy(gateway)
    page = await visit("/overlay", STREAM)
    await expect(page.locator("#next")).to_be_visible()
    await page.evaluate(
        "document.head.append(Object.assign(document.createElement('style'),{textContent:':root{--sakuga-next:none}'}))"
    )
    await expect(page.locator("#next")).to_be_hidden()


async def test_a_still_desk_has_nothing_moving(visit: Opener, gateway: FakeGateway) -> None:
    busy(gateway)
    page = await visit("/overlay?motion=reduced", STREAM)
    await expect(page.locator(".cut .no")).to_have_text("C-041")
    gateway.waiting.pop(0)
    await expect(page.locator("#bags .strip .n").first).to_have_text("C-043")
    assert await page.evaluate("document.getAnimations().length") == 0
