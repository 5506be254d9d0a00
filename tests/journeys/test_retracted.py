"""A chat's moderator takes back what is being drawn: the studio stops at once, and keeps nothing of it."""

import asyncio
from pathlib import Path
from time import monotonic

from tests.journeys.conftest import Studio

QUIET_S = 5  # a second is promised; a busy machine may take longer
MIKA = {"platform": "twitch", "id": "3000", "login": "mika", "display_name": "Mika"}
JO = {"platform": "twitch", "id": "3001", "login": "jo", "display_name": "Jo"}


async def test_a_time_out_stops_a_running_clip_and_takes_the_finished_one_with_it(tmp_path: Path) -> None:
    # Given a viewer's clip in the gallery, one more of theirs that is drawn for long, and one of another that waits
    async with Studio(tmp_path, rehearsal_seconds=1, bot=False) as studio:
        done = await studio.ask("cat", requested_by=MIKA, message_id="m1")
        clip = (await studio.until(done["job_id"], "succeeded"))[-1]["clip_id"]
    async with Studio(tmp_path, rehearsal_seconds=60, bot=False) as studio:
        moderator = {"Authorization": f"Bearer {(studio.settings.var_dir / 'demo.key').read_text().strip()}"}
        wanted = {**MIKA, "roles": ["moderator"]}
        running = (await studio.ask("dog", requested_by=wanted, message_id="m2"))["job_id"]
        await studio.until(running, "rendering")
        waiting = (await studio.ask("fox", requested_by=JO, message_id="m3"))["job_id"]
        (drawing,) = [child for child in studio.process("worker").children() if "gpu" in child.cmdline()]

        # When they are timed out in chat
        began = monotonic()
        body = {"viewer": "twitch:3000", "minutes": 10, "clips": True, "reason": "banned in chat"}
        gone = (await studio.http.post("/bans", json=body, headers=moderator)).json()
        assert (gone["cancelled"], gone["removed"]) == ([running], [clip])
        await studio.until(running, "cancelled")

        # Then the render is over, nothing of theirs is left, and the next one has its slot
        assert monotonic() - began < QUIET_S
        await asyncio.to_thread(drawing.wait, 5)
        assert (await studio.http.get("/clips")).json()["clips"] == []
        assert not [*(studio.settings.var_dir / "clips").glob("*.*")]
        refused = await studio.http.post("/generate", json={"prompt": "cat", "requested_by": MIKA})
        assert refused.json()["error"]["code"] == "viewer_banned"
        await studio.until(waiting, "rendering")
