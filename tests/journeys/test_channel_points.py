"""Viewers pay with channel points: a whole studio with its bot, as `make demo` runs it, at a Twitch with rewards."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.twitch import JO, FakeTwitch
from tests.fakes.twitch_shop import DECIDE, REDEEMED, ShopRefused
from tests.journeys.conftest import ROOT, Studio

BADGE = ("moderator",)
TOO_LONG = "x" * 301


@pytest.fixture
async def studio(tmp_path: Path, twitch: FakeTwitch) -> AsyncIterator[Studio]:
    """A studio that draws as fast as it can, and offers a reward whether the stream is on or off."""
    file = tmp_path / "studio.toml"
    shipped = (ROOT / "studio.toml").read_text("utf-8")
    wanted = shipped.replace("[chat]\n", "[chat]\nfollow_stream = false\n").replace(
        "[chat.reward]\nenabled = false", "[chat.reward]\nenabled = true"
    )
    file.write_text(wanted, "utf-8")
    settings = {"rehearsal_seconds": 0, "studio_file": file, **twitch.settings(tmp_path / "var")}
    async with Studio(tmp_path, bot=True, **settings) as studio:
        await twitch.wait_for(lambda: REDEEMED in twitch.subscribed and twitch.rewards, within_s=60)
        await twitch.wait_for(lambda: twitch.ours["is_enabled"])
        yield studio


def settled(twitch: FakeTwitch, redemption_id: str) -> list[str]:
    return [status for decided, status in twitch.decided if decided == redemption_id]


async def test_points_buy_a_clip_or_come_back(studio: Studio, twitch: FakeTwitch) -> None:
    # When a viewer redeems the reward
    redemption_id = await twitch.redeem("a lighthouse --style neon")

    # Then the bot says the place and the end in open chat, and Twitch hears that it is fulfilled
    assert (await twitch.heard(1)).startswith("@Mika C-001 is ")
    assert "reply_parent_message_id" not in twitch.sent[0]
    assert await twitch.heard(2) == "@Mika C-001 is ready. Look at the stream!"
    await twitch.wait_for(lambda: twitch.decided)
    assert twitch.decided == [(redemption_id, "FULFILLED")]

    # When another asks for what can't be drawn
    refused = await twitch.redeem(TOO_LONG, by=JO)

    # Then they are told why, and have their points again
    assert (await twitch.heard(3)).endswith("Shorten it and ask again. Your points come back.")
    await twitch.wait_for(lambda: settled(twitch, refused))
    assert settled(twitch, refused) == ["CANCELED"]

    # When a moderator closes the queue, then nobody can redeem until it is open again
    await twitch.say("!close", by=JO, badges=BADGE)
    await twitch.wait_for(lambda: twitch.ours["is_paused"])
    with pytest.raises(ShopRefused):
        await twitch.redeem()
    await twitch.say("!open", by=JO, badges=BADGE)
    await twitch.wait_for(lambda: not twitch.ours["is_paused"])
    await twitch.heard(5)

    # When a moderator takes a redeemed job off the list
    await twitch.say("!pause", by=JO, badges=BADGE)
    await twitch.heard(6)
    cancelled = await twitch.redeem("a harbour", by="4000")
    assert (await twitch.heard(7)).startswith("@User4000 C-002 is next")
    await twitch.say("!skip #2", by=JO, badges=BADGE)
    await twitch.wait_for(lambda: settled(twitch, cancelled))

    # Then those points come back, too, and no process repeats what was asked for
    assert settled(twitch, cancelled) == ["CANCELED"]
    assert "lighthouse" not in studio.said + str(twitch.sent)


async def test_a_bot_that_is_killed_while_it_settles_settles_once(studio: Studio, twitch: FakeTwitch) -> None:
    # Given a bot that has just had Twitch give points back, and does not know it yet
    twitch.silent_on = {DECIDE}
    redemption_id = await twitch.redeem(TOO_LONG)
    await twitch.wait_for(lambda: twitch.decided)

    # When it is killed, and somebody redeems before it is there again
    studio.process("bot").kill()
    missed = await twitch.redeem("a fox in snow", heard=False)
    await twitch.speak()

    # Then the next bot writes down what was done, and draws what was missed
    def done(told: dict[str, list[dict[str, str]]]) -> bool:
        outcomes = {one["redemption_id"]: one["outcome"] for one in told["redemptions"]}
        return outcomes == {redemption_id: "refunded", missed: "fulfilled"}

    await studio.polled("/redemptions?state=settled", done)
    assert sorted(twitch.decided) == sorted([(redemption_id, "CANCELED"), (missed, "FULFILLED")])
