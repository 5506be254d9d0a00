from dataclasses import replace
from types import SimpleNamespace
from unittest.mock import AsyncMock, patch

import pytest

from api import forecaster
from api.forecaster import Forecaster
from api.outlook import Outlook, outlook
from api.paces import Paces
from sakuga import store
from sakuga.queue import Queue
from sakuga.survey import Survey
from tests.api.test_paces import SPEC, ended
from tests.fakes.jobs import submitted
from tests.fakes.lives import drawn

WAN = {"wan": SPEC}
USUAL = ("wan", "live")


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> list[Survey]:
    """The surveys that a simulation was made of."""
    seen: list[Survey] = []

    def counted(survey: Survey, paces: Paces) -> Outlook:
        seen.append(survey)
        return outlook(survey, paces)

    monkeypatch.setattr(forecaster, "outlook", counted)
    monkeypatch.setattr(forecaster, "REST", 0)
    return seen


async def test_a_queue_is_simulated_once_per_change_and_not_per_poll(
    redis: store.Client, simulated: list[Survey]
) -> None:
    queue, maker = Queue(redis), Forecaster(redis)
    job = await submitted(queue, engine="wan")
    said = [(await maker.forecast(await queue.board(), WAN, USUAL)).outlook.by_id[job.id] for _ in range(5)]
    assert len(simulated) == 1
    assert len(set(said)) == 1
    await submitted(queue, engine="wan")
    await maker.forecast(await queue.board(), WAN, USUAL)
    await queue.configure(slots=2)
    await maker.forecast(await queue.board(), WAN, USUAL)
    assert len(simulated) == 3


async def test_after_a_long_look_there_is_none_for_a_while_and_a_new_job_is_told_by_its_place(
    redis: store.Client, simulated: list[Survey], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecaster, "REST", 1e6)
    queue, maker = Queue(redis), Forecaster(redis)
    await maker.forecast(await queue.board(), WAN, USUAL)
    late = await submitted(queue, engine="wan")
    told = (await maker.forecast(await queue.board(), WAN, USUAL)).estimate(late, 3)
    assert len(simulated) == 1
    assert told is not None
    assert told.p50_s == pytest.approx(120, abs=15)


async def test_who_asks_after_a_silence_is_promised_no_less_than_a_drawing_takes(redis: store.Client) -> None:
    queue, maker = Queue(redis), Forecaster(redis)
    first = await maker.forecast(await queue.board(), WAN, USUAL)
    later = SimpleNamespace(survey=AsyncMock(return_value=replace(first.outlook.survey, now=first.board.now + 30)))
    with patch.object(maker, "_surveyor", later), patch.object(maker, "_rest_until", 0.0):
        again = await maker.forecast(await queue.board(), WAN, USUAL)
    before, after = first.outlook.at(1), again.outlook.at(1)
    assert before is not None
    assert after is not None
    assert after.p50 - before.p50 == pytest.approx(30, abs=1)


async def test_what_a_clip_took_is_known_to_the_next_forecast(redis: store.Client, simulated: list[Survey]) -> None:
    queue, maker = Queue(redis), Forecaster(redis)
    before = await maker.forecast(await queue.board(), WAN, USUAL)
    slow = [ended(200, at=2000 + number).model_dump_json() for number in range(20)]
    await redis.lpush(store.ENDED, *slow)
    after = await maker.forecast(await queue.board(), WAN, USUAL)
    assert before.seconds_each() == pytest.approx(40, abs=2)
    assert after.seconds_each() > 150
    await drawn(redis)
    assert len((await maker.forecast(await queue.board(), WAN, USUAL)).paces.ended) == 21
