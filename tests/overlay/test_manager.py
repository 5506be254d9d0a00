"""The stage manager against the real gateway."""

from collections.abc import AsyncIterator, Iterator

import pytest

from overlay.manager import StageManager
from sakuga import store
from sakuga.clip import Clip
from sakuga.errors import GatewayUnreachable
from sakuga.gateway import Gateway
from sakuga.playout import Playout
from sakuga.queue import Queue
from sakuga.stage import StageState
from tests.fakes.jobs import clip, submitted
from tests.fakes.keys import KEY
from tests.fakes.server import GatewayThread
from tests.fakes.valkey import Valkey


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[store.Client]:
    client = store.connect(valkey.url)
    yield client
    await client.aclose()


@pytest.fixture
def server(valkey: Valkey) -> Iterator[GatewayThread]:
    with GatewayThread(valkey.settings) as server:
        yield server


@pytest.fixture
async def gateway(server: GatewayThread) -> AsyncIterator[Gateway]:
    async with Gateway(server.url, key=KEY) as gateway:
        yield gateway


@pytest.fixture
def manager(gateway: Gateway) -> StageManager:
    return StageManager(gateway)


async def finished(redis: store.Client, number: int) -> Clip:
    seconds, _ = await redis.time()
    document = clip(number, finished_at=float(seconds))
    await redis.zadd(store.CLIPS, {document.id: document.finished_at})
    await redis.hset(store.CLIP_DOCUMENTS, document.id, document.model_dump_json())
    return document


async def test_it_tells_that_it_lives_from_the_first_look_on(manager: StageManager, redis: store.Client) -> None:
    await manager.step()
    assert await Playout(redis).managed()
    assert (await Playout(redis).now()).state is StageState.IDLE


async def test_a_finished_clip_goes_on_air_and_stays(manager: StageManager, redis: store.Client) -> None:
    document = await finished(redis, 1)
    await manager.step()
    first = await Playout(redis).now()
    assert (first.state, first.clip_id, first.last_result) == (StageState.RESULT, document.id, document.id)
    await manager.step()
    assert await Playout(redis).now() == first


async def test_a_new_manager_goes_on_where_the_old_one_was(
    manager: StageManager, gateway: Gateway, redis: store.Client
) -> None:
    await finished(redis, 1)
    await manager.step()
    before = await Playout(redis).now()
    await StageManager(gateway).step()
    assert await Playout(redis).now() == before


async def test_a_job_in_a_slot_brings_up_the_desk(manager: StageManager, redis: store.Client) -> None:
    await submitted(Queue(redis))
    await Queue(redis).configure(slots=1)
    await Queue(redis).admit()
    await manager.step()
    assert (await Playout(redis).now()).state is StageState.COOKING


async def test_without_a_gateway_a_step_says_so() -> None:
    async with Gateway("http://127.0.0.1:9") as gateway:
        with pytest.raises(GatewayUnreachable):
            await StageManager(gateway).step()
