"""`make storm`: two hours of a wild chat through the real bot and a real studio, faster than they pass."""

import argparse
import asyncio
import math
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from sakuga import store
from sakuga.replies import LONGEST
from tests.drill.house import House, Part
from tests.fakes.keys import KEY
from tests.fakes.twitch import FakeTwitch
from tests.fakes.wild import WILD

PER_MINUTE = 600
VIEWERS = 400
ASK = 0.2  # of all messages
MARKER = "zebra"
LIMIT_MS = 50
WINDOW_S, PER_WINDOW = 30.0, 20  # what Twitch allows an account that is no moderator
GROWTH = 1.15
STUDIO_FILE = """
[limits]
waiting = 40
expire_s = 45
[limits.cooldown]
viewer = {viewer}
sub = {sub}
"""


@dataclass
class Tally:
    """What came of a storm. Times in seconds."""

    said: list[tuple[str, float]] = field(default_factory=list)
    """Message id and time of each message that asks for nothing or by itself, in seconds since 1970."""
    count: int = 0
    """Of all messages."""
    accepted: list[tuple[int, int, float]] = field(default_factory=list)
    """Job number, message number, seconds from the one to the other."""
    memory: dict[str, list[int]] = field(default_factory=dict)
    """Bytes of each process, now and then."""


class Twitch(FakeTwitch):
    """FakeTwitch, that remembers when it was sent what."""

    def __init__(self) -> None:
        super().__init__()
        self.sent_at: list[float] = []

    async def notice(self) -> None:
        self.sent_at += [time.monotonic()] * (len(self.sent) - len(self.sent_at))
        await super().notice()


async def storm(*, minutes: float, speed: float, seed: int) -> dict[str, bool]:
    """Let a chat rage for so many of its minutes, and return what came of it: each promise, and whether it held.

    How long it took from message to acceptance is the last one.
    """
    dice, tally = random.Random(seed), Tally()
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            house = await stack.enter_async_context(House(Path(folder), gateways=1, workers=1, studio=hurried(speed)))
            twitch = await stack.enter_async_context(Twitch())
            given = twitch.settings(house.settings.var_dir)
            environ = house.settings.environ(
                var_dir=house.settings.var_dir, gateway_url=house.urls[0], key=KEY, studio_file="", **given
            )
            bot = Part("bot", environ, Path(folder) / "bot.log")
            keeping = asyncio.create_task(bot.keep())
            stack.callback(bot.end)
            await twitch.wait_for(lambda: twitch.attended)
            watching = asyncio.create_task(watch(house, bot, tally))
            took_s = await rage(twitch, tally, dice, minutes=minutes, speed=speed)
            await settled(house, twitch, tally)
            await accepted(house, tally)
            watching.cancel()
            bot.end()
            await asyncio.gather(watching, keeping, return_exceptions=True)
            stumbled = (Path(folder) / "bot.log").read_text(errors="replace").count("bot.stumbled")
            return told(tally, twitch, took_s, starts=bot.starts, stumbled=stumbled)


def hurried(speed: float) -> str:
    """Return the studio file of a show whose limits are so many times as short."""
    return STUDIO_FILE.format(viewer=math.ceil(30 / speed), sub=math.ceil(15 / speed))


def lines(dice: random.Random, count: int) -> Iterator[tuple[int, str, str]]:
    """Yield (number, author, text)."""
    for number in range(count):
        author = str(5000 + dice.randrange(VIEWERS))
        yield number, author, f"!anime {MARKER} {number}" if dice.random() < ASK else dice.choice(WILD)[:500]


async def rage(twitch: FakeTwitch, tally: Tally, dice: random.Random, *, minutes: float, speed: float) -> float:
    """Say everything in its time and return how long that took, in seconds."""
    began = time.monotonic()
    for number, author, text in lines(dice, round(minutes * PER_MINUTE)):
        ahead = number * 60 / PER_MINUTE / speed - (time.monotonic() - began)
        if ahead > 0:
            await asyncio.sleep(ahead)
        await say(twitch, tally, text, by=author)
    return time.monotonic() - began


async def watch(house: House, bot: Part, tally: Tally) -> None:
    """Look now and then how much memory bot and gateway have, until cancelled."""
    while True:
        for name, part in (("bot", bot), ("gateway", house.parts["api-0"])):
            if part.pid:
                tally.memory.setdefault(name, []).append(psutil.Process(part.pid).memory_info().rss)
        await asyncio.sleep(3)


