"""What a show on Twitch must withstand: whole studios with their bots, twitchio unmodified, at a Twitch of paper."""

from pathlib import Path
from typing import Any

from tests.fakes.twitch import JO, MIKA, STREAMER, FakeTwitch
from tests.fakes.twitch_eventsub import CHAT
from tests.fakes.twitch_shop import DECIDE, REDEEMED
from tests.journeys.conftest import Studio

MODERATOR = ("moderator",)
ANOTHER_CHANNEL = "5000"
SHOW = """
[limits.active]
viewer = 2
[limits.cooldown]
viewer = {cooldown_s}
[chat]
follow_stream = {follow}
offline_grace_s = 0
[chat.reward]
enabled = {reward}
"""


def show(folder: Path, *, cooldown_s: int = 0, follow: bool = False, reward: bool = False) -> Path:
    """Write a studio file."""
    words = {"cooldown_s": cooldown_s, "follow": str(follow).lower(), "reward": str(reward).lower()}
    file = folder / "studio.toml"
    file.write_text(SHOW.format(**words), "utf-8")
    return file


async def restart_bot(studio: Studio, twitch: FakeTwitch) -> None:
    """Kill the bot as `kill -9` does, and wait until the next one hears everything."""
    studio.process("bot").kill()
    await twitch.wait_for(lambda: not twitch.subscriptions)
    await twitch.wait_for(lambda: twitch.attended, within_s=60)


async def drawn(studio: Studio, number: int) -> str:
    """Return the id of a cut that is on the drawing desk, once it is."""

    def drawn(queue: dict[str, Any]) -> bool:
        return [job["number"] for job in queue["running"] if job["stage"] == "denoise"] == [number]

    return str((await studio.polled("/queue", drawn))["running"][0]["job_id"])


def break_desk(studio: Studio) -> None:
    """Kill what draws."""
    (drawing,) = [child for child in studio.process("worker").children() if "gpu" in child.cmdline()]
    drawing.kill()


async def acts(studio: Studio) -> list[dict[str, Any]]:
    """Return what moderators did, the newest first."""
    key = (studio.settings.var_dir / "chat.key").read_text().strip()
    answer = await studio.http.get("/audit", headers={"Authorization": f"Bearer {key}"})
    return [entry["act"] for entry in answer.json()["acts"]]


def decisions(twitch: FakeTwitch, redemption_id: str) -> list[str]:
    return [status for decided, status in twitch.decided if decided == redemption_id]


async def test_who_gives_comes_first_who_hurries_is_told_once_and_nothing_counts_twice(
    tmp_path: Path, twitch: FakeTwitch
) -> None:
    file, login = show(tmp_path, cooldown_s=30), twitch.settings(tmp_path / "var")
    async with Studio(tmp_path, bot=True, studio_file=file, **login) as studio:
        await twitch.wait_for(lambda: twitch.attended, within_s=60)

        # Given a queue that a moderator keeps waiting, and a viewer in it
        await twitch.answered(await twitch.say("!pause", by=JO, badges=MODERATOR))
        first = await twitch.say("!anime a lighthouse")
        assert (await twitch.answered(first)).startswith("C-001 is next")

        # When they ask again and again, then they are told once when they may
        hasty = await twitch.say("!anime a harbour")
        assert (await twitch.answered(hasty)).startswith("@Mika one at a time: ask again in about ")
        await twitch.say("!anime a harbour")
        await twitch.say("!anime a harbour, please")

        # When somebody gives bits, then they are before who gave none
        paid = await twitch.say(("cheermote", "Cheer300"), " !anime a fox in rain", by=JO, bits=300)
        assert (await twitch.answered(paid)).startswith("C-002 is next")

        # When the chat is shared, then another channel's moderators and viewers are not heard here, and ours are
        await twitch.say("!resume", by="4000", badges=MODERATOR, source=ANOTHER_CHANNEL)
        await twitch.say("!anime a thief", by="4000", badges=("founder",), source=ANOTHER_CHANNEL)
        ours = await twitch.say("!anime a fox in snow", by="4001", badges=("founder", "premium"), source=STREAMER)
        assert (await twitch.answered(ours)).startswith("C-003 is next")

        # And the founder waits as a subscriber does
        waiting = (await studio.http.get("/queue")).json()["waiting"]
        assert [(job["number"], job["lane"]) for job in waiting] == [(3, "sub"), (2, "bits"), (1, "viewer")]
        assert len(twitch.sent) == 5, twitch.sent

        # When the bot is killed, and Twitch tells the next one of the first message once more
        await restart_bot(studio, twitch)
        said = len(twitch.sent)
        await twitch.redeliver(first)
        listed = await twitch.answered(await twitch.say("!queue", by=JO))

        # Then nothing was added, and nobody was answered twice
        assert listed == "The queue is paused. 3 waiting. Next: C-003 User4001, C-002 Jo, C-001 Mika."
        assert len(twitch.sent) == said + 1

        # When the access tokens run out, then the bot renews its own and goes on
        twitch.expire_tokens()
        assert "no bits" in await twitch.answered(await twitch.say("!credit", by="4002"))
        assert twitch.refreshes

        # When somebody subscribes and gives subs away, then that is credit, and their next request takes it
        await twitch.subscribe("4002")
        await twitch.gift_many("4003", "4004", by="4002")
        credit = await twitch.answered(await twitch.say("!credit", by="4002"))
        assert credit.startswith("@User4002 you have 300 bits for your next cut (+200")
        await twitch.answered(await twitch.say("!anime a cat", by="4002"))
        job = next(job for job in (await studio.http.get("/queue")).json()["waiting"] if job["number"] == 4)
        assert (job["lane"], job["requested_by"]["login"]) == ("bits", "user4002")


