import pytest

from sakuga import store
from sakuga.warmth import Warmth


async def test_while_nobody_ever_wished_there_is_no_wish(redis: store.Client) -> None:
    assert await Warmth(redis).wished() is None


async def test_a_wish_for_a_warm_renderer_ends_by_itself(redis: store.Client) -> None:
    warmth = Warmth(redis)
    wish = await warmth.wish(warm=True, seconds=60)
    assert wish.until is not None
    found = await warmth.wished()
    assert found is not None
    assert found.until is not None
    assert (found.warm, round(found.until - wish.until, 2)) == (True, 0)
    await warmth.wish(warm=True, seconds=-1)
    assert await warmth.wished() is None


async def test_a_wish_for_a_cool_renderer_is_heard_by_every_worker_and_then_forgotten(
    redis: store.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    warmth = Warmth(redis)
    await warmth.wish(warm=True, seconds=3600)
    await warmth.wish(warm=False, seconds=3600)
    found = await warmth.wished()
    assert found is not None
    assert not found.warm
    monkeypatch.setattr("sakuga.warmth.HEARD_S", -1.0)
    await warmth.wish(warm=False, seconds=3600)
    assert await warmth.wished() is None


async def test_a_wish_can_be_ended(redis: store.Client) -> None:
    warmth = Warmth(redis)
    await warmth.wish(warm=True, seconds=60)
    await warmth.forget()
    assert await warmth.wished() is None
