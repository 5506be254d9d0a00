import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from bot.outbox import PER_WINDOW, PER_WINDOW_PRIVILEGED, Delivery, Outbox, Reply

SENT = Delivery("sent")
ALONE = 1000  # replies behind: each has a message of its own


class Channel:
    """A chat that answers as told and remembers what it got."""

    def __init__(self, *, privileged: bool = False) -> None:
        self.privileged = privileged
        self.next: list[Delivery] = []
        self.got: list[str] = []
        self.tried = asyncio.Condition()

    async def deliver(self, text: str, reply_to: str) -> Delivery:
        delivery = self.next.pop(0) if self.next else SENT
        async with self.tried:
            if delivery == SENT:
                self.got.append(f"{text} > {reply_to}")
            self.tried.notify_all()
        return delivery

    async def until(self, predicate: Callable[[], bool]) -> None:
        async with self.tried, asyncio.timeout(5):
            await self.tried.wait_for(predicate)


@asynccontextmanager
async def running(outbox: Outbox, channel: Channel) -> AsyncIterator[None]:
    task = asyncio.create_task(outbox.run(channel))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_replies_leave_in_order() -> None:
    outbox, channel = Outbox(), Channel()
    outbox.put("first", "m-1")
    outbox.put("second", "m-2")
    async with running(outbox, channel):
        await channel.until(lambda: channel.got == ["first > m-1", "second > m-2"])


@pytest.mark.parametrize(("privileged", "limit"), [(False, PER_WINDOW), (True, PER_WINDOW_PRIVILEGED)])
async def test_no_more_than_the_platform_allows_leave_within_the_window(privileged: bool, limit: int) -> None:
    waits: asyncio.Queue[float] = asyncio.Queue()

    async def wait(seconds: float) -> None:
        await waits.put(seconds)
        await asyncio.Event().wait()

    outbox, channel = Outbox(sleep=wait, busy=ALONE), Channel(privileged=privileged)
    for number in range(limit + 1):
        outbox.put(str(number), "m")
    async with running(outbox, channel), asyncio.timeout(5):
        seconds = await waits.get()
    assert len(channel.got) == limit
    assert 25 < seconds <= 30


async def test_the_window_moves_on() -> None:
    outbox, channel = Outbox(window_s=0.05, busy=ALONE), Channel()
    for number in range(PER_WINDOW * 2):
        outbox.put(str(number), "m")
    async with running(outbox, channel):
        await channel.until(lambda: len(channel.got) == PER_WINDOW * 2)


async def test_what_may_work_later_is_tried_again_with_growing_pauses() -> None:
    pauses: list[float] = []

    async def wait(seconds: float) -> None:
        pauses.append(seconds)

    outbox, channel = Outbox(sleep=wait), Channel()
    channel.next = [Delivery("later", "429"), Delivery("later", "503")]
    outbox.put("hello", "m-1")
    async with running(outbox, channel):
        await channel.until(lambda: channel.got == ["hello > m-1"])
    assert pauses == [1, 4]


async def test_what_was_refused_is_logged_with_the_reason_and_not_repeated() -> None:
    outbox, channel = Outbox(), Channel()
    channel.next = [Delivery("dropped", "msg_duplicate")]
    outbox.put("hello", "m-1")
    outbox.put("world", "m-2")
    with capture_logs() as logs:
        async with running(outbox, channel):
            await channel.until(lambda: channel.got == ["world > m-2"])
    assert (logs[0]["event"], logs[0]["reason"]) == ("chat.dropped", "msg_duplicate")


async def test_tries_come_to_an_end() -> None:
    outbox, channel = Outbox(retry_pauses_s=(0.0,)), Channel()
    channel.next = [Delivery("later", "429"), Delivery("later", "429")]
    outbox.put("hello", "m-1")
    outbox.put("world", "m-2")
    async with running(outbox, channel):
        await channel.until(lambda: channel.got == ["world > m-2"])