async def test_points_come_back_once_whatever_is_killed_between_the_render_and_the_refund(
    tmp_path: Path, twitch: FakeTwitch
) -> None:
    settings = {"bot": True, "lease": 4, "studio_file": show(tmp_path, reward=True)}
    settings |= twitch.settings(tmp_path / "var")
    async with Studio(tmp_path, rehearsal_seconds=20, render_attempts=1, **settings) as studio:
        await twitch.wait_for(lambda: REDEEMED in twitch.subscribed and twitch.rewards, within_s=60)
        await twitch.wait_for(lambda: twitch.ours["is_enabled"])

        # Given a clip that was paid for with points
        failed = await twitch.redeem("a lighthouse")
        await drawn(studio, 1)

        # When its drawing fails, then the viewer is told so and has the points again
        break_desk(studio)
        await twitch.wait_for(lambda: decisions(twitch, failed))
        assert (await twitch.heard(2)).endswith("Ask again. Your points come back.")

        # When the next one fails while Twitch takes no decisions, and the bot is killed over it
        late = await twitch.redeem("a harbour", by=JO)
        await drawn(studio, 2)
        twitch.next_shop_statuses += [500] * 100
        calls = len(twitch.shop_calls)
        break_desk(studio)
        await twitch.wait_for(lambda: DECIDE in twitch.shop_calls[calls:])
        studio.process("bot").kill()
        twitch.next_shop_statuses.clear()

        # Then the next bot gives the points back, and does not care that it is told of them again
        await twitch.wait_for(lambda: decisions(twitch, late), within_s=60)
        await twitch.tell_again(late)

        # When one fails, the next one is drawn, and the whole studio dies before it hears that Twitch gave points back
        twitch.silent_on = {DECIDE}
        unheard = await twitch.redeem("a fox in snow")
        await drawn(studio, 3)
        torn = await twitch.redeem("a fox in rain", by=JO)
        break_desk(studio)
        await drawn(studio, 4)
        await twitch.wait_for(lambda: decisions(twitch, unheard))
        await studio.kill_all()
        await twitch.speak()

    # Then a new studio finds all that in its memory, draws what was torn, and nothing was decided twice
    async with Studio(tmp_path, rehearsal_seconds=0, **settings) as studio:
        ids = {failed: "refunded", late: "refunded", unheard: "refunded", torn: "fulfilled"}

        def settled(told: dict[str, Any]) -> bool:
            return {one["redemption_id"]: one["outcome"] for one in told["redemptions"]} == ids

        await studio.polled("/redemptions?state=settled", settled)
    taken = {"refunded": "CANCELED", "fulfilled": "FULFILLED"}
    assert sorted(twitch.decided) == sorted((key, taken[outcome]) for key, outcome in ids.items())


