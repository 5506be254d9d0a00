"""Viewers make cuts of each other's words and of each other's cuts, in a whole studio with a bot in the chat."""

from pathlib import Path

import httpx

from tests.fakes.twitch import JO, FakeTwitch
from tests.journeys.conftest import ROOT, Studio


async def test_a_pot_is_poured_into_one_clip_and_a_remix_of_it_names_its_parent(tmp_path: Path) -> None:
    file = tmp_path / "studio.toml"
    file.write_text((ROOT / "studio.toml").read_text() + "\n[pot]\nseconds = 3\n")
    async with (
        FakeTwitch() as twitch,
        Studio(tmp_path, bot=True, studio_file=file, **twitch.settings(tmp_path / "var")) as studio,
        httpx.AsyncClient(base_url=studio.url, trust_env=False) as http,
    ):
        await twitch.wait_for(lambda: twitch.attended, within_s=60)

        # Given a moderator who has set a style for the show
        await twitch.say("!style neon", by=JO, badges=("moderator",))
        assert await twitch.heard(1) == "Cuts are drawn in neon from now on, until the stream ends."

        # When two viewers put their words into one pot
        await twitch.say("!anime+ a lighthouse")
        assert (await twitch.heard(2)).startswith("@Mika a pot is open: !anime+ and a few words go in as well.")
        await twitch.say("!anime+ heavy fog", by=JO)
        assert await twitch.heard(3) == "@Jo your words are in the pot. 2 viewers so far."

        # Then it is poured when its clock has run out, and both are credited in the clip
        assert (await twitch.heard(4)).startswith("Mika + 1 asked together. C-001 is")
        assert (await twitch.heard(5)).startswith("C-001 is ready")
        (clip,) = (await http.get("/clips")).json()["clips"]
        assert (clip["ensemble"], clip["style"]) == (["Mika", "Jo"], "neon")
        assert clip["prompt"] == "a lighthouse, heavy fog"

        # And a remix of it begins with its words, its look and its seed
        await twitch.say("!remix #1 in red")
        assert (await twitch.heard(6)).startswith("C-002 is")
        assert (await twitch.heard(7)).startswith("C-002 is ready")
        remix, parent = (await http.get("/clips")).json()["clips"]
        assert (remix["parent"], remix["parent_number"]) == (parent["clip_id"], 1)
        assert (remix["prompt"], remix["seed"]) == ("a lighthouse, heavy fog, in red", parent["seed"])

    # And nothing of what was drawn was said in chat or in the logs
    assert "lighthouse" not in studio.said + str(twitch.sent)
