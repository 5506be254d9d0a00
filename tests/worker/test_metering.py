"""What a second of an attempt is taken to cost: that of the renderer that really draws."""

import asyncio
from pathlib import Path

import pytest

from sakuga import store
from sakuga.engine import Cost
from sakuga.errors import RendererUnavailable
from sakuga.event import EventType
from sakuga.job import Job, JobStatus
from sakuga.lifecycle import Lifecycle
from sakuga.storage import Storage
from sakuga.studio_file import StudioFile
from tests.fakes.jobs import happened
from tests.fakes.renderer import SPEC, PuppetRenderer
from tests.worker.conftest import House
from worker.render import RenderTask
from worker.renderers import Renderer
from worker.renderers.chain import ChainRenderer

RENTED = SPEC.model_copy(update={"usd_per_s": 0.0012})


def run(house: House, job: Job, renderer: Renderer, file: Path = Path("no studio file")) -> asyncio.Task[None]:
    task = RenderTask(
        lifecycle=Lifecycle(house.redis),
        renderer=renderer,
        specs={SPEC.name: RENTED},
        file=StudioFile(file),
        storage=Storage.open(house.settings),
        settings=house.settings,
        pauses_s=(0.0,),
    )
    house.tasks.append(asyncio.create_task(task.run({}, job.id)))
    return house.tasks[-1]


def station(folder: Path, name: str) -> PuppetRenderer:
    renderer = PuppetRenderer(folder)
    renderer.name = name
    return renderer


async def rate(house: House, job: Job, puppet: PuppetRenderer, *, begun: int = 1) -> int:
    """Return millionths of a dollar a second, once its render has begun: the one of all that comes at `begun`."""
    await puppet.started(1)
    puppet.report("puppet-0", 0.1)
    await happened(house.redis, EventType.JOB_STARTED, times=begun)
    return int(await house.redis.hget(store.JOB_PREFIX + job.id, "meter_rate"))


@pytest.mark.parametrize(("name", "expected"), [("modal", 1200), ("local", 0), ("rehearsal", 0)])
async def test_only_what_is_rented_costs_by_itself(house: House, tmp_path: Path, name: str, expected: int) -> None:
    job, renderer = await house.admitted(), station(tmp_path, name)
    run(house, job, renderer)
    assert await rate(house, job, renderer) == expected


async def test_the_studio_file_may_say_what_the_own_card_takes(house: House, tmp_path: Path) -> None:
    (tmp_path / "studio.toml").write_text("[prices]\nlocal = 0.00005\n")
    job, renderer = await house.admitted(), station(tmp_path, "local")
    run(house, job, renderer, tmp_path / "studio.toml")
    assert await rate(house, job, renderer) == 50


async def test_of_a_chain_the_one_that_draws_has_the_price(house: House, tmp_path: Path) -> None:
    modal, local = station(tmp_path, "modal"), station(tmp_path, "local")
    chain = ChainRenderer([modal, local])
    first = await house.admitted()
    run(house, first, chain)
    assert await rate(house, first, modal) == 1200
    modal.broken_start = RendererUnavailable(reason="away")
    second = await house.admitted()
    run(house, second, chain)
    assert await rate(house, second, local, begun=2) == 0


async def test_a_start_that_failed_costs_nothing(house: House, tmp_path: Path) -> None:
    job, renderer = await house.admitted(), station(tmp_path, "modal")
    renderer.broken_start = RendererUnavailable(reason="no GPU")
    await run(house, job, renderer)
    now = await house.now(job)
    assert (now.status, now.attempt, now.spent) == (JobStatus.FAILED, 2, 0)


async def test_a_clip_costs_what_its_container_says(house: House, tmp_path: Path) -> None:
    job, renderer = await house.admitted(), station(tmp_path, "modal")
    renderer.made = {"cost": Cost(gpu="H100", seconds=6.4, usd=0.0078)}
    running = run(house, job, renderer)
    await renderer.started(1)
    renderer.finish("puppet-0")
    await running
    assert (await house.now(job)).spent == 7800


async def test_what_is_drawn_before_its_start_is_answered_costs_too_and_nothing_costs_twice(
    house: House, redis: store.Client
) -> None:
    lifecycle, job = Lifecycle(redis), await house.admitted()

    async def metered_for(attempt: int, asked_at: float) -> float:
        begun = job.model_copy(update={"attempt": attempt, "handle": f"render-{attempt}"})
        assert await lifecycle.begin_attempt(begun, usd_per_s=0.01, asked_at=asked_at)
        return await lifecycle.clock() - float(await redis.hget(store.JOB_PREFIX + job.id, "meter_at"))

    asked_at = await lifecycle.clock() - 5
    assert 5 <= await metered_for(1, asked_at) < 6
    assert await metered_for(2, asked_at) < 1  # until then the first attempt's meter ran


async def test_who_takes_an_attempt_over_pays_from_when_it_was_first_asked_for(
    house: House, redis: store.Client
) -> None:
    lifecycle, job = Lifecycle(redis), await house.admitted()
    first = job.model_copy(update={"attempt": 1})
    asked_at = await lifecycle.ask(first)
    assert await lifecycle.ask(first) == asked_at
    assert await lifecycle.ask(job.model_copy(update={"attempt": 2})) > asked_at


async def test_an_attempt_that_was_given_back_is_not_paid_for_twice(house: House, redis: store.Client) -> None:
    lifecycle, job = Lifecycle(redis), await house.admitted()
    begun = job.model_copy(update={"attempt": 1, "handle": "render-1"})
    asked_at = await lifecycle.ask(begun)
    assert await lifecycle.begin_attempt(begun, usd_per_s=0.01, asked_at=asked_at)
    assert await lifecycle.give_back_attempt(begun)
    assert await lifecycle.ask(begun) > asked_at
