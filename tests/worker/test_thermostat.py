import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sakuga.errors import RendererNotDeployed
from tests.fakes.renderer import PuppetRenderer
from worker.thermostat import Thermostat

LONG_S = 3600.0


@pytest.fixture
def puppet(tmp_path: Path) -> PuppetRenderer:
    return PuppetRenderer(tmp_path)


@pytest.fixture
async def thermostat(puppet: PuppetRenderer) -> AsyncIterator[Thermostat]:
    thermostat = Thermostat(puppet, pauses_s=(0.0, LONG_S), again_s=LONG_S)
    yield thermostat
    puppet.broken_warmth = None
    await thermostat.close()


async def followed(thermostat: Thermostat, wish: bool | None) -> None:
    """Say the wish as the upkeep does, again and again."""
    for _ in range(5):
        thermostat.follow(wish)
        if thermostat._asking:
            await thermostat._asking


async def test_while_nobody_wished_nothing_is_asked(thermostat: Thermostat, puppet: PuppetRenderer) -> None:
    await followed(thermostat, None)
    assert puppet.asked == []


async def test_each_wish_is_asked_once(thermostat: Thermostat, puppet: PuppetRenderer) -> None:
    for wish in (False, True, False):
        await followed(thermostat, wish)
    assert puppet.asked == ["cool", "warm", "cool"]
    assert not puppet.ready.warm


async def test_a_redis_that_forgot_the_wish_keeps_no_gpu(thermostat: Thermostat, puppet: PuppetRenderer) -> None:
    await followed(thermostat, True)
    await followed(thermostat, None)
    assert puppet.asked == ["warm", "cool"]


async def test_a_warm_renderer_is_asked_again_after_a_while(puppet: PuppetRenderer) -> None:
    thermostat = Thermostat(puppet, again_s=0)
    thermostat.follow(wish=True)
    await puppet.was_asked(1)
    thermostat.follow(wish=True)
    await puppet.was_asked(2)
    assert puppet.asked == ["warm", "warm"]
    await thermostat.close()


async def test_a_wish_waits_for_the_one_under_way(
    thermostat: Thermostat, puppet: PuppetRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = asyncio.Event()
    monkeypatch.setattr(puppet, "warm", loaded.wait)
    thermostat.follow(wish=True)
    thermostat.follow(wish=False)
    assert puppet.asked == []
    loaded.set()
    await followed(thermostat, False)
    assert puppet.asked == ["cool"]


@pytest.mark.parametrize(
    ("error", "code"), [(RendererNotDeployed(app="sakuga"), "renderer_not_deployed"), (ValueError(), "unexpected")]
)
async def test_an_error_is_told_by_its_code_and_tried_again_with_pauses(
    thermostat: Thermostat, puppet: PuppetRenderer, error: Exception, code: str
) -> None:
    puppet.broken_warmth = error
    await followed(thermostat, True)
    assert puppet.asked == ["warm", "warm"]
    assert thermostat.trouble is not None
    assert thermostat.trouble.code == code


async def test_a_new_wish_is_tried_at_once_and_ends_the_trouble(thermostat: Thermostat, puppet: PuppetRenderer) -> None:
    puppet.broken_warmth = RendererNotDeployed(app="sakuga")
    await followed(thermostat, True)
    puppet.broken_warmth = None
    await followed(thermostat, False)
    assert (puppet.asked[-1], thermostat.trouble) == ("cool", None)


@pytest.mark.parametrize(("wish", "asked"), [(True, ["warm", "cool"]), (False, ["cool"]), (None, [])])
async def test_a_gpu_that_was_kept_is_let_go_of_at_the_end(
    puppet: PuppetRenderer, wish: bool | None, asked: list[str]
) -> None:
    thermostat = Thermostat(puppet)
    await followed(thermostat, wish)
    await thermostat.close()
    assert puppet.asked == asked


async def test_a_gpu_that_is_being_let_go_of_at_the_end_is_not_forgotten_over_it(
    puppet: PuppetRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a show that has ended, and a renderer that is slow to be cooled
    thermostat = Thermostat(puppet)
    await followed(thermostat, True)
    with monkeypatch.context() as patch:
        patch.setattr(puppet, "cool", asyncio.Event().wait)
        thermostat.follow(wish=False)
        await asyncio.sleep(0)
    # When the studio is closed meanwhile
    await thermostat.close()
    # Then it is cooled
    assert puppet.asked == ["warm", "cool"]


async def test_nothing_is_let_go_of_while_jobs_run_or_wait(thermostat: Thermostat, puppet: PuppetRenderer) -> None:
    await followed(thermostat, True)
    # Given a wish for a cool renderer between two jobs
    thermostat.follow(wish=False, busy=True)
    thermostat.follow(wish=None, busy=True)  # it is forgotten before the queue is empty
    assert puppet.asked == ["warm"]
    # When the last one is done
    await followed(thermostat, None)
    # Then it is heard
    assert puppet.asked == ["warm", "cool"]


async def test_a_busy_studio_is_warmed_all_the_same(thermostat: Thermostat, puppet: PuppetRenderer) -> None:
    thermostat.follow(wish=True, busy=True)
    await puppet.was_asked(1)
    assert puppet.asked == ["warm"]
