"""The console as it is read: by thumbs, by keyboard, by ear, in the dark, and with whatever viewers write."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from sakuga.event import EventType
from sakuga.lane import Lane
from tests.browser.conftest import PHONE, until
from tests.browser.console import Entry
from tests.fakes.desk import Desk

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROOT = Path(__file__).parents[2]
MARKUP = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
HOSTILE = [
    (MARKUP, MARKUP[:60]),
    ("w" * 290, "w" * 60),
    ("قطار الليل والبحر text", "نور"),
    ("🚂" * 120, "👩‍👩‍👧‍👦" * 6),
    ("Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘", "L̠ͨͧͩ͘G̴̻"),
]
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SMALL = """() => [...document.querySelectorAll('button,a,input,select,textarea,.strip')]
  .filter((element) => element.checkVisibility() && !element.closest('.quick,.skip,.cover'))
  .map((element) => [element.textContent.trim() || element.id, element.getBoundingClientRect()])
  .filter(([, box]) => box.height && box.height < 43.9).map(([name, box]) => `${name} ${box.height}`)"""
CONTRAST = """() => {
  const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const parse = (colour) => {
    const all = colour.match(/[\\d.]+/g).map(Number);
    return [all.slice(0, 3), all[3] ?? 1];
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const [rgb, alpha] = parse(getComputedStyle(at).backgroundColor);
      if (alpha === 1) return rgb;
    }
    throw new Error('the page has no ground');
  };
  const low = [];
  for (const element of document.querySelectorAll('body *')) {
    const written = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!written || !element.checkVisibility() || element.closest('[aria-hidden=true],[disabled]')) continue;
    const [ink, alpha] = parse(getComputedStyle(element).color);
    const [a, b] = [light(ink), light(ground(element))].sort((one, other) => other - one);
    const ratio = alpha === 1 ? (a + 0.05) / (b + 0.05) : 0;
    const name = `${element.tagName} ${element.className} ${element.textContent.slice(0, 20)}`;
    if (ratio < 4.5) low.push(`${name}: ${ratio.toFixed(2)}`);
  }
  return low;
}"""


async def crowd(desk: Desk) -> None:
    """Bring cuts of all lanes, held ones and one on the desk."""
    await desk.draw()
    for number, lane in enumerate(Lane):
        await desk.ask(f"cut of the lane {lane}", f"Viewer {number}", lane)
    await desk.ask("held back", "Quentin", held_for="word list: hold")


async def nothing_taken(page: Page) -> None:
    assert await page.title() == "Sakuga console"
    assert await page.locator("img[src=x], main script").count() == 0


@pytest.mark.parametrize("size", [PHONE, (1024, 768), (1440, 900)])
async def test_what_viewers_write_stays_text_and_never_widens_the_page(
    enter: Entry, desk: Desk, size: tuple[int, int]
) -> None:
    for prompt, name in HOSTILE:
        await desk.ask(prompt, name)
        await desk.ask(prompt, name, held_for=MARKUP[:60])
    page = await enter(size=size)
    await expect(page.locator("#waiting .strip")).to_have_count(len(HOSTILE))
    await expect(page.locator("#held .strip")).to_have_count(len(HOSTILE))
    for at, (prompt, name) in enumerate(HOSTILE):
        await page.keyboard.press("j")
        await expect(page.locator("#sheet .asks")).to_have_text(prompt)
        await expect(page.locator("#sheet .viewer h3 bdi").first).to_have_text(name)
        await expect(page.locator("#sheet .held-for bdi")).to_have_text(MARKUP[:60])
        assert await page.locator("#held .strip .what").nth(at).text_content() == prompt
        assert await page.evaluate(WIDER) <= 0
    await nothing_taken(page)


async def test_a_ban_of_a_hostile_name_is_told_as_text(enter: Entry, desk: Desk) -> None:
    await desk.ask("cat", MARKUP[:60])
    page = await enter()
    await expect(page.locator("#waiting .strip")).to_have_count(1)
    await page.keyboard.press("j")
    await expect(page.locator("#sheet .viewer")).to_be_visible()
    await page.keyboard.press("Shift+B")
    await expect(page.locator("#told-says")).to_have_text(f"{MARKUP[:60]} is kept out")
    await nothing_taken(page)


async def test_on_a_phone_everything_to_press_is_large_enough_for_a_thumb(enter: Entry, desk: Desk) -> None:
    await crowd(desk)
    page = await enter(size=PHONE, has_touch=True, is_mobile=True)
    await expect(page.locator("#waiting .strip")).to_have_count(len(Lane))
    assert await page.evaluate(SMALL) == []
    await page.locator("#held .strip").tap()
    await expect(page.locator("#sheet .viewer")).to_be_visible()
    assert await page.evaluate(SMALL) == []
    assert await page.evaluate(WIDER) <= 0


async def test_on_a_phone_a_held_cut_is_approved_paused_and_undone_by_thumb(enter: Entry, desk: Desk) -> None:
    await crowd(desk)
    page = await enter(size=PHONE, has_touch=True, is_mobile=True)
    await page.locator("#held .strip").tap()
    await page.locator("#sheet [data-do=approve]").tap()
    await expect(page.locator("#told-says")).to_contain_text("is approved")
    await expect(page.locator("#sheet .paper")).to_be_hidden()
    await page.locator("#bar [data-act=undo]").tap()
    await expect(page.locator("#held .strip")).to_have_count(1)
    async with page.expect_response("**/queue/pause"):  # the page is ahead of the gateway
        await page.locator("#bar [data-act=pause]").tap()
    await expect(page.locator("#bar [data-act=pause]")).to_have_text("Resume")
    assert (await desk.queue.board()).paused


async def test_on_a_phone_a_strip_is_held_with_a_finger_and_dragged(enter: Entry, desk: Desk) -> None:
    await desk.line("one", "two", "three")
    page = await enter(size=PHONE, has_touch=True, is_mobile=True)
    await expect(page.locator("#waiting .strip")).to_have_count(3)
    last, first = [await page.locator("#waiting .strip").nth(at).bounding_box() for at in (2, 0)]
    assert last
    assert first
    finger = await page.context.new_cdp_session(page)

    async def touch(kind: str, y: float) -> None:
        points = [] if kind == "touchEnd" else [{"x": 150, "y": y}]
        await finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    await touch("touchStart", last["y"] + 20)
    await until(page, "document.querySelector('#waiting .sortable-chosen')")
    for step in range(1, 11):
        await touch("touchMove", last["y"] + 20 + (first["y"] - last["y"] - 10) * step / 10)
    await touch("touchEnd", 0)
    await expect(page.locator("#told-says")).to_have_text("C-003 goes next")
    assert await desk.order() == ["three", "one", "two"]


async def test_all_text_stands_out_from_its_ground(enter: Entry, desk: Desk) -> None:
    await crowd(desk)
    page = await enter()
    await expect(page.locator("#held .strip")).to_have_count(1)
    assert await page.evaluate(CONTRAST) == []
    for key in ("j", "j", "j", "Space"):
        await page.keyboard.press(key)
    await expect(page.locator("#told-says")).to_have_text("The queue is paused")
    await expect(page.locator("#sheet .viewer")).to_be_visible()
    assert await page.evaluate(CONTRAST) == []
    await page.keyboard.press("?")
    assert await page.evaluate(CONTRAST) == []


@pytest.mark.parametrize(
    ("ink", "ground"),
    [("blue-night", "night"), ("moon", "night"), ("blue-ink", "paper"), ("red-night", "night-2"), ("dusk", "night-3")],
)
async def test_the_colours_of_rings_and_marks_stand_out_by_three_to_one(ink: str, ground: str) -> None:
    tokens = dict(re.findall(r"--([\w-]+):(#\w{6})", (ROOT / "overlay/pages/look/tokens.css").read_text()))
    lighter, darker = sorted((luminance(tokens[ink]), luminance(tokens[ground])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 3


def luminance(colour: str) -> float:
    """How light a colour is, 0 to 1, by WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


