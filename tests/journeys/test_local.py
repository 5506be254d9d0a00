"""From a request to a clip by a real pipeline on this machine's own hardware, through every process."""

import asyncio
import json
from pathlib import Path

import psutil

from tests.journeys.conftest import Studio

SLOW_S = 100  # reading torch from a cold disk, on two cores that do other things too


def engines(studio: Studio) -> list[int]:
    """Return the ids of the processes that engines run in."""
    return [child.pid for child in studio.process("worker").children() if "gpu" in child.cmdline()]


async def test_the_own_card_takes_a_prompt_through_a_real_pipeline_to_the_overlay(tmp_path: Path) -> None:
    # Given a studio that draws on this machine, with the smallest of engines
    local = {"renderer": "local", "engines": "tiny", "weights_dir": tmp_path / "weights", "bot": False}
    async with Studio(tmp_path, **local) as studio:
        assert (await studio.http.get("/health")).json()["renderer"]["name"] == "local"

        # When a viewer asks for a clip
        accepted = await studio.ask(seed=7)
        answers = await studio.until(accepted["job_id"], "succeeded", limit_s=SLOW_S)

        # Then its progress never goes back, and the model is loaded, heard and decoded on the way
        progress = [answer["progress"] for answer in answers]
        assert progress == sorted(progress)
        done = answers[-1]
        assert (done["attempt"], done["resolution"], done["engine"]) == (1, "256x144", "tiny")

        # And the overlay gets it
        stage = await studio.polled("/stage", lambda stage: stage["state"] == "result")
        assert stage["clip"]["clip_id"] == done["clip_id"]

        # And its sidecar says what drew it, and how
        (sidecar,) = (studio.settings.var_dir / "clips").rglob("*.json")
        clip = json.loads(sidecar.read_text())
        assert (clip["engine"], clip["renderer"]) == ("tiny", "local")
        assert clip["making"]["repository"]
        assert set(clip["making"]["seconds"]) >= {"text", "denoise", "decode", "encode"}

        # And the next one is drawn by the same process, which has the model in memory
        (process,) = engines(studio)
        await studio.polled("/health", lambda health: bool(health["renderer"]["warm"]))
        again = await studio.ask("robot cat")
        await studio.until(again["job_id"], "succeeded", limit_s=SLOW_S)
        assert engines(studio) == [process]

        # And when its worker is killed it goes as well, with the memory of the card
        own = psutil.Process(process)
        studio.process("worker").kill()
        await asyncio.to_thread(own.wait, 5)
    assert "Traceback" not in studio.said, studio.said
