"""The shredder: no file of a clip that was taken out stays, whatever was away at the time."""

import asyncio
from pathlib import Path

import pytest

from sakuga import chores, shredder, store
from sakuga.clip import Clip, clip_id_of
from sakuga.errors import StorageUnavailable
from sakuga.gallery import Gallery
from sakuga.lifecycle import Lifecycle
from sakuga.queue import Queue
from sakuga.settings import Settings
from sakuga.shredder import Shredder
from sakuga.storage import Storage
from tests.fakes import lives
from tests.fakes.jobs import clip
from tests.fakes.lives import begun


@pytest.fixture
def storage(settings: Settings) -> Storage:
    return Storage.open(settings)


@pytest.fixture
async def taken_out(redis: store.Client, storage: Storage, tmp_path: Path) -> Clip:
    """A clip that left the gallery and whose files are still there."""
    document = clip(42)
    (tmp_path / "file").write_bytes(b"film")
    await storage.put(document, tmp_path / "file", tmp_path / "file")
    await redis.zadd(store.CLIPS, {document.id: document.finished_at})
    await redis.hset(store.CLIP_DOCUMENTS, document.id, document.model_dump_json())
    assert await Gallery(redis).remove(document, by="alice")
    return document


async def test_the_files_of_a_clip_that_was_taken_out_are_removed_once(
    redis: store.Client, storage: Storage, taken_out: Clip
) -> None:
    assert await Shredder(redis, storage).shred() == 1
    assert await storage.size(taken_out.video_key) is None
    assert [clip async for clip in storage.sidecars()] == []
    assert await Shredder(redis, storage).shred() == 0


async def test_what_the_storage_did_not_let_go_of_is_removed_when_it_is_back(
    redis: store.Client, storage: Storage, taken_out: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: Clip) -> None:
        raise StorageUnavailable(reason="away")

    with monkeypatch.context() as during:
        during.setattr(storage, "remove", away)
        with pytest.raises(StorageUnavailable):
            await Shredder(redis, storage).shred()
    assert await Shredder(redis, storage).shred() == 1
    assert await storage.size(taken_out.video_key) is None


async def test_a_gallery_that_is_rebuilt_meanwhile_does_not_bring_it_back(
    redis: store.Client, storage: Storage, taken_out: Clip
) -> None:
    assert await Gallery(redis).rebuild(storage) == 0
    assert await Gallery(redis).newest(10) == []


async def test_what_was_left_undone_is_done_without_being_asked(
    redis: store.Client, storage: Storage, taken_out: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = asyncio.Event()
    remove = storage.remove

    async def once_away(clip: Clip) -> None:
        monkeypatch.setattr(storage, "remove", noticed)
        raise StorageUnavailable(reason="away")

    async def noticed(clip: Clip) -> None:
        await remove(clip)
        done.set()

    monkeypatch.setattr(storage, "remove", once_away)
    monkeypatch.setattr(shredder, "EVERY_S", 0)
    chore = asyncio.create_task(Shredder(redis, storage).keep_up())
    async with asyncio.timeout(10):
        await done.wait()
    await chores.end([chore])
    assert await storage.size(taken_out.video_key) is None


async def test_files_that_were_stored_for_a_job_that_ended_without_a_clip_go_as_well(
    redis: store.Client, storage: Storage, tmp_path: Path
) -> None:
    # Given a job whose files are stored when it is stopped, and a worker that dies before it has removed them
    job = await begun(redis)
    lifecycle = Lifecycle(redis)
    assert await lifecycle.finish(job)
    document = clip(job.number, id=clip_id_of(job.id), job_id=job.id)
    (tmp_path / "file").write_bytes(b"film")
    await storage.put(document, tmp_path / "file", tmp_path / "file")
    assert await Queue(redis).cancel(job.id) == "cancelling"
    # When its end is written down
    assert await lifecycle.cancelled(job)
    # Then the files go, and another job's never did
    assert await Shredder(redis, storage).shred() == 1
    assert [clip async for clip in storage.sidecars()] == []
    assert await lives.drawn(redis)
    assert await Shredder(redis, storage).shred() == 0
