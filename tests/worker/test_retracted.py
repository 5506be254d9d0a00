"""A worker with its render task, on a real server, when the chat takes back what it draws."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic

import pytest

from sakuga import chores, store
from sakuga.event import EventType
from sakuga.job import JobStatus
from sakuga.lifecycle import Lifecycle
from sakuga.queue import Queue, Terms
from sakuga.retraction import Retractions
from sakuga.shredder import Shredder
from sakuga.storage import Storage
from sakuga.studio_file import StudioFile
from tests.fakes.jobs import happened, submitted
from tests.fakes.renderer import SPEC, PuppetRenderer
from tests.fakes.valkey import Valkey
from worker import upkeep
from worker.__main__ import open_worker
from worker.thermostat import Thermostat
from worker.worker import StudioWorker

WITHIN_S = 1.0
MESSAGE = Terms(message="twitch:m1")


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[store.Client]:
    client = store.connect(valkey.url)
    yield client
    await client.aclose()


@pytest.fixture
def renderer(tmp_path: Path) -> PuppetRenderer:
    return PuppetRenderer(tmp_path)


@pytest.fixture
async def worker(valkey: Valkey, redis: store.Client, renderer: PuppetRenderer) -> AsyncIterator[StudioWorker]:
    await Queue(redis).configure(slots=1)
    file = StudioFile(Path("no studio file"))
    worker = open_worker(valkey.settings, "worker_1", redis, renderer, [SPEC], file=file)
    running = asyncio.create_task(worker.async_run())
    upkeeping = asyncio.create_task(
        upkeep.keep_up(
            redis,
            upkeep.Introduction("worker_1", renderer.name, [SPEC], 1),
            renderer=renderer,
            thermostat=Thermostat(renderer),
            queue=Queue(redis),
            lifecycle=Lifecycle(redis),
        )
    )
    yield worker
    worker.stop()
    await running
    await worker.close()
    await chores.end([upkeeping])


@pytest.mark.parametrize("kind", ["message", "viewer", "chat"])
async def test_a_running_render_stops_within_a_second_of_its_retraction(
    worker: StudioWorker, redis: store.Client, renderer: PuppetRenderer, kind: str
) -> None:
    # Given a job that is being drawn, and one of somebody elsewhere that waits
    job = await submitted(Queue(redis), MESSAGE)
    await renderer.started(1)
    renderer.report("puppet-0", 0.4)
    await happened(redis, EventType.JOB_STARTED)
    other = await submitted(Queue(redis), requested_by='{"platform": "youtube", "id": "UCjo"}')

    # When the chat takes it back
    retractions, began = Retractions(redis), monotonic()
    gone = await {
        "message": lambda: retractions.message("twitch", "m1", by="chat"),
        "viewer": lambda: retractions.viewer("twitch:3000", by="chat"),
        "chat": lambda: retractions.chat("twitch", by="chat"),
    }[kind]()
    assert gone.cancelled == [job.id]
    await happened(redis, EventType.JOB_CANCELLED)

    # Then its render was stopped in time, and the next one has its slot
    assert monotonic() - began < WITHIN_S
    assert renderer.cancelled == ["puppet-0"]
    assert (await Queue(redis).look(job.id))[0].status is JobStatus.CANCELLED
    await renderer.started(2)
    assert (await Queue(redis).look(other.id))[0].status in {JobStatus.STARTING, JobStatus.RENDERING}


async def test_a_retraction_while_the_clip_is_stored_leaves_no_clip_and_no_files(
    valkey: Valkey,
    worker: StudioWorker,
    redis: store.Client,
    renderer: PuppetRenderer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put = Storage.put

    async def put_and_retract(storage: Storage, *files: object) -> None:
        await put(storage, *files)  # type: ignore[arg-type]
        assert (await Retractions(redis).message("twitch", "m1", by="chat")).cancelled == [job.id]

    monkeypatch.setattr(Storage, "put", put_and_retract)
    job = await submitted(Queue(redis), MESSAGE)
    await renderer.started(1)
    renderer.finish("puppet-0")
    await happened(redis, EventType.JOB_CANCELLED)
    assert (await Queue(redis).look(job.id))[0].status is JobStatus.CANCELLED
    assert await redis.zcard(store.CLIPS) == 0
    await Shredder(redis, Storage.open(valkey.settings)).shred()
    assert [clip async for clip in Storage.open(valkey.settings).sidecars()] == []
