"""A show with a moderator: what runs is stopped, what waits is looked at, and the file of the show is changed in it."""

import asyncio
import shutil
import sys
from pathlib import Path
from time import monotonic

import httpx

from tests.journeys.conftest import ROOT, Studio

QUIET_S = 20  # of the 60 that it would draw; the benchmark says how long it takes


async def test_a_moderator_stops_a_running_clip_within_a_moment_and_the_next_one_begins(tmp_path: Path) -> None:
    # Given a clip that is being drawn for long, and one that waits
    async with Studio(tmp_path, rehearsal_seconds=60, bot=False) as studio:
        moderator = {"Authorization": f"Bearer {(studio.settings.var_dir / 'demo.key').read_text().strip()}"}
        running, waiting = [(await studio.ask(prompt))["job_id"] for prompt in ("cat", "dog")]
        await studio.until(running, "rendering")
        (drawing,) = [child for child in studio.process("worker").children() if "gpu" in child.cmdline()]

        # When a moderator cancels it
        began = monotonic()
        said = await studio.http.post(f"/jobs/{running}/cancel", headers=moderator)
        assert said.json()["status"] == "cancelling"
        await studio.until(running, "cancelled")

        # Then it is confirmed, its process is gone, and the next one has its slot
        assert monotonic() - began < QUIET_S
        await asyncio.to_thread(drawing.wait, 5)
        await studio.until(waiting, "rendering")


async def test_a_link_that_is_made_elsewhere_leads_to_the_studio_that_runs(tmp_path: Path) -> None:
    # Given a studio on a port of its own
    async with Studio(tmp_path, bot=False) as studio:
        # When a link is made by somebody whose settings name no port
        environ = studio.settings.environ(var_dir=studio.settings.var_dir)
        made = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sakuga", "keys", "link"),
            cwd=ROOT,
            env={name: value for name, value in environ.items() if name != "SAKUGA_API_PORT"},
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await made.communicate()

        # Then it leads there
        assert said.decode().startswith(f"{studio.url}/login/code_")


async def test_the_rules_of_a_show_are_changed_while_it_goes_on(tmp_path: Path) -> None:
    # Given a show whose file lies beside it
    file = tmp_path / "studio.toml"
    shutil.copy(ROOT / "studio.toml", file)
    async with Studio(tmp_path, rehearsal_seconds=60, bot=False, studio_file=file) as studio:
        moderator = {"Authorization": f"Bearer {(studio.settings.var_dir / 'demo.key').read_text().strip()}"}
        await studio.ask("cat")

        # When the streamer wants every prompt to be looked at
        file.write_text(file.read_text().replace('mode = "auto"', 'mode = "approve"'))

        # Then the next request is held, seen by moderators only, and waits once it is approved
        async with asyncio.timeout(10):
            while (held := await studio.ask(f"dog {monotonic()}"))["status"] != "held":  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        assert (await studio.http.get(held["status_url"])).json()["prompt"] == ""
        async with httpx.AsyncClient(base_url=studio.url, headers=moderator, trust_env=False) as console:
            (seen,) = (await console.get("/held")).json()["jobs"]
            assert seen["prompt"].startswith("dog")
            assert (await console.post(f"/jobs/{held['job_id']}/approve")).json()["status"] == "queued"
        assert (await studio.http.get(held["status_url"])).json()["prompt"].startswith("dog")

        # And a mistake in the file changes nothing but is told
        file.write_text(file.read_text() + "\n[limits]\n")
        told = await studio.polled("/health", lambda health: bool(health["studio_file"]["message"]))
        assert "studio.toml" in told["studio_file"]["message"]
        assert (await studio.ask("fox"))["status"] == "held"
