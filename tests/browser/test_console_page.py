"""The moderators' console in a real browser, on a real gateway: what each act does to the queue."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from sakuga.job import JobStatus
from sakuga.lane import Lane
from sakuga.role import Role
from sakuga.stage import StageState
from tests.browser.console import Entry
from tests.fakes.desk import Desk

pytestmark = pytest.mark.asyncio(loop_scope="session")


def strips(page: Page) -> Locator:
    """What the strips that wait ask for, from the top."""
    return page.locator("#waiting .strip .what")


async def press(page: Page, *keys: str) -> None:
    for key in keys:
        await page.keyboard.press(key)


async def told(page: Page, says: str) -> None:
    await expect(page.locator("#told-says")).to_have_text(says)


async def test_who_is_not_logged_in_is_told_how(enter: Entry) -> None:
    page = await enter(None)
    await expect(page.locator("#gate-line")).to_have_text(".venv/bin/python -m sakuga keys link --name alice")
    await expect(page.locator("#floor")).to_be_hidden()
    await expect(page.locator("#bar")).to_be_hidden()


async def test_a_viewers_key_is_told_which_role_it_takes(enter: Entry) -> None:
    page = await enter(Role.VIEWER, "vera")
    await expect(page.locator("#gate-says")).to_contain_text("logged in as vera, with the role viewer")
    await expect(page.locator("#gate-says")).to_contain_text("role moderator")


async def test_a_drag_gives_a_cut_another_place(enter: Entry, desk: Desk) -> None:
    await desk.line("one", "two", "three", "four")
    page = await enter()
    await expect(strips(page)).to_have_text(["one", "two", "three", "four"])
    await drag(page, 3, 0)
    await told(page, re.compile("C-004 goes next"))
    await expect(strips(page)).to_have_text(["four", "one", "two", "three"])
    assert await desk.order() == ["four", "one", "two", "three"]


async def drag(page: Page, start: int, end: int, *, drop: bool = True) -> None:
    """Take the strip at `start` by the mouse to where the one at `end` lies."""
    first = await page.locator("#waiting .strip").nth(start).bounding_box()
    last = await page.locator("#waiting .strip").nth(end).bounding_box()
    assert first
    assert last
    x = first["x"] + 120
    held = await page.locator("#waiting .strip").nth(start).element_handle()
    assert held
    await page.mouse.move(x, first["y"] + 20)
    await page.mouse.down()
    await page.mouse.move(x, first["y"] + 30, steps=3)
    await page.mouse.move(x, last["y"] + 8, steps=12)
    for nudge in range(200):  # while strips make room, the list does not hear the hand
        if await held.evaluate("strip => [...strip.parentElement.children].indexOf(strip)") == end:
            break
        await page.mouse.move(x, last["y"] + 8 + nudge % 2)
    if drop:
        await page.mouse.up()


async def test_nothing_moves_under_a_strip_in_the_hand_and_its_drop_counts_what_came_meanwhile(
    enter: Entry, desk: Desk
) -> None:
    await desk.line("one", "two", "three", "four")
    page = await enter()
    await expect(strips(page)).to_have_count(4)
    await drag(page, 3, 1, drop=False)
    async with page.expect_response(lambda answer: answer.url.endswith("/queue") and answer.status == 200):
        await desk.ask("first of all", "Sub", Lane.SUB)
    await expect(page.locator("#waiting .strip")).to_have_count(4)
    await page.mouse.up()
    await expect(strips(page)).to_have_text(["first of all", "one", "four", "two", "three"])
    await told(page, "C-004 is now at 3")
    assert await desk.order() == ["first of all", "one", "four", "two", "three"]


async def test_all_of_a_waiting_cut_is_done_by_keys(enter: Entry, desk: Desk) -> None:
    jobs = await desk.line("one", "two", "three")
    page = await enter()
    await expect(strips(page)).to_have_count(3)
    await press(page, "j", "ArrowDown", "j")
    await expect(page.locator("#sheet .asks")).to_have_text("three")
    await press(page, "Shift+ArrowUp")
    await told(page, "C-003 is now at 2")
    await press(page, "t")
    await told(page, "C-003 goes next")
    assert await desk.order() == ["three", "one", "two"]
    await press(page, "b")
    await told(page, "C-003 goes last")
    await press(page, "p")
    await told(page, "C-003 has 60 s more head start")
    await press(page, "h")
    await told(page, "C-003 is held")
    assert await desk.status(jobs[2]) is JobStatus.HELD
    await press(page, "j", "x")
    await told(page, re.compile("is stopped"))
    assert await desk.order() == ["two"]


async def test_held_cuts_are_read_and_decided_one_after_another(enter: Entry, desk: Desk) -> None:
    jobs = [await desk.ask(f"held {n}", f"Viewer {n}", held_for="word list: hold") for n in range(3)]
    page = await enter()
    await expect(page.locator("#held .strip")).to_have_count(3)
    await press(page, "j")
    await expect(page.locator("#sheet .held-for")).to_have_text("Held: word list: hold")
    await expect(page.locator("#sheet .asks")).to_have_text("held 0")
    await press(page, "a")
    await expect(page.locator("#sheet .asks")).to_have_text("held 1")
    await press(page, "r")
    await expect(page.locator("#sheet .asks")).to_have_text("held 2")
    await told(page, "C-002 is rejected")
    await expect(strips(page)).to_have_text(["held 0"])
    assert [await desk.status(job) for job in jobs] == [JobStatus.QUEUED, JobStatus.REJECTED, JobStatus.HELD]


async def test_a_cut_that_was_stopped_comes_back_by_one_key(enter: Entry, desk: Desk) -> None:
    await desk.line("one", "two")
    page = await enter()
    await press_when_there(page, 2, "j", "x")
    await told(page, "C-001 is stopped")
    await expect(page.locator("#told-undo")).to_have_text("Undo Z")
    await press(page, "z")
    await told(page, "Taken back: C-001 is stopped")
    await expect(strips(page)).to_have_text(["one", "two"])
    assert await desk.order() == ["one", "two"]


async def press_when_there(page: Page, count: int, *keys: str) -> None:
    await expect(strips(page)).to_have_count(count)
    await press(page, *keys)


async def test_a_whole_queue_that_was_cleared_comes_back_in_its_order(enter: Entry, desk: Desk) -> None:
    await desk.line("one", "two", "three")
    page = await enter()
    await press_when_there(page, 3, "Shift+X")
    await told(page, "3 cuts are stopped")
    assert await desk.order() == []
    await press(page, "z")
    await told(page, "Taken back: 3 cuts are stopped")
    assert await desk.order() == ["one", "two", "three"]


async def test_the_switches_of_the_queue_are_thrown_by_keys_and_say_how_they_stand(enter: Entry, desk: Desk) -> None:
    page = await enter()
    await expect(page.locator("#waiting-empty")).to_be_visible()
    await press(page, "Space")
    await told(page, "The queue is paused")
    await press(page, "o")
    await told(page, "Requests are closed")
    await expect(page.locator("#count")).to_have_text("paused, closed")
    board = await desk.queue.board()
    assert (board.paused, board.closed) == (True, True)
    await press(page, "Space")
    await told(page, "The queue goes on")
    await press(page, "o")
    await told(page, "Requests are open")
    await expect(page.locator("#count")).to_have_text("")


async def test_words_and_lane_of_a_waiting_cut_are_changed_in_place(enter: Entry, desk: Desk) -> None:
    (job,) = await desk.line("teh cat")
    page = await enter()
    await press_when_there(page, 1, "j")
    await expect(page.locator("#sheet .viewer")).to_be_visible()
    await press(page, "e")
    await page.get_by_label("Words").fill("the cat")
    await page.get_by_label("Lane").select_option("sub")
    await press(page, "Tab")
    await page.get_by_label("Words").press("Control+Enter")
    await told(page, "C-001 is changed")
    await expect(page.locator("#sheet .asks")).to_have_text("the cat")
    changed, _ = await desk.queue.look(job.id)
    assert (changed.prompt, changed.lane) == ("the cat", Lane.SUB)


async def test_a_change_that_comes_too_late_is_told_kindly_and_the_present_state_is_shown(
    enter: Entry, desk: Desk
) -> None:
    (job,) = await desk.line("cat")
    page = await enter()
    await press_when_there(page, 1, "j")
    await expect(page.locator("#sheet .viewer")).to_be_visible()
    await press(page, "e")
    await desk.moderation.hold(job.id, by="bob")
    await page.get_by_label("Words").fill("dog")
    await page.get_by_label("Words").press("Control+Enter")
    await expect(page.locator("#told[data-bad]")).to_be_visible()
    await expect(page.locator("#held .strip")).to_have_count(1)
    await expect(page.locator("#sheet .asks")).to_have_text("cat")


async def test_what_another_moderator_does_is_seen_and_told_in_the_audit(enter: Entry, desk: Desk) -> None:
    await desk.line("one", "two", "three")
    alice, bob = await enter(), await enter(name="bob")
    await press_when_there(bob, 3, "j", "j", "t")
    await expect(strips(alice)).to_have_text(["two", "one", "three"])
    await expect(alice.locator("#audit li").first).to_contain_text("bob moved C-002 to")
    await alice.locator("#audit .back").first.click()
    await expect(strips(bob)).to_have_text(["one", "two", "three"])


async def test_a_viewer_is_banned_with_what_they_have_and_let_in_again(enter: Entry, desk: Desk) -> None:
    first = await desk.ask("first", "Troll", viewer="666")
    await desk.ask("second", "Troll", viewer="666")
    page = await enter()
    await press_when_there(page, 2, "j")
    await expect(page.locator("#sheet .past li")).to_have_count(2)
    await press(page, "Shift+B")
    await told(page, "Troll is kept out")
    assert await desk.order() == []
    assert [ban.viewer for ban in await desk.moderation.bans()] == [first.viewer]
    await press(page, "z")
    await told(page, "Taken back: Troll is kept out")
    assert await desk.moderation.bans() == []
    assert await desk.order() == ["first", "second"]


async def test_the_stage_is_black_by_one_key_and_comes_back(enter: Entry, desk: Desk) -> None:
    page = await enter()
    await expect(page.locator("#stage-title")).to_be_visible()
    await expect(page.locator("#waiting-empty")).to_be_visible()
    await press(page, "d")
    await told(page, "The stage is black")
    await expect(page.locator("#idle")).to_contain_text("Off air")
    assert await desk.on_air() is StageState.DUMPED
    await expect(page.locator(".side .dump")).to_contain_text("Release the stage")
    await press(page, "d")
    await told(page, "The stage is back")
    assert await desk.on_air() is not StageState.DUMPED


async def test_a_clip_is_taken_out_for_good_by_the_second_press_alone(enter: Entry, desk: Desk, footage: Path) -> None:
    await desk.put_on_air(footage)
    page = await enter()
    await expect(page.locator("#eyecatch .no")).to_have_text("C-041")
    await press(page, "Delete")
    await told(page, "This can't be taken back. Once more takes C-041 out for good.")
    assert len(await desk.clips()) == 1
    await press(page, "Delete")
    await told(page, "C-041 is taken out for good")
    assert await desk.clips() == []
    await expect(page.locator("#audit li").first).to_contain_text("alice took out")


async def test_a_ballot_is_opened_counted_and_closed(enter: Entry, desk: Desk) -> None:
    await desk.line("one", "two", "three", "four")
    page = await enter()
    await press_when_there(page, 4, "v")
    await told(page, "The chat votes")
    await expect(page.locator("#ballot li")).to_have_count(3)
    await desk.vote("twitch:1", "1")
    await expect(page.locator("#ballot-says")).to_contain_text("1 vote")
    await press(page, "v")
    await told(page, "The ballot is closed")
    await expect(page.locator("#ballot [data-won]")).to_have_count(1)


async def test_the_stream_begins_and_ends_by_key(enter: Entry, desk: Desk) -> None:
    page = await enter()
    await expect(page.locator("#session-says")).to_have_text("not live")
    await press(page, "Shift+S")
    await expect(page.locator("#session-says")).to_contain_text("live since")
    await press(page, "Shift+S")
    await expect(page.locator("#session-says")).to_have_text("not live")


async def test_a_drawing_is_stopped_and_can_be_tried_again(enter: Entry, desk: Desk) -> None:
    job = await desk.draw()
    page = await enter()
    await expect(page.locator("#running .strip")).to_have_count(1)
    await press(page, "j", "x")
    await told(page, "C-001 is stopped")
    await expect(page.locator("#told-undo")).to_have_text("Try again Z")
    assert (await desk.redis.hget(f"sakuga:job:{job.id}", "cancel")) == "1"
