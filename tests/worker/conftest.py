"""A worker's parts around a puppet renderer, without arq."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from arq.constants import in_progress_key_prefix

from sakuga import store
from sakuga.event import EventType
from sakuga.job import Job, JobStatus
from sakuga.lifecycle import Lifecycle
from sakuga.queue import Queue
from sakuga.settings import Settings
from sakuga.storage import Storage
from sakuga.studio_file import StudioFile
from tests.fakes.jobs import happened, submitted
from tests.fakes.renderer import SPEC, PuppetRenderer
from worker.render import RenderTask


@dataclass
class House:
    """A worker's parts around a puppet renderer."""

    redis: store.Client
    settings: Settings
    renderer: PuppetRenderer
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def queue(self) -> Queue:
        return Queue(self.redis)

    async def admitted(self, **changes: str) -> Job:
        await self.queue.configure(slots=4)
        job = await submitted(self.queue, **changes)
        await self.queue.admit()
        await self.redis.set(in_progress_key_prefix + job.id, "1")
        return job

    def run(self, job: Job) -> asyncio.Task[None]:
        task = RenderTask(
            lifecycle=Lifecycle(self.redis),
            renderer=self.renderer,
            specs={SPEC.name: SPEC},
            file=StudioFile(Path("no studio file")),
            storage=Storage.open(self.settings),
            settings=self.settings,
            pauses_s=(0.0, 0.01),
        )
        self.tasks.append(asyncio.create_task(task.run({}, job.id)))
        return self.tasks[-1]

    async def drawing(self, job: Job, fraction: float = 0.4) -> asyncio.Task[None]:
        """Run a job and wait until its render has made its first report."""
        running = self.run(job)
        await self.renderer.started(1)
        self.renderer.report("puppet-0", fraction)
        await happened(self.redis, EventType.JOB_STARTED)
        return running

    async def status(self, job: Job) -> JobStatus:
        return (await self.now(job)).status

    async def now(self, job: Job) -> Job:
        return (await self.queue.look(job.id))[0]


@pytest.fixture
async def house(redis: store.Client, settings: Settings, tmp_path: Path) -> AsyncIterator[House]:
    house = House(redis, settings, PuppetRenderer(tmp_path))
    yield house
    for task in house.tasks:
        task.cancel()
    await asyncio.gather(*house.tasks, return_exceptions=True)
