"""What moderators do to the stage and to clips."""

import pytest

from sakuga import store
from sakuga.errors import ClipNotFound
from sakuga.gallery import Gallery
from sakuga.moderation import Moderation
from sakuga.playout import Playout
from sakuga.stage import StageState
from tests.fakes.jobs import clip


async def shelved(redis: store.Client, number: int = 1) -> str:
    document = clip(number)
    await redis.zadd(store.CLIPS, {document.id: document.finished_at})
    await redis.hset(store.CLIP_DOCUMENTS, document.id, document.model_dump_json())
    return document.id


async def test_a_dumped_stage_stays_dark_whatever_its_manager_says_until_it_is_released(redis: store.Client) -> None:
    playout, clip_id = Playout(redis), await shelved(redis)
    await playout.show(StageState.RESULT, clip_id, 5)
    assert await playout.dump(by="alice") == clip_id
    assert await playout.dump(by="bob") is None
    assert not await playout.show(StageState.RESULT, clip_id, 5)
    assert (await playout.now()).state is StageState.DUMPED
    assert await playout.managed()
    await playout.release(by="alice")
    assert (await playout.now()).state is StageState.IDLE
    assert await playout.show(StageState.COOKING, None, None)


async def test_a_dump_can_be_taken_back_like_any_act(redis: store.Client) -> None:
    playout, moderation = Playout(redis), Moderation(redis)
    await playout.dump(by="alice")
    await moderation.undo((await moderation.audit.latest())[0].id, by="bob")
    assert (await playout.now()).state is StageState.IDLE


async def test_a_clip_that_is_taken_out_leaves_gallery_and_stage(redis: store.Client) -> None:
    gallery, playout = Gallery(redis), Playout(redis)
    clip_id = await shelved(redis)
    await playout.show(StageState.GALLERY, clip_id, 5)
    found = await gallery.get(clip_id)
    assert await gallery.remove(found, by="alice", reason="not for this show")
    assert not await gallery.remove(found, by="bob")
    with pytest.raises(ClipNotFound):
        await gallery.get(clip_id)
    assert (await playout.now()).state is StageState.IDLE
    kinds = [entry["type"] for _, entry in await redis.xrange(store.EVENTS)]
    assert kinds == ["stage.changed", "stage.changed", "clip.removed"]
    (entry,) = await Moderation(redis).audit.latest()
    assert (entry.act.type, entry.act.by, entry.act.detail) == ("clip.removed", "alice", {"clip_id": clip_id})
