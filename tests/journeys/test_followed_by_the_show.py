"""What happens on Twitch happens in the studio: messages go, viewers do and come back, raids arrive."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.twitch import JO, MIKA, FakeTwitch
from tests.journeys.conftest import ROOT, Studio

PAID = re.compile(r"^\[(?:paid).*\n(?:[^\[\n].*\n|\n)*", re.MULTILINE)
OURS = """
[paid]
raid_bits = 2
"""


@pytest.fixture
async def studio(tmp_path: Path, twitch: FakeTwitch) -> AsyncIterator[Studio]:
    """A whole studio with a bot in the chat, in which a clip takes a minute."""
    studio_file = tmp_path / "studio.toml"
    studio_file.write_text(PAID.sub("", (ROOT / "studio.toml").read_text()) + OURS)
    settings = twitch.settings(tmp_path / "var")
    async with Studio(tmp_path, bot=True, rehearsal_seconds=60, studio_file=studio_file, **settings) as studio:
        await twitch.wait_for(lambda: twitch.attended, within_s=60)
        yield studio


async def running(studio: Studio) -> str:
    """Return the id of the job that is drawn, once one is."""
    queue = await studio.polled("/queue", lambda queue: any(job["stage"] == "denoise" for job in queue["running"]))
    return str(queue["running"][0]["job_id"])


def is_over(job: dict[str, Any]) -> bool:
    return job["status"] == "cancelled"


async def test_a_deleted_message_stops_what_it_asked_for(studio: Studio, twitch: FakeTwitch) -> None:
    # Given one viewer's clip that is drawn, and another one's that waits
    deleted = await twitch.say("!anime a lighthouse")
    job_id = await running(studio)
    await twitch.say("!anime a harbour", by=JO)
    await twitch.heard(2)

    # When a moderator deletes the first one's message
    await twitch.delete(deleted)

    # Then it is drawn no more, and the other one begins
    await studio.polled(f"/status/{job_id}", is_over)
    assert await running(studio) != job_id


async def test_a_ban_stops_a_running_render_and_an_unban_gives_the_right_back(
    studio: Studio, twitch: FakeTwitch
) -> None:
    # Given a viewer whose clip is drawn
    await twitch.say("!anime a lighthouse")
    job_id = await running(studio)

    # When they are timed out
    await twitch.ban(MIKA, seconds=600)

    # Then it is stopped, and they may not ask
    await studio.polled(f"/status/{job_id}", is_over)
    assert "closed the studio's door for you" in await twitch.answered(await twitch.say("!anime a harbour"))

    # And when a moderator takes that back, they may
    await twitch.unban(MIKA)
    studio.http.headers["Authorization"] = f"Bearer {(studio.settings.var_dir / 'chat.key').read_text().strip()}"
    await studio.polled("/bans", lambda found: not found["bans"])
    assert "door" not in await twitch.answered(await twitch.say("!anime a lighthouse in fog"))


async def test_a_raid_counts_once_though_it_is_told_twice_and_the_bot_is_killed_in_between(
    studio: Studio, twitch: FakeTwitch
) -> None:
    # Given a raid that was counted
    raid = await twitch.raid(50, by=JO)
    purse = f"/viewers/twitch:{JO}/credit"
    assert (await studio.polled(purse, lambda credit: credit["bits"]))["bits"] == 100

    # When the bot is killed, and Twitch tells the next one of the same raid, and of another
    studio.process("bot").kill()
    await twitch.wait_for(lambda: not twitch.subscriptions)
    await twitch.wait_for(lambda: twitch.attended, within_s=60)
    await twitch.redeliver(raid)
    await twitch.raid(5, by=JO)

    # Then only the other one is added
    assert (await studio.polled(purse, lambda credit: credit["bits"] != 100))["bits"] == 110
