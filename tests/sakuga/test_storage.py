"""The storage promises, on a folder and on a real S3 server."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from sakuga import store
from sakuga.errors import StorageUnavailable
from sakuga.gallery import Gallery
from sakuga.settings import Settings
from sakuga.storage import Storage
from tests.fakes.jobs import clip


@pytest.fixture(scope="session")
def s3() -> Iterator[dict[str, str]]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="secret"
    )
    client.create_bucket(Bucket="clips")
    client.close()
    yield {
        "s3_endpoint": endpoint,
        "s3_region": "us-east-1",
        "s3_access_key_id": "key",
        "s3_secret_access_key": "secret",
    }
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "folder":
        return Storage.open(Settings(var_dir=tmp_path))
    keys = request.getfixturevalue("s3")
    return Storage.open(Settings(storage_url=f"s3://clips/{tmp_path.name}", **keys))


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    video, poster = tmp_path / "a.mp4", tmp_path / "a.jpg"
    video.write_bytes(bytes(range(256)) * 4)
    poster.write_bytes(b"jpeg")
    return video, poster


async def _read(storage: Storage, key: str, start: int, end: int) -> bytes:
    return b"".join([chunk async for chunk in storage.read(key, start, end)])


async def test_a_stored_clip_is_read_back_whole_and_in_ranges(storage: Storage, files: tuple[Path, Path]) -> None:
    await storage.put(clip(42), *files)
    key = clip(42).video_key
    assert key.startswith("C-042-")
    assert await storage.size(key) == 1024
    assert await _read(storage, key, 0, 1024) == files[0].read_bytes()
    assert await _read(storage, key, 250, 260) == files[0].read_bytes()[250:260]


async def test_a_removed_clip_is_gone_and_may_be_removed_again(storage: Storage, files: tuple[Path, Path]) -> None:
    await storage.put(clip(1), *files)
    await storage.remove(clip(1))
    await storage.remove(clip(1))
    assert [found async for found in storage.sidecars()] == []
    assert await storage.size(clip(1).video_key) is None


async def test_what_is_not_there_has_no_size(storage: Storage) -> None:
    assert await storage.size("C-404.mp4") is None
    assert await storage.reachable()


async def test_a_clip_stored_twice_is_there_once(storage: Storage, files: tuple[Path, Path]) -> None:
    await storage.put(clip(1), *files)
    await storage.put(clip(1), *files)
    assert [found.id async for found in storage.sidecars()] == [clip(1).id]


async def test_the_gallery_is_rebuilt_from_the_sidecars_in_order_of_completion(
    storage: Storage, files: tuple[Path, Path], redis: object
) -> None:
    for number, finished_at in ((1, 300.0), (2, 100.0), (3, 200.0)):
        await storage.put(clip(number, finished_at=finished_at), *files)
    gallery = Gallery(redis)
    assert await gallery.rebuild(storage) == 3
    assert [found.number for found in await gallery.newest(10)] == [1, 3, 2]
    assert await gallery.rebuild(storage) == 3


async def test_numbers_of_a_rebuilt_gallery_mean_the_newest_clips_and_go_on_outside_of_a_stream(
    storage: Storage, files: tuple[Path, Path], redis: store.Client
) -> None:
    last_stream, this_stream = clip(7, finished_at=100.0), clip(7, finished_at=200.0, id="clip_new", job_id="job_new")
    for document in (last_stream, this_stream, clip(9, finished_at=50.0)):
        await storage.put(document, *files)
    await Gallery(redis).rebuild(storage)
    assert await redis.hgetall(store.NUMBERS) == {"7": "job_new", "9": clip(9).job_id}
    assert await redis.hget(store.STUDIO, "number") == "9"
    await redis.hset(store.STUDIO, mapping={"number": "2", "live": "1"})
    await Gallery(redis).rebuild(storage)
    assert await redis.hget(store.STUDIO, "number") == "2"


async def test_a_bucket_that_is_away_is_told_as_such(s3: dict[str, str]) -> None:
    storage = Storage.open(Settings(storage_url="s3://clips", **{**s3, "s3_endpoint": "http://127.0.0.1:9"}))
    with pytest.raises(StorageUnavailable):
        await storage.size("x")
    assert not await storage.reachable()
