"""From a request to a clip that plays, through every process."""

import asyncio
import json
import re
import stat
import sys
from pathlib import Path

import pytest

from tests.journeys.conftest import Studio, free_port


def boxes(video: bytes) -> list[str]:
    """Return the names of the top-level boxes of an MP4, in order."""
    names, at = [], 0
    while at < len(video):
        size = int.from_bytes(video[at : at + 4], "big")
        names.append(video[at + 4 : at + 8].decode())
        at += size
    return names


async def test_a_request_becomes_a_clip_that_plays_and_goes_on_air(studio: Studio, tmp_path: Path) -> None:
    # Given a studio that is ready, and a viewer
    assert (await studio.http.get("/health")).json()["status"] == "healthy"

    # When the viewer asks for a clip
    accepted = await studio.ask(
        style="neon", seed=7, requested_by={"platform": "studio", "display_name": "Mika", "roles": ["subscriber"]}
    )
    answers = await studio.until(accepted["job_id"], "succeeded")

    # Then its progress never goes back, previews are shown on the way, and there is a clip
    progress = [answer["progress"] for answer in answers]
    assert progress == sorted(progress)
    assert any(answer["preview_url"] for answer in answers)
    done = answers[-1]
    assert (done["attempt"], done["resolution"], done["poll_after_ms"]) == (1, "832x480", None)

    # And the MP4 is what players and OBS want
    video = (await studio.http.get(done["video_url"])).content
    path = tmp_path / "clip.mp4"
    path.write_bytes(video)
    probe = await asyncio.create_subprocess_exec(
        *("ffprobe", "-v", "error", "-show_streams", "-of", "json", str(path)), stdout=asyncio.subprocess.PIPE
    )
    (stream,) = json.loads((await probe.communicate())[0])["streams"]
    assert (stream["codec_name"], stream["pix_fmt"]) == ("h264", "yuv420p")
    assert (stream["width"], stream["height"], stream["r_frame_rate"]) == (832, 480, "16/1")
    assert float(stream["duration"]) == pytest.approx(5, abs=0.2)
    assert boxes(video).index("moov") < boxes(video).index("mdat")

    # And the stage manager puts it on air
    stage = await studio.polled("/stage", lambda stage: stage["state"] == "result")
    assert stage["clip"]["clip_id"] == done["clip_id"]


async def test_ctrl_c_stops_everything_cleanly_and_what_waits_is_kept(tmp_path: Path) -> None:
    # Given a studio that draws slowly, with three requests
    studio = Studio(tmp_path, rehearsal_seconds=30, bot=False)
    await studio.start()
    jobs = [await studio.ask(prompt) for prompt in ("cat", "dog", "fox")]
    await studio.until(jobs[0]["job_id"], "rendering")
    parts = [studio.process(name) for name in ("api", "worker", "overlay", "valkey")]

    # When it is stopped in the middle
    code = await studio.stop()

    # Then nothing is left running and nothing was said in anger
    assert code == 0
    assert "3 jobs are kept for next time." in studio.said
    assert [part for part in parts if part.is_running()] == []
    assert "Traceback" not in studio.said, studio.said

    # And when it is started again, everything is drawn, and the stop has cost no attempt
    studio = Studio(tmp_path, rehearsal_seconds=0, bot=False)
    async with studio:
        for job in jobs:
            done = (await studio.until(job["job_id"], "succeeded"))[-1]
            assert done["attempt"] == 1


async def test_a_second_studio_at_the_same_address_says_why_it_does_not_start(studio: Studio) -> None:
    other = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sakuga", "demo"),
        env=studio._environ,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await other.communicate()
    assert other.returncode == 2
    assert "is in use" in said.decode()
    assert "SAKUGA_API_PORT" in said.decode()
    assert (await studio.http.get("/health")).json()["status"] == "healthy"


async def test_a_second_studio_in_the_same_folder_does_not_join_in(studio: Studio) -> None:
    other = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sakuga", "demo"),
        env=studio._environ | {"SAKUGA_API_PORT": str(free_port())},
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await other.communicate()
    assert other.returncode == 2
    assert "A studio already runs with the data in" in said.decode()
    assert (await studio.http.get("/health")).json()["worker"]["count"] == 1


async def test_a_mistake_in_the_settings_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sakuga", "demo"),
        env=studio._environ | {"SAKUGA_SLOT": "2"},
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    await studio.http.aclose()
    assert process.returncode == 2
    assert said.decode() == "There is no setting SAKUGA_SLOT. Did you mean SAKUGA_SLOTS?\n"


async def test_the_demo_gives_its_owner_a_key_and_a_link_and_tells_nobody_else(tmp_path: Path) -> None:
    # Given a studio whose programs were given no key by anybody
    async with Studio(tmp_path, rehearsal_seconds=0, bot=False, key="") as studio:
        file = studio.settings.var_dir / "demo.key"
        key = {"Authorization": f"Bearer {file.read_text().strip()}"}

        # Then the stage manager has one all the same, and the owner's is a moderator's, in a file of their own
        assert (await studio.http.get("/health")).json()["stage"]["status"] == "up"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert (await studio.http.get("/me", headers=key)).json() == {"role": "moderator", "name": "demo"}
        assert str(file) in studio.said
        assert file.read_text().strip() not in studio.said

        # And the link that it prints logs a browser in, once
        (code,) = re.findall(rf"{studio.url}/login/(\S+)", studio.said)
        first, second = [await studio.http.post("/login", json={"code": code}) for _ in range(2)]
        assert (first.json()["role"], second.status_code) == ("broadcaster", 410)

        # And no other process of the studio knows the key that they share
        assert "SAKUGA_KEY" in studio.process("overlay").environ()
        assert not studio.process("worker").environ().get("SAKUGA_KEY")