async def test_the_focus_is_seen_wherever_the_tab_key_goes(enter: Entry, desk: Desk) -> None:
    await crowd(desk)
    page = await enter()
    await expect(page.locator("#held .strip")).to_have_count(1)
    await page.keyboard.press("j")
    await expect(page.locator("#sheet .viewer")).to_be_visible()
    await page.locator(".skip").focus()
    seen = set()
    for _ in range(40):
        await page.keyboard.press("Tab")
        name, ring = await page.evaluate(
            "(() => { const at = document.activeElement, look = getComputedStyle(at);"
            " return [at.id || at.className || at.textContent, look.outlineStyle + ' ' + look.outlineWidth] })()"
        )
        if name == "" or await page.evaluate("document.activeElement === document.body"):
            break
        assert ring in {"solid 2px", "solid 3px"}, name
        seen.add(name)
    assert {"search", "audit"} <= seen
    assert any("strip" in name for name in seen)


async def test_a_strip_tells_by_ear_what_it_shows(enter: Entry, desk: Desk) -> None:
    await desk.ask("robot cat", "Aki", Lane.SUB)
    page = await enter()
    strip = page.get_by_role("list", name="Waiting").get_by_role("listitem")
    await expect(strip).to_have_attribute("aria-label", "C-001, place 1 of 1, robot cat, asked by Aki")
    await page.keyboard.press("j")
    await expect(strip).to_have_attribute("aria-current", "true")
    await page.keyboard.press("p")
    await expect(page.get_by_role("status").filter(has_text="head start")).to_be_visible()


