import pytest

from api.forecast import Estimate, Forecast, whole_seconds
from api.outlook import outlook
from api.paces import Paces
from sakuga.job import Job, JobStatus
from sakuga.lane import Lane
from sakuga.queue import Board
from sakuga.survey import Row, Survey
from tests.api.test_outlook import KNOWN, NOW
from tests.api.test_paces import SPEC
from tests.bench.estimates import play
from tests.bench.show import Show
from tests.fakes.jobs import MIKA


def job(name: str = "job_1", **changes: object) -> Job:
    document = {
        "id": name,
        "number": 1,
        "status": JobStatus.QUEUED,
        "prompt": "cat",
        "style": "anime",
        "engine": "wan",
        "duration_s": 5,
        "seed": 1,
        "requested_by": MIKA,
        "lane": Lane.VIEWER,
        "requested_at": 0,
        "start_number": 0,
    }
    return Job.model_validate(document | changes)


def forecast(*waiting: str, paused: bool = False, later_s: float = 0) -> Forecast:
    rows = tuple(Row(name, "wan", "live", 5.0, NOW, NOW) for name in waiting)
    survey = Survey(1, paused, len(rows), NOW, "", (), rows)
    paces = Paces({"wan": SPEC}, KNOWN)
    board = Board(slots=1, paused=paused, waiting_count=len(rows), now=NOW + later_s, running=[])
    return Forecast(board, outlook(survey, paces), paces, ("wan", "live"))


def test_a_waiting_job_is_promised_the_likely_time_and_one_that_holds_in_nine_of_ten_cases() -> None:
    estimate = forecast("job_0", "job_1").estimate(job(), 2)
    assert estimate is not None
    assert estimate.p50_s == pytest.approx(86, abs=6)
    assert 1.02 < estimate.p90_s / estimate.p50_s < 1.4


def test_the_moment_stays_the_same_while_nothing_happens() -> None:
    now, later = forecast("job_1"), forecast("job_1", later_s=10)
    assert now.until_ready_s(job(), 1) == pytest.approx((later.until_ready_s(job(), 1) or 0) + 10)


def test_a_job_that_came_after_the_outlook_is_told_by_its_place() -> None:
    seen = forecast("job_0", "job_1")
    assert seen.until_ready_s(job("job_9"), 1) == seen.until_ready_s(job("job_0"), 1)
    assert (seen.until_ready_s(job("job_9"), 3) or 0) > (seen.until_ready_s(job("job_1"), 2) or 0)


def test_a_job_that_began_after_the_outlook_is_told_by_what_renders_take() -> None:
    begun = job("job_9", status=JobStatus.RENDERING, started_at=NOW)
    estimate = forecast(later_s=10).estimate(begun, None)
    assert estimate is not None
    assert estimate.p50_s == pytest.approx(32, abs=3)


def test_nobody_is_promised_anything_by_a_paused_queue_nor_while_held_nor_at_the_end() -> None:
    assert forecast("job_1", paused=True).estimate(job(), 1) is None
    assert forecast("job_1").estimate(job(status=JobStatus.HELD), None) is None
    assert forecast("job_1").estimate(job(status=JobStatus.SUCCEEDED), None) is None


def test_what_runs_in_a_paused_queue_gets_ready() -> None:
    assert forecast(paused=True).estimate(job(status=JobStatus.RENDERING, started_at=NOW), None) is not None


def test_a_job_that_is_late_is_told_a_second_and_nobody_zero() -> None:
    assert forecast("job_1", later_s=500).until_ready_s(job(), 1) == 1
    assert whole_seconds(None) is None
    assert (whole_seconds(0.0), whole_seconds(7.2)) == (1, 8)


def test_between_two_clips_there_is_one_render_and_its_start() -> None:
    assert forecast().seconds_each() == pytest.approx(43, abs=1)


@pytest.mark.parametrize(
    ("p50_s", "p90_s", "words"),
    [
        (3, 8, "a few seconds"),
        (8, 14, "a few seconds, at most 20 s"),
        (38, 40, "about 40 s"),
        (38, 52, "about 40 s, at most 60"),
        (80, 130, "about 80 s, at most 3 min"),
        (118, 200, "about 2 min, at most 4"),
        (118, 120, "about 2 min"),
        (600, 5500, "about 10 min, at most 2 h"),
        (7200, 9000, "about 2 h, at most 3"),
    ],
)
def test_an_estimate_is_said_in_few_words(p50_s: float, p90_s: float, words: str) -> None:
    assert Estimate(p50_s, p90_s).words == words


@pytest.mark.parametrize("show", [Show(slots=1), Show(slots=2, load=1.0, seed=4)])
def test_in_a_show_of_two_hours_the_estimates_are_right(show: Show) -> None:
    verdict = play(show)
    assert verdict.jobs > 150
    assert verdict.error < 0.2
    assert 0.85 <= verdict.covered <= 0.95


def test_a_job_whose_model_is_loading_for_longer_than_a_warm_one_takes_has_no_eta() -> None:
    def loading(since: float) -> Job:
        return job("job_9", status=JobStatus.RENDERING, stage="loading", admitted_at=since, started_at=since)

    assert forecast().until_ready_s(loading(NOW - 2), None) is not None
    assert forecast().until_ready_s(loading(NOW - 10), None) is None
