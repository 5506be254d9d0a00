"""A redemption is settled once, wherever the bot was when it was killed."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bot.paper_till import PaperTill
from tests.bot.twitch.shopkeeper import keep
from tests.fakes.twitch import STREAMER, FakeTwitch
from tests.fakes.twitch_shop import DECIDE

ROOT = Path(__file__).parents[3]
TOO_LONG = "x" * 301


@pytest.fixture
async def paper() -> AsyncIterator[PaperTill]:
    async with PaperTill(drawing_s=0.05) as paper:
        yield paper


@contextlib.asynccontextmanager
async def shopkeeper(paper: PaperTill, memory: Path, tokens: tuple[str, str]) -> AsyncIterator[None]:
    """Keep the shop in this process."""
    task = asyncio.create_task(keep(paper.url, memory, *tokens))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def killed_at(reached: str, *, fake: FakeTwitch, paper: PaperTill, memory: Path, tokens: tuple[str, str]) -> None:
    """Keep the shop in a process of its own, and kill that when it waits for an answer."""
    if reached == "twitch":
        fake.silent_on = {DECIDE}
    else:
        paper.doors[reached].clear()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore", "-m", "tests.bot.twitch.shopkeeper"),
        *(fake.url, paper.url, str(memory), *tokens),
        cwd=ROOT,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await (fake.wait_for(lambda: fake.decided) if reached == "twitch" else paper.reached(reached))
    finally:
        process.kill()
        await process.wait()
    await fake.speak()
    for door in paper.doors.values():
        door.set()


@pytest.mark.parametrize(
    ("text", "reached", "decided"),
    [
        ("a lighthouse", "generate", "FULFILLED"),  # it had heard, and was about to ask
        ("a lighthouse", "twitch", "FULFILLED"),  # Twitch had done it, and its answer was on the way
        ("a lighthouse", "settled", "FULFILLED"),  # it had the answer, and was about to write it down
        (TOO_LONG, "refund", "CANCELED"),  # it had been told no, and was about to give the points back
        (TOO_LONG, "twitch", "CANCELED"),
        (TOO_LONG, "settled", "CANCELED"),
    ],
)
async def test_a_redemption_is_settled_once_wherever_the_bot_was_killed(
    fake: FakeTwitch, paper: PaperTill, tmp_path: Path, text: str, reached: str, decided: str
) -> None:
    # Given a reward, and a redemption of which nobody told the bot
    memory, tokens = tmp_path / "bot.sqlite", fake.log_in(STREAMER)
    async with shopkeeper(paper, memory, tokens):
        await fake.wait_for(lambda: fake.rewards and fake.ours["is_enabled"])
    redemption_id = await fake.redeem(text, heard=False)

    # When the bot is killed in the middle of it
    await killed_at(reached, fake=fake, paper=paper, memory=memory, tokens=tokens)
    assert paper.state_of(redemption_id)[0] != "settled"

    # Then the next bot goes on, and Twitch has decided once
    async with shopkeeper(paper, memory, tokens):
        await paper.until(redemption_id, "settled", "fulfilled" if decided == "FULFILLED" else "refunded")
    assert fake.decided == [(redemption_id, decided)]
    assert len(paper.jobs) == (0 if text == TOO_LONG else 1)