async def accepted(house: House, tally: Tally) -> None:
    """Look which messages became jobs, and when, by the broker's clock: the same machine's."""
    for at in range(0, len(tally.said), 1000):
        some = tally.said[at : at + 1000]
        asking = house.redis.pipeline(transaction=False)
        for message_id, _ in some:
            asking.smembers(f"{store.MESSAGE_PREFIX}twitch:{message_id}")
        for number, ((_, said_at), jobs) in enumerate(zip(some, await asking.execute(), strict=True), at):
            for job in jobs:
                cut, began = await house.redis.hmget(store.JOB_PREFIX + job, "number", "requested_at")
                tally.accepted.append((int(cut), number, float(began) - said_at))


async def settled(house: House, twitch: FakeTwitch, tally: Tally) -> None:
    """Wait until the last word of the chat was heard: one who never asked before asks, until there is a place."""
    while True:
        message_id = await say(twitch, tally, f"!anime {MARKER}", by=str(90_000 + len(tally.said)), bits=100)
        await asyncio.sleep(2)
        if await house.redis.exists(f"{store.MESSAGE_PREFIX}twitch:{message_id}"):
            return


async def say(twitch: FakeTwitch, tally: Tally, text: str, *, by: str, bits: int = 0) -> str:
    """Say something, note when, and return its id."""
    at = time.time()
    message_id = await twitch.say(text, by=by, bits=bits)
    tally.count += 1
    if not text.startswith("!anime+"):  # what goes into a pot waits there for the others
        tally.said.append((message_id, at))
    return message_id


def told(tally: Tally, twitch: Twitch, took_s: float, *, starts: int, stumbled: int) -> dict[str, bool]:
    """Return the figures and whether each is as promised."""
    waits = sorted(wait_s * 1000 for _, _, wait_s in tally.accepted)
    p50, p95 = statistics.median(waits), waits[int(len(waits) * 0.95)]
    order = [message for _, message, _ in sorted(tally.accepted)]
    densest = max((sum(0 <= at - first < WINDOW_S for at in twitch.sent_at) for first in twitch.sent_at), default=0)
    longest = max((len(sent["message"]) for sent in twitch.sent), default=0)
    echoed = sum(MARKER in sent["message"] for sent in twitch.sent)
    memory = {name: grown(of) for name, of in tally.memory.items()}
    return {
        f"{tally.count} messages in {took_s:.0f} s, {len(waits)} requests accepted": bool(waits),
        "accepted in the order of the chat": order == sorted(order),
        f"{len(twitch.sent)} answers, at most {densest} in 30 s, of {longest} signs at most": bool(twitch.sent)
        and densest <= PER_WINDOW
        and longest <= LONGEST,
        f"{echoed} prompts echoed": echoed == 0,
        f"{starts} start of the bot, {stumbled} stumbles": starts == 1 and stumbled == 0,
        "memory, last third to the one before: "
        + ", ".join(
            f"{name} {ratio:.2f} of {of[-1] / 1e6:.0f} MB"
            for (name, of), ratio in zip(tally.memory.items(), memory.values(), strict=True)
        ): all(ratio <= GROWTH for ratio in memory.values()),
        f"from message to accepted: p50 {p50:.1f} ms, p95 {p95:.1f} ms (at most {LIMIT_MS})": p95 <= LIMIT_MS,
    }


def grown(sizes: list[int]) -> float:
    """Return the last third of some sizes over the third before, by their medians; 1 of too few."""
    third = len(sizes) // 3
    return statistics.median(sizes[-third:]) / statistics.median(sizes[third : 2 * third]) if third else 1.0


def main() -> int:
    """Run a storm as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.storm", description=__doc__)
    parser.add_argument("--minutes", type=float, default=120, help="of the show (120)")
    parser.add_argument("--speed", type=float, default=20, help="times as fast (20)")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    promises = asyncio.run(storm(minutes=asked.minutes, speed=asked.speed, seed=asked.seed))
    for promise, held in promises.items():
        print(f"{'held ' if held else 'BROKE'}  {promise}")
    return 0 if all(promises.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
