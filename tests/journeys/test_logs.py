"""One job in the logs of gateway and worker, in a whole studio."""

import json
from pathlib import Path
from typing import Any

from tests.journeys.conftest import Studio


def lines(said: str) -> list[dict[str, Any]]:
    """Return what was said in JSON; the demo greets in words."""
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


async def test_one_job_can_be_followed_from_the_gateway_to_the_worker_and_no_line_holds_its_prompt(
    tmp_path: Path,
) -> None:
    # Given a studio whose log is for machines
    async with Studio(tmp_path, rehearsal_seconds=0, bot=False, log_format="json") as studio:
        # When two jobs are drawn
        first = await studio.ask("an unspeakable robot")
        second = await studio.ask("another unspeakable robot")
        for job in (first, second):
            await studio.until(job["job_id"], "succeeded")
    # Then each has its lines, from both processes, by its id and by its cut
    for job in (first, second):
        told = [line for line in lines(studio.said) if line.get("job_id") == job["job_id"]]
        assert [(line["process"], line["event"]) for line in told] == [
            ("gateway", "job.queued"),
            ("worker", "job.succeeded"),
        ]
        assert {line["cut"] for line in told} == {job["cut"]}
    # And nobody repeated what was asked for
    assert "unspeakable" not in studio.said