@pytest.mark.parametrize("sent", [0, PER_WINDOW])
async def test_what_a_lost_channel_could_not_send_is_sent_by_the_next_one(sent: int) -> None:
    """It waits for another try, or for its turn."""
    asleep = asyncio.Event()

    async def wait(_: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    outbox, lost, channel = Outbox(sleep=wait, busy=ALONE), Channel(), Channel(privileged=True)
    for number in range(sent):
        outbox.put(str(number), "m")
    lost.next = [SENT] * sent + [Delivery("later", "503")]
    outbox.put("first", "m-1")
    outbox.put("second", "m-2")
    async with running(outbox, lost), asyncio.timeout(5):
        await asleep.wait()
    async with running(outbox, channel):
        await channel.until(lambda: channel.got == ["first > m-1", "second > m-2"])


async def test_an_answer_that_nobody_expected_costs_one_reply_and_no_more() -> None:
    class Odd(Channel):
        async def deliver(self, text: str, reply_to: str) -> Delivery:
            if text == "first":
                raise ZeroDivisionError
            return await super().deliver(text, reply_to)

    outbox, channel = Outbox(), Odd()
    outbox.put("first", "m-1")
    outbox.put("second", "m-2")
    with capture_logs() as logs:
        async with running(outbox, channel):
            await channel.until(lambda: channel.got == ["second > m-2"])
    assert [entry["event"] for entry in logs] == ["chat.stumbled", "chat.dropped", "chat.replied"]


async def test_a_reply_that_waited_too_long_is_not_news_any_more() -> None:
    outbox, channel = Outbox(stale_s=-1), Channel()
    outbox.put("hello", "m-1")
    with capture_logs() as logs:
        async with running(outbox, channel):
            await asyncio.sleep(0)
            await asyncio.sleep(0)
    assert channel.got == []
    assert logs[0]["reason"] == "stale"


async def test_a_full_outbox_drops_the_newest_and_says_so() -> None:
    outbox = Outbox()
    with capture_logs() as logs:
        for number in range(201):
            outbox.put(str(number), f"m-{number}")
    assert [(line["reason"], line["reply_to"]) for line in logs] == [("outbox_full", "m-200")]


async def test_many_replies_at_a_time_share_messages_that_name_everybody() -> None:
    outbox, channel = Outbox(), Channel()
    for number in range(3):
        outbox.put(f"C-04{number} is next.", f"m-{number}", "Mika")
    outbox.put("@Jo the queue is full.", "m-9", "Jo")
    async with running(outbox, channel):
        await channel.until(lambda: len(channel.got) == 1)
    shared = (
        "@Mika C-040 is next. \u00b7 @Mika C-041 is next. \u00b7 @Mika C-042 is next. \u00b7 @Jo the queue is full."
    )
    assert channel.got == [f"{shared} > "]


async def test_shared_messages_stay_as_short_as_chat_takes_and_lose_nobody() -> None:
    outbox, channel = Outbox(), Channel()
    for number in range(40):
        outbox.put(f"C-{number:03d} is 3rd, about 20 min.", f"m-{number}", "Mika" * 5)
    async with running(outbox, channel):
        await channel.until(lambda: "C-039" in channel.got[-1] if channel.got else False)
    assert len(channel.got) < 10
    assert all(len(text.rpartition(" > ")[0]) <= 450 for text in channel.got)
    assert [f"C-{number:03d}" in text for number in range(40) for text in channel.got].count(True) == 40


async def test_what_is_too_old_is_not_dragged_along() -> None:
    outbox, channel = Outbox(), Channel()
    for number in range(5):
        outbox._waiting.put_nowait(Reply("late", f"m-{number}", at=-1000))
    outbox.put("fresh", "m-9")
    with capture_logs() as logs:
        async with running(outbox, channel):
            await channel.until(lambda: channel.got == ["fresh > m-9"])
    assert [line["reason"] for line in logs if line["event"] == "chat.dropped"] == ["stale"] * 5
