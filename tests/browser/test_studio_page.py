"""The studio page in a real browser."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import PHONE, Opener, until
from tests.fakes.gateway import FakeGateway

pytestmark = pytest.mark.asyncio(loop_scope="session")

MARKUP = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
LONG = "w" * 500


async def say(page: Page, line: str) -> None:
    await page.locator("#line").fill(line)
    await page.keyboard.press("Enter")


async def test_an_empty_studio_says_in_each_part_what_to_do(visit: Opener) -> None:
    page = await visit("/")
    await expect(page.locator("#blank")).to_contain_text("Ask for a cut in the chat")
    await expect(page.locator("#bags-empty")).to_contain_text("The next cut starts at once")
    await expect(page.locator("#idle")).to_contain_text("The first finished cut plays here")
    await expect(page.locator("#cels-empty")).to_contain_text("Finished cuts are kept here")
    await expect(page.locator("#health li[data-status=up]")).to_have_count(6)


async def test_a_renderer_that_is_passed_over_is_neither_green_nor_down_and_says_why(
    visit: Opener, gateway: FakeGateway
) -> None:
    why = "The token for Modal can't be used: there is none."
    gateway.health["renderer"] |= {"name": "modal,rehearsal", "trouble": "renderer_unauthorised", "message": why}
    page = await visit("/")
    limited = page.locator("#health li[data-status=limited]")
    await expect(limited).to_have_attribute("title", f"renderer: limited, modal,rehearsal, {why}")
    await expect(limited).to_contain_text(why)
    await expect(page.locator("#health li[data-status=up]")).to_have_count(5)


async def test_a_model_that_is_loading_is_said_in_words_without_a_made_up_wait(
    visit: Opener, gateway: FakeGateway
) -> None:
    gateway.cook(stage="loading", progress=0.0, eta_seconds=None)
    page = await visit("/")
    await expect(page.locator(".cut .doing")).to_have_text("loading the model")
    await expect(page.locator(".cut .left")).to_have_text("takes minutes")
    await expect(page.locator(".cut .percent")).to_be_hidden()


async def test_a_clip_s_particulars_name_its_characters_its_preset_and_a_small_size(
    visit: Opener, gateway: FakeGateway
) -> None:
    gateway.clip("fox", "Mika", characters=["hana", "kenji"], preset="draft", bytes=41_600)
    page = await visit("/")
    await page.locator("#cels button").first.click()
    particulars = page.locator("#viewer dl")
    await expect(particulars).to_contain_text("withhana, kenji")
    await expect(particulars).to_contain_text("presetdraft")
    await expect(particulars).to_contain_text("42 KB")


async def test_a_remix_shows_from_which_cut_it_is_and_leads_to_it(visit: Opener, gateway: FakeGateway) -> None:
    parent = gateway.clip("fox", "Mika")
    gateway.clip("fox, in the snow", "Jo", parent=parent["clip_id"], parent_number=41)
    gateway.clip("a fox of long ago", "Aki", parent="clip_gone", parent_number=7)
    page = await visit("/")
    await expect(page.locator("#cels button .from")).to_have_text(["from C-007", "from C-041"])
    await page.locator("#cels button").nth(1).click()
    await page.locator("#viewer .way").click()
    await expect(page.locator("#viewer .what")).to_have_text("fox")
    await page.keyboard.press("Escape")
    await page.locator("#cels button").first.click()
    await expect(page.locator("#viewer dl")).to_contain_text("fromC-007")
    await expect(page.locator("#viewer .way")).to_have_count(0)


async def test_a_clip_that_several_asked_for_names_them_all(visit: Opener, gateway: FakeGateway) -> None:
    gateway.clip("fox, rain", "Mika + 1", ensemble=["Mika", MARKUP])
    page = await visit("/")
    await expect(page.locator("#cels .by")).to_have_text("Mika + 1")
    await page.locator("#cels button").first.click()
    await expect(page.locator("#viewer dl")).to_contain_text(f"asked byMika, {MARKUP}")


async def test_the_queue_is_shown_in_order_with_the_reason_of_each_place(visit: Opener, gateway: FakeGateway) -> None:
    gateway.waiting = [
        gateway.job("robot cat", "Aki", lane="bits", credits=[{"reason": "300 bits", "seconds": 180}]),
        gateway.job("two samurai", "Jo", lane="sub", credits=[{"reason": "sub", "seconds": 300}]),
        gateway.job("ghost barista", "Lev", eta_seconds=140),
    ]
    page = await visit("/", timezone_id="UTC")
    strips = page.locator("#bags .strip")
    await expect(strips).to_have_text(
        [
            re.compile(r"C-041robot catAki · 300 bits \+180 s · asked 14:04.*14 s.*300BITS"),
            re.compile(r"C-042two samuraiJo · sub \+300 s · asked 14:05.*28 s.*SUB"),
            re.compile(r"C-043ghost baristaLev · asked 14:06.*about 2 min"),
        ]
    )
    await expect(page.locator("#waiting")).to_have_text("3 waiting · about 7 s each")


async def test_the_cut_on_the_desk_shows_what_is_done_with_it_and_how_far_it_is(
    visit: Opener, gateway: FakeGateway
) -> None:
    job = gateway.cook()
    job["preview_url"] = f"/status/{job['job_id']}/preview?v=1"
    page = await visit("/")
    paper = page.locator(".cut")
    await expect(paper.locator(".no")).to_have_text("C-041")
    await expect(paper.locator(".doing")).to_have_text("drawing")
    await expect(paper.locator(".percent")).to_have_text("58 %")
    await expect(paper.locator(".sheet i.on")).to_have_count(13)
    await expect(paper.locator(".frame.seen img")).to_be_visible()
    await expect(paper.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "58")


async def test_on_two_slots_the_second_cut_runs_on_a_strip(visit: Opener, gateway: FakeGateway) -> None:
    first = gateway.cook()
    second = gateway.cook("robot cat", "Aki", progress=34.0)
    gateway.running = [first, second]
    page = await visit("/")
    await expect(page.locator(".cut .no")).to_have_text("C-041")
    await expect(page.locator("#bags .strip[data-runs] .when")).to_have_text("drawing 34 %")


async def test_a_cut_that_fails_is_shown_as_ng_for_a_moment_and_told_in_the_chat(
    visit: Opener, gateway: FakeGateway
) -> None:
    page = await visit("/")
    await say(page, "!anime fox")
    await expect(page.locator("#bags .strip")).to_have_count(1)
    job = gateway.waiting.pop()
    job.update(status="rendering", stage="denoise", progress=40.0)
    gateway.running = [job]
    await expect(page.locator(".cut .percent")).to_have_text("40 %")
    gateway.running = []
    error = {"code": "render_failed", "message": "The drawing failed: out of memory."}
    gateway.ended[job["job_id"]] = job | {"status": "failed", "error": error, "poll_after_ms": None}
    await expect(page.locator(".ng")).to_have_text("NG")
    await expect(page.locator(".cut .doing")).to_have_text("this one could not be drawn")
    await expect(page.locator("#log .refused")).to_contain_text("C-041 is NG")


async def test_a_second_take_is_stamped_kindly(visit: Opener, gateway: FakeGateway) -> None:
    gateway.cook(attempt=2, progress=4.0)
    page = await visit("/")
    await expect(page.locator(".ng")).to_have_text("NG · take 2")


async def test_a_new_clip_goes_on_air_and_into_the_gallery(visit: Opener, gateway: FakeGateway) -> None:
    page = await visit("/")
    await expect(page.locator("#idle")).to_be_visible()
    gateway.play(gateway.clip("fox in a ramen shop", "Chika"))
    await expect(page.locator("#eyecatch")).to_have_text("C-041fox in a ramen shopby Chika")
    await until(page, "document.querySelector('#screen video')?.currentTime > 0.2")
    await expect(page.locator("#cels button")).to_have_count(1)


async def test_a_cut_asked_by_keyboard_alone_is_answered_with_its_place(visit: Opener, gateway: FakeGateway) -> None:
    page = await visit("/")
    await page.get_by_label("Chat line").focus()
    await page.keyboard.type('!anime "girl with sword, neon rain"')
    await page.keyboard.press("Enter")
    await expect(page.locator("#log .answer")).to_have_text("sakugaC-041 is next, about 14 s")
    await expect(page.locator("#bags .strip")).to_have_count(1)
    assert gateway.asked[0]["prompt"] == "girl with sword, neon rain"
    assert gateway.asked[0]["requested_by"]["platform"] == "studio"
    assert gateway.keys[0]


async def test_bits_and_a_style_travel_with_the_cut(visit: Opener, gateway: FakeGateway) -> None:
    page = await visit("/")
    await page.get_by_label("1000 bits").check(force=True)
    await page.get_by_label("in", exact=True).select_option(label="Neon rain")
    await page.locator("#name").fill("Aki")
    await say(page, "!anime robot cat")
    await expect(page.locator("#log li[data-way]")).to_have_text('1000 bitsAki!anime "robot cat" --style neon')
    await expect(page.locator("#bags .stamp")).to_have_text("1kBITS")
    assert gateway.asked[0]["style"] == "neon"
    assert gateway.asked[0]["requested_by"]["bits"] == 1000


async def test_an_example_only_fills_the_line(visit: Opener, gateway: FakeGateway) -> None:
    page = await visit("/")
    await page.locator("#chips button").first.click()
    await expect(page.locator("#line")).to_have_value('!anime "girl with sword, neon rain"')
    await expect(page.locator("#line")).to_be_focused()
    assert gateway.asked == []


async def test_a_refusal_is_said_in_the_chat(visit: Opener, gateway: FakeGateway, complaints: list[str]) -> None:
    gateway.refusal = (429, "queue_full", "30 cuts wait already. Ask again in a minute.")
    page = await visit("/")
    await say(page, "!anime fox")
    await expect(page.locator("#log .refused")).to_have_text("sakuga30 cuts wait already. Ask again in a minute.")
    complaints.clear()


async def test_what_a_viewer_writes_stays_text(visit: Opener, gateway: FakeGateway) -> None:
    gateway.cook(MARKUP, MARKUP)
    gateway.waiting = [gateway.job(MARKUP, MARKUP, credits=[{"reason": MARKUP, "seconds": 1}])]
    gateway.play(gateway.clip(MARKUP, MARKUP))
    page = await visit("/")
    await say(page, f"!anime {MARKUP}")
    await expect(page.locator("#log .answer")).to_be_visible()
    await page.locator("#cels button").first.click()
    await expect(page.locator("#viewer .what")).to_have_text(MARKUP)
    await expect(page.locator(".cut .prompt")).to_have_text(MARKUP)
    assert await page.title() == "Sakuga studio"
    assert await page.locator("img[src=x], main script").count() == 0


async def test_a_gateway_that_goes_away_is_said_quietly_and_found_again(
    visit: Opener, gateway: FakeGateway, complaints: list[str]
) -> None:
    gateway.waiting = [gateway.job("robot cat", "Aki")]
    page = await visit("/")
    await expect(page.locator("#bags .strip")).to_have_count(1)
    gateway.stop()
    await expect(page.locator("#away")).to_have_text(re.compile(r"The gateway is away\. Trying again in \d s"))
    await expect(page.locator("#bags .strip")).to_have_count(1)
    await say(page, "!anime fox")
    await expect(page.locator("#log .refused")).to_contain_text("was not sent")
    await expect(page.locator("#line")).to_have_value("!anime fox")
    gateway.start()
    await expect(page.locator("#away")).to_be_hidden(timeout=7000)
    await page.locator("#line").press("Enter")
    await expect(page.locator("#bags .strip")).to_have_count(2)
    complaints.clear()


async def test_an_error_of_the_gateway_is_said_in_its_words(
    visit: Opener, gateway: FakeGateway, complaints: list[str]
) -> None:
    gateway.trouble = (503, "broker_unavailable", "The studio's memory is not answering.")
    page = await visit("/")
    await expect(page.locator("#away")).to_have_text("The studio's memory is not answering.")
    gateway.trouble = None
    await expect(page.locator("#away")).to_be_hidden()
    complaints.clear()


async def test_the_gallery_opens_turns_and_closes_by_keyboard(visit: Opener, gateway: FakeGateway) -> None:
    for prompt in ("first", "second"):
        gateway.clip(prompt, "Mika")
    page = await visit("/")
    newest = page.locator("#cels button").first
    await newest.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#viewer .what")).to_have_text("second")
    await expect(page.get_by_role("link", name="Download MP4")).to_have_attribute("download", "C-042.mp4")
    await page.keyboard.press("ArrowRight")
    await expect(page.locator("#viewer .what")).to_have_text("first")
    await page.keyboard.press("Escape")
    await expect(page.locator("#viewer")).to_be_hidden()
    await expect(page.locator("#cels button").nth(1)).to_be_focused()


@pytest.mark.parametrize("way", ["asked by the address", "asked by the system"])
async def test_a_still_desk_has_nothing_moving(visit: Opener, gateway: FakeGateway, way: str) -> None:
    gateway.cook()
    gateway.play(gateway.clip("fox", "Chika"))
    system = way == "asked by the system"
    page = await visit("/" if system else "/?motion=reduced", reduced_motion="reduce" if system else "no-preference")
    await expect(page.locator(".cut .no")).to_have_text("C-041")
    gateway.waiting = [gateway.job("robot cat", "Aki")]
    await expect(page.locator("#bags .strip")).to_have_count(1)
    assert await page.evaluate("document.getAnimations().length") == 0
    assert await page.locator("#screen video").count() == 0


@pytest.mark.parametrize("size", [PHONE, (1024, 768), (1440, 900)])
async def test_long_words_and_other_scripts_never_widen_the_page(
    visit: Opener, gateway: FakeGateway, size: tuple[int, int]
) -> None:
    gateway.cook(LONG, LONG)
    gateway.waiting = [
        gateway.job(LONG, LONG),
        gateway.job("ひまわり畑を走る列車、夏の夕方🚂", "ハルカ"),
        gateway.job("قطار الليل", "نور"),
    ]
    gateway.play(gateway.clip(LONG, LONG))
    page = await visit("/", size)
    await expect(page.locator(".cut .no")).to_have_text("C-041")
    await say(page, LONG)
    await expect(page.locator("#cels button")).to_have_count(1)
    wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0


async def test_a_browser_that_may_not_ask_is_told_how_to_log_in(visit: Opener, gateway: FakeGateway) -> None:
    gateway.role = None
    page = await visit("/")
    await expect(page.locator("#locked")).to_contain_text("python -m sakuga keys link")
    gateway.role = "moderator"
    await page.reload()
    await expect(page.locator("#bags-empty")).to_be_visible()
    await expect(page.locator("#locked")).to_be_hidden()
