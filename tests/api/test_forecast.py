import pytest

from api.forecast import Forecast, whole_seconds
from sakuga.job import Job, JobStatus
from sakuga.lane import Lane
from sakuga.queue import Board
from tests.fakes.jobs import MIKA


def running(*, started_at: float | None, progress: float = 0) -> Job:
    return Job(
        id="job_1",
        number=1,
        status=JobStatus.RENDERING,
        prompt="cat",
        style="anime",
        engine="wan",
        duration_s=5,
        seed=1,
        requested_by=MIKA,
        lane=Lane.VIEWER,
        requested_at=0,
        start_number=0,
        started_at=started_at,
        progress=progress,
    )


def forecast(*jobs: Job, slots: int = 1, paused: bool = False, history: float | None = 10) -> Forecast:
    seconds_each = {} if history is None else {"wan/live": history}
    board = Board(slots, paused, 0, now=1000.0, seconds_each=seconds_each, running=list(jobs))
    return Forecast(board, {"wan/live": 40, "wan/draft": 15})


def test_the_next_job_of_an_idle_studio_takes_one_render() -> None:
    assert forecast().ready_s(1, "wan/live") == 10
    assert forecast(history=None).ready_s(1, "wan/live") == 40
    assert forecast(history=None).ready_s(1, "unheard-of/live") == 30


def test_each_preset_has_a_history_of_its_own() -> None:
    assert forecast().ready_s(1, "wan/draft") == 15
    assert forecast(running(started_at=None)).ready_s(1, "wan/draft") == 10 + 15
    assert forecast().seconds_each() == 10


def test_each_place_further_back_takes_one_render_more() -> None:
    assert [forecast().ready_s(place, "wan/live") for place in (1, 2, 3)] == [10, 20, 30]


def test_slots_share_the_queue() -> None:
    assert [forecast(slots=2).ready_s(place, "wan/live") for place in (1, 2, 3, 4, 5)] == [10, 10, 20, 20, 30]


def test_a_running_job_is_judged_by_history_first_and_by_its_own_pace_then() -> None:
    assert forecast().left_s(running(started_at=None)) == 10
    assert forecast().left_s(running(started_at=997.0, progress=2)) == 7
    assert forecast().left_s(running(started_at=996.0, progress=20)) == pytest.approx(16)


def test_who_waits_waits_for_what_runs() -> None:
    assert forecast(running(started_at=996.0, progress=50)).ready_s(1, "wan/live") == pytest.approx(14)


def test_a_paused_queue_promises_nothing_and_nobody_is_told_zero() -> None:
    assert forecast(paused=True).ready_s(1, "wan/live") is None
    assert whole_seconds(None) is None
    assert (whole_seconds(0.0), whole_seconds(7.2)) == (1, 8)


def test_a_job_whose_model_is_loading_for_longer_than_a_warm_one_takes_has_no_eta() -> None:
    def loading(since: float) -> Job:
        return running(started_at=since).model_copy(update={"stage": "loading"})

    assert forecast().until_ready_s(loading(998.0), None) == 8
    assert forecast().until_ready_s(loading(990.0), None) is None
    assert forecast().until_ready_s(running(started_at=990.0), None) == 1
