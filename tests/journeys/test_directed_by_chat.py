"""Chat directs a whole studio, as `make demo` runs it with a login: viewers ask and withdraw, a moderator decides."""

from pathlib import Path

import httpx

from tests.fakes.twitch import JO, FakeTwitch
from tests.journeys.conftest import Studio

PROMPT = "a lighthouse in fog"
BADGE = ("moderator",)


async def test_a_moderator_in_chat_directs_the_studio_and_stands_in_the_audit(tmp_path: Path) -> None:
    async with FakeTwitch() as twitch, Studio(tmp_path, bot=True, **twitch.settings(tmp_path / "var")) as studio:
        await twitch.wait_for(lambda: twitch.attended, within_s=60)

        # Given a queue that a moderator has paused from chat
        await twitch.say("!pause", by=JO, badges=BADGE)
        assert await twitch.heard(1) == "The queue is paused: nobody begins until !resume."

        # When a viewer asks, finds a supporter, and thinks better of it
        await twitch.say(f"!anime {PROMPT}")
        assert (await twitch.heard(2)).startswith("C-001 is next")
        await twitch.say("!vote #1", by=JO)
        assert await twitch.heard(3) == "C-001 has 1 vote."
        await twitch.say("!clear")  # no badge: not heard
        await twitch.say("!cancel")
        assert await twitch.heard(4) == "C-001 was taken off the list."

        # And the moderator bans them and goes on
        await twitch.say("!ban @mika", by=JO, badges=BADGE)
        assert await twitch.heard(5) == "mika may not ask any more; 0 cuts stopped."
        await twitch.say(f"!again {PROMPT}")
        assert await twitch.heard(6) == "@Mika the moderators closed the studio's door for you."
        await twitch.say("!resume", by=JO, badges=BADGE)
        assert await twitch.heard(7) == "The queue goes on."

        # Then the audit says who did what, and that the bot's key did it
        key = (studio.settings.var_dir / "chat.key").read_text().strip()
        async with httpx.AsyncClient(base_url=studio.url, trust_env=False, headers={"X-API-Key": key}) as http:
            acts = [entry["act"] for entry in (await http.get("/audit")).json()["acts"]]
        assert [(act["type"], act["by"]) for act in acts] == [
            ("queue.resumed", "twitch:jo via chat"),
            ("ban.added", "twitch:jo via chat"),
            ("queue.paused", "twitch:jo via chat"),
        ]

    # And no line of any process holds the key or the words
    assert key not in studio.said
    assert "lighthouse" not in studio.said + str(twitch.sent)