async def test_a_ban_and_a_cleared_chat_leave_nothing_behind_and_keep_nobodys_points(
    tmp_path: Path, twitch: FakeTwitch
) -> None:
    file, login = show(tmp_path, reward=True), twitch.settings(tmp_path / "var")
    async with Studio(tmp_path, bot=True, rehearsal_seconds=6, studio_file=file, **login) as studio:
        await twitch.wait_for(lambda: twitch.attended and twitch.rewards, within_s=60)
        await twitch.wait_for(lambda: twitch.ours["is_enabled"])

        # Given a viewer with a clip in the gallery and one that is drawn, both paid for with points
        shown = await twitch.redeem("a lighthouse")
        await twitch.wait_for(lambda: decisions(twitch, shown))
        (clip,) = (await studio.http.get("/clips")).json()["clips"]
        running = await twitch.redeem("a harbour")
        job_id = await drawn(studio, 2)

        # When a moderator bans them on Twitch
        await twitch.ban(MIKA, by=JO)

        # Then the render is stopped, its points come back, and the clip is gone
        await studio.polled(f"/status/{job_id}", lambda job: job["status"] == "cancelled")
        await twitch.wait_for(lambda: decisions(twitch, running))
        assert (decisions(twitch, shown), decisions(twitch, running)) == (["FULFILLED"], ["CANCELED"])
        assert (await studio.http.get("/clips")).json()["clips"] == []

        # And the audit says who did it and what went
        told = str(await acts(studio))
        assert "ban.added" in told
        assert "twitch:jo via chat" in told
        assert job_id in told
        assert clip["clip_id"] in told

        # When the chat is cleared while one is drawn and another one waits
        await twitch.answered(await twitch.say("!anime a fox in snow", by=JO))
        first = await drawn(studio, 3)
        second = await twitch.redeem("a fox in rain", by="4000")
        await studio.polled("/queue", lambda queue: queue["waiting"])
        await twitch.clear()

        # Then nobody is left, and those points come back as well
        await studio.polled("/queue", lambda queue: not queue["waiting"] and not queue["running"])
        await studio.polled(f"/status/{first}", lambda job: job["status"] == "cancelled")
        await twitch.wait_for(lambda: decisions(twitch, second))
        assert decisions(twitch, second) == ["CANCELED"]

        # And the chat, which was cleared of them, hears no more of any of it
        heard = await twitch.answered(await twitch.say("!queue", by="4001"))
        assert heard.startswith("Nobody is waiting")
        assert not [sent["message"] for sent in twitch.sent if "taken off the list" in sent["message"]]


async def test_the_show_begins_and_ends_with_the_stream_and_says_when_twitch_lets_it_listen_no_more(
    tmp_path: Path, twitch: FakeTwitch
) -> None:
    file, login = show(tmp_path, follow=True, reward=True), twitch.settings(tmp_path / "var")
    async with Studio(tmp_path, bot=True, rehearsal_seconds=60, studio_file=file, **login) as studio:
        await twitch.wait_for(lambda: twitch.attended, within_s=60)

        # Given numbers that were used up before the stream, and a reward that is not offered
        await twitch.answered(await twitch.say("!pause", by=JO, badges=MODERATOR))
        assert (await twitch.answered(await twitch.say("!anime a lighthouse"))).startswith("C-001")
        assert "taken off" in await twitch.answered(await twitch.say("!cancel"))
        await twitch.answered(await twitch.say("!resume", by=JO, badges=MODERATOR))
        await twitch.wait_for(lambda: twitch.rewards and twitch.ours["is_paused"])

        # When the stream begins, then a session does, a warm GPU is wished for, and the reward is offered
        await twitch.go_live()
        await studio.polled("/session", lambda session: session["live"])
        await studio.polled("/renderer", lambda renderer: renderer["wanted"])
        await twitch.wait_for(lambda: not twitch.ours["is_paused"])

        # And its numbers begin with 1
        await twitch.redeem("a harbour")
        await drawn(studio, 1)
        waits = await twitch.redeem("a fox in snow", by=JO)
        (job,) = (await studio.polled("/queue", lambda queue: queue["waiting"]))["waiting"]
        assert job["number"] == 2

        # When it ends
        await twitch.go_off()

        # Then the session does, the GPU may go, who waits is let go, and has the points again
        await studio.polled("/session", lambda session: not session["live"])
        await studio.polled(f"/status/{job['job_id']}", lambda job: job["status"] == "cancelled")
        await twitch.wait_for(lambda: decisions(twitch, waits))
        assert decisions(twitch, waits) == ["CANCELED"]
        await studio.polled("/renderer", lambda renderer: not renderer["wanted"])

        # When the streamer disconnects the application, then the pages are told so, and what to do
        twitch.refusing[CHAT] = 403
        await twitch.revoke()
        health = await studio.polled("/health", lambda health: health["chats"][0]["state"] == "revoked")
        (chat,) = health["chats"]
        assert (chat["platform"], chat["detail"]) == ("twitch", "authorization_revoked")
        assert chat["message"].startswith("Twitch no longer lets the bot listen. Log in:")
