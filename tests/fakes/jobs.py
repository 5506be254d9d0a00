"""Jobs and clips to test with."""

import asyncio
from typing import Any

from sakuga import store
from sakuga.clip import Clip
from sakuga.event import EventType
from sakuga.events import Events
from sakuga.job import Job, RequestedBy, new_job_id
from sakuga.lane import Credit, Lane
from sakuga.queue import Queue, Terms

MIKA = RequestedBy(platform="twitch", id="3000", login="mika", display_name="Mika")


def fields(**changes: Any) -> dict[str, Any]:
    """Return the fields of a request as the gateway submits them."""
    return {
        "prompt": "girl with sword, neon rain",
        "style": "anime",
        "engine": "rehearsal",
        "duration_s": 5.0,
        "seed": 7,
        "requested_by": MIKA.model_dump_json(),
        "lane": Lane.VIEWER,
        **changes,
    }


ANY = Terms()


async def submitted(queue: Queue, terms: Terms = ANY, *, credit_s: float = 0, viewer: str = "", **changes: Any) -> Job:
    """Put a job into the waiting room and return it. `viewer` is the Twitch id of who asks, Mika if empty."""
    granted = [Credit(reason="test", seconds=credit_s)] if credit_s else []
    if viewer:
        changes["requested_by"] = RequestedBy(platform="twitch", id=viewer, login=f"viewer{viewer}").model_dump_json()
    job, _ = await queue.submit(new_job_id(), fields(**changes), granted, terms)
    return job


async def happened(redis: store.Client, kind: EventType, *, times: int = 1) -> None:
    """Wait until the log has that event so many times."""
    async with asyncio.timeout(10):
        at, seen = "0-0", 0
        while seen < times:
            for event in await Events(redis).after(at, wait_s=10):
                at = event.id
                seen += event.type is kind


def clip(number: int = 1, *, finished_at: float = 1_795_154_400.0, **changes: Any) -> Clip:
    """Return a finished clip's sidecar."""
    document: dict[str, Any] = {
        "id": f"clip_{number:026d}",
        "job_id": f"job_{number:026d}",
        "number": number,
        "prompt": "girl with sword, neon rain",
        "style": "anime",
        "engine": "rehearsal",
        "renderer": "rehearsal",
        "seed": 7,
        "requested_by": MIKA,
        "width": 832,
        "height": 480,
        "fps": 16.0,
        "num_frames": 81,
        "duration_s": 5.0625,
        "bytes": 10,
        "render_s": 6.2,
        "attempt": 1,
        "finished_at": finished_at,
    }
    return Clip.model_validate(document | changes)
