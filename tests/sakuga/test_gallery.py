import pytest

from sakuga import store
from sakuga.errors import ClipNotFound
from sakuga.gallery import Gallery
from tests.fakes.jobs import clip


@pytest.fixture
async def gallery(redis: store.Client) -> Gallery:
    for number in range(1, 6):
        document = clip(number, finished_at=float(number))
        await redis.zadd(store.CLIPS, {document.id: document.finished_at})
        await redis.hset(store.CLIP_DOCUMENTS, document.id, document.model_dump_json())
    return Gallery(redis)


async def test_the_newest_come_first_and_older_ones_by_page(gallery: Gallery) -> None:
    page = await gallery.newest(2)
    assert [found.number for found in page] == [5, 4]
    assert [found.number for found in await gallery.newest(2, before=page[-1].id)] == [3, 2]


async def test_an_unknown_clip_is_not_found(gallery: Gallery) -> None:
    with pytest.raises(ClipNotFound):
        await gallery.get("clip_nobody")
    with pytest.raises(ClipNotFound):
        await gallery.newest(2, before="clip_nobody")
