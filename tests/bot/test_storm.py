"""A minute of a wild chat in one go: 600 lines of spam, emotes, zalgo, torn quotes and other bots' commands."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator

import pytest
from structlog.testing import capture_logs

from bot.bench import Bench
from bot.desk import Desk
from bot.line import Line, words
from bot.outbox import LONGEST, PER_WINDOW, Delivery, Outbox
from bot.watch import Watch
from sakuga.chat import ChatPolicy
from sakuga.gateway import Gateway
from sakuga.job import RequestedBy
from sakuga.replies import Replies
from tests.bot.paper_gateway import PaperGateway
from tests.fakes.wild import WILD

LINES = 600
VIEWERS = 200
WINDOW_S = 0.2
MARKER = "zebra"


class Channel:
    """A chat that counts how many messages come within a window, less what their way may take."""

    privileged = False

    def __init__(self) -> None:
        self.got: list[tuple[float, str]] = []
        self.changed = asyncio.Condition()

    async def deliver(self, text: str, _: str) -> Delivery:
        async with self.changed:
            self.got.append((time.monotonic(), text))
            self.changed.notify_all()
        return Delivery("sent")

    async def until(self, predicate: Callable[[], bool]) -> None:
        async with self.changed, asyncio.timeout(20):
            await self.changed.wait_for(predicate)

    @property
    def densest(self) -> int:
        return max(sum(0 <= at - start < WINDOW_S * 0.75 for at, _ in self.got) for start, _ in self.got)


def storm(dice: random.Random) -> Iterator[Line]:
    for number in range(LINES):
        viewer = dice.randrange(VIEWERS)
        who = RequestedBy(platform="twitch", id=str(viewer), login=f"viewer_{viewer}", display_name=f"V{viewer}")
        asks = dice.random() < 0.2
        text = f"!anime {MARKER} {number}" if asks else dice.choice(WILD)
        yield Line(f"m-{number}", words([("text", text[:500])]), who)


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_storm_is_answered_in_order_within_the_limits(paper: PaperGateway, gateway: Gateway, seed: int) -> None:
    outbox, channel, replies = Outbox(window_s=WINDOW_S), Channel(), Replies()
    watch = Watch(gateway, outbox.put, replies=replies, link=lambda _: None)
    bench = Bench(gateway, None, replies)
    desk = Desk(gateway, watch, outbox.put, bench=bench, replies=replies, chat=ChatPolicy, link=lambda _: None)
    with capture_logs() as logs:
        sending = asyncio.create_task(outbox.run(channel))
        for line in storm(random.Random(seed)):
            await desk.hear(line)
        await desk.hear(Line("m-last", "!anime", RequestedBy(platform="twitch", id="last", display_name="Last")))
        await channel.until(lambda: "@Last" in channel.got[-1][1] if channel.got else False)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await watch.close()
    asked = dict.fromkeys(body["prompt"] for body in paper.asked if body.get("prompt", "").startswith(MARKER))
    assert len(asked) > LINES * 0.1
    assert list(asked) == sorted(asked, key=lambda prompt: int(prompt.split()[1]))
    assert channel.densest <= PER_WINDOW
    assert all(len(text) <= LONGEST and MARKER not in text for _, text in channel.got)
    assert not [line for line in logs if line["event"] == "chat.dropped" or line["log_level"] == "error"]
