import pytest

from sakuga import store
from sakuga.playout import Playout
from sakuga.stage import StageState


@pytest.fixture
def playout(redis: store.Client) -> Playout:
    return Playout(redis)


async def test_a_fresh_stage_is_idle_and_has_no_manager(playout: Playout) -> None:
    assert (await playout.now()).state is StageState.IDLE
    assert not await playout.managed()


async def test_a_result_has_an_end_a_revision_and_is_remembered_as_shown(playout: Playout) -> None:
    assert await playout.show(StageState.RESULT, "clip_1", 5.0)
    now = await playout.now()
    assert (now.state, now.clip_id, now.last_result, now.revision) == (StageState.RESULT, "clip_1", "clip_1", 1)
    assert now.until is not None
    assert now.until - now.since == pytest.approx(5)
    await playout.show(StageState.GALLERY, "clip_0", 5.0)
    assert (await playout.now()).last_result == "clip_1"


async def test_saying_the_same_again_changes_nothing_but_tells_that_the_manager_lives(
    playout: Playout, redis: store.Client
) -> None:
    await playout.show(StageState.COOKING, None, None)
    assert not await playout.show(StageState.COOKING, None, None)
    assert (await playout.now()).revision == 1
    assert await playout.managed()
    assert await redis.xlen(store.EVENTS) == 1
