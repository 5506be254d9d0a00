from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from sakuga.errors import RendererUnauthorised, RendererUnavailable
from tests.fakes.renderer import PuppetRenderer
from worker.lookout import Lookout
from worker.renderers import Readiness

LONG_S = 3600.0
WHY = RendererUnauthorised(reason="there is none")


@pytest.fixture
def puppet(tmp_path: Path) -> PuppetRenderer:
    return PuppetRenderer(tmp_path)


@pytest.fixture
async def lookout(puppet: PuppetRenderer) -> AsyncIterator[Lookout]:
    lookout = Lookout(puppet, every_s=LONG_S)
    yield lookout
    await lookout.close()


async def test_it_looks_at_once_and_then_only_now_and_then(lookout: Lookout, puppet: PuppetRenderer) -> None:
    for _ in range(3):
        lookout.follow()
        await puppet.looked(1)
    assert puppet.looks == 1


async def test_it_looks_again_after_a_while(puppet: PuppetRenderer) -> None:
    lookout = Lookout(puppet, every_s=0)
    lookout.follow()
    assert lookout._looking
    await lookout._looking
    lookout.follow()
    await puppet.looked(2)
    await lookout.close()


async def test_it_says_once_that_the_renderer_is_away_and_once_that_it_is_back(
    lookout: Lookout, puppet: PuppetRenderer
) -> None:
    well = puppet.ready
    with capture_logs() as logs:
        for ready in (well, Readiness(None, warm=False, trouble=WHY, there=False)):
            puppet.ready = ready
            assert [await lookout.found() for _ in range(2)] == [ready, ready]
        puppet.ready = well
        await lookout.found()
    assert [(log["event"], log["renderer"], log.get("code")) for log in logs] == [
        ("renderer.away", "puppet", "renderer_unauthorised"),
        ("renderer.back", "puppet", None),
    ]


async def test_a_renderer_that_can_not_say_how_it_is_is_not_ready(
    lookout: Lookout, puppet: PuppetRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent() -> Readiness:
        raise RendererUnavailable(reason="it is away")

    monkeypatch.setattr(puppet, "readiness", silent)
    assert await lookout.found() == Readiness(gpu=None, warm=False)


async def test_a_look_that_breaks_is_logged_and_no_more(
    lookout: Lookout, puppet: PuppetRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> None:
        raise KeyError

    monkeypatch.setattr(puppet, "look", broken)
    with capture_logs() as logs:
        lookout.follow()
        assert lookout._looking
        await lookout._looking
    assert logs[0]["event"] == "renderer.broke"
