"""Jobs that have come some way on a real broker."""

from typing import Any

from sakuga import store
from sakuga.engine import Progress
from sakuga.job import Job
from sakuga.lifecycle import Lifecycle
from sakuga.queue import Queue
from tests.fakes.jobs import clip, submitted


async def begun(redis: store.Client) -> Job:
    """Bring a job into its first attempt."""
    await Queue(redis).configure(slots=10)
    job = await submitted(Queue(redis), credit_s=60)
    await Queue(redis).admit()
    job = job.model_copy(update={"attempt": 1, "handle": "render-1"})
    assert await Lifecycle(redis).begin_attempt(job)
    await Lifecycle(redis).progress(job, Progress(sequence=1, stage="denoise", fraction=0.1))
    return job


async def drawn(redis: store.Client, **changes: Any) -> Job:
    """Bring a job to its clip, which is changed so."""
    job = await begun(redis)
    await Lifecycle(redis).finish(job)
    assert await Lifecycle(redis).succeed(job, clip(id=job.id.replace("job", "clip"), job_id=job.id, **changes))
    return job