async def test_each_act_shows_its_key_and_the_table_names_them_all(enter: Entry, desk: Desk) -> None:
    await desk.ask("robot cat", "Aki")
    page = await enter()
    await expect(page.locator("#waiting .strip")).to_have_count(1)
    await page.keyboard.press("j")
    await expect(page.locator("#sheet .acts button")).to_have_count(9)
    for button in await page.locator("#sheet .acts button, .switches button, .side [data-act]").all():
        assert await button.locator("kbd").text_content()
    await page.keyboard.press("?")
    await expect(page.locator("#help dt")).to_have_count(26)
    await page.get_by_label("Keys work without Ctrl or Alt").uncheck()
    await page.keyboard.press("Escape")
    await page.keyboard.press("Space")
    await page.keyboard.press("t")
    await expect(page.locator("#told")).to_be_hidden()
    assert not (await desk.queue.board()).paused


async def test_search_leaves_only_what_has_the_words(enter: Entry, desk: Desk) -> None:
    for prompt in ("robot cat", "two samurai", "cat in the rain"):
        await desk.ask(prompt, "Aki")
    page = await enter()
    await expect(page.locator("#waiting .strip")).to_have_count(3)
    await page.keyboard.press("/")
    await page.keyboard.type("cat")
    await expect(page.locator("#waiting .strip:visible .what")).to_have_text(["robot cat", "cat in the rain"])
    await page.keyboard.press("Enter")
    await expect(page.locator("#sheet .asks")).to_have_text("robot cat")
    await page.locator("#search").press("Escape")
    await expect(page.locator("#waiting .strip:visible")).to_have_count(3)


async def test_a_still_desk_has_nothing_moving(enter: Entry, desk: Desk) -> None:
    await crowd(desk)
    page = await enter(reduced_motion="reduce")
    await expect(page.locator("#held .strip")).to_have_count(1)
    await desk.ask("one more", "Aki")
    await expect(page.locator("#waiting .strip")).to_have_count(len(Lane) + 1)
    assert await page.evaluate("document.getAnimations().length") == 0


async def test_a_page_that_lost_its_events_goes_on_by_asking(enter: Entry, desk: Desk) -> None:
    page = await enter(silent=True)
    await expect(page.locator("#waiting-empty")).to_be_visible()
    await desk.ask("robot cat", "Aki")
    await expect(page.locator("#waiting .strip")).to_have_count(1)
    await until(page, "document.querySelector('#waiting .strip').dataset.status === 'queued'")


async def test_a_clip_on_air_is_seen_with_who_asked_for_it(enter: Entry, desk: Desk, footage: Path) -> None:
    await desk.put_on_air(footage)
    page = await enter()
    await expect(page.locator("#eyecatch")).to_have_text("C-041fox in a ramen shop, steam and lanternsby Mika")
    await expect(page.locator("#screen video, #screen img").first).to_be_attached()


async def test_the_budget_says_what_is_left_and_when_it_is_tight(enter: Entry) -> None:
    stream = {"spent_usd": 1.27, "limit_usd": 5.0, "refilled_usd": 0.5, "left_usd": 0.4}
    day = {"spent_usd": 0.034, "limit_usd": None, "refilled_usd": 0.0, "left_usd": None}
    page = await enter(budget={"level": "soft", "session": stream, "day": day})
    await expect(page.locator("#budget-says")).to_have_text("viewers and VIPs have to wait")
    await expect(page.locator("#budget dd")).to_have_text(["$1.27 of $5.50, $0.40 left", "$0.034, no limit"])


async def test_a_gateway_that_goes_away_is_said_quietly(enter: Entry, desk: Desk) -> None:
    await desk.ask("robot cat", "Aki")
    page = await enter(silent=True)
    await expect(page.locator("#waiting .strip")).to_have_count(1)
    await page.context.set_offline(True)
    await expect(page.locator("#away")).to_have_text("The gateway is away. Trying again.")
    await page.keyboard.press("Space")
    await expect(page.locator("#told-says")).to_have_text("The gateway is away. Nothing was changed.")
    await page.context.set_offline(False)
    await expect(page.locator("#away")).to_be_hidden()
    await expect(page.locator("[data-act=pause]").first).to_contain_text("Pause")


@pytest.mark.parametrize("kind", [kind for kind in EventType if not kind.startswith("webhook.")])
async def test_the_page_listens_to_every_event(kind: EventType) -> None:
    assert f'"{kind}"' in (ROOT / "api/console/js/news.js").read_text()
