from typing import Any

import pytest

from api.outlook import AGES_S, Outlook, outlook
from api.paces import Paces
from sakuga.history import Ended
from sakuga.survey import Row, Survey
from tests.api.test_paces import SPEC, ended

NOW = 10_000.0
KNOWN = [ended(40 + number % 5, at=NOW - 10 - 45 * number) for number in range(30)]  # nobody has head start


def row(name: str, *, credit_s: float = 0, **changes: Any) -> Row:
    return Row(name, "wan", "live", 5.0, NOW, NOW - credit_s)._replace(**changes)


def look(*waiting: Row, running: tuple[Row, ...] = (), slots: int = 1, history: list[Ended] | None = None) -> Outlook:
    survey = Survey(slots, False, len(waiting), NOW, "", running, waiting)
    return outlook(survey, Paces({"wan": SPEC}, KNOWN if history is None else history))


def many(count: int) -> list[Row]:
    at = [NOW - 2000 + number for number in range(count)]
    return [row(f"job_{number}", requested_at=at[number], start_number=at[number]) for number in range(count)]


def test_each_place_further_back_takes_one_render_more() -> None:
    seen = look(*many(3))
    assert [seen.by_id[f"job_{number}"].p50 - NOW for number in range(3)] == [
        pytest.approx(43, abs=3),
        pytest.approx(86, abs=6),
        pytest.approx(129, abs=9),
    ]
    assert seen.at(1) == seen.by_id["job_0"]


def test_slots_share_the_queue() -> None:
    seen = look(*many(4), slots=2)
    assert [seen.by_id[f"job_{number}"].p50 - NOW for number in (1, 3)] == [
        pytest.approx(43, abs=4),
        pytest.approx(86, abs=6),
    ]


def test_nine_of_ten_take_longer_than_half_do() -> None:
    assert all(span.p90 > span.p50 for span in look(*many(5)).by_id.values())


def test_a_running_job_takes_what_is_left_of_it() -> None:
    busy = row("busy", admitted_at=NOW - 31, started_at=NOW - 30)
    seen = look(*many(1), running=(busy,))
    assert seen.by_id["busy"].p50 - NOW == pytest.approx(12, abs=3)
    assert seen.by_id["job_0"].p50 - NOW == pytest.approx(12 + 43, abs=6)


def test_the_further_a_render_is_the_more_its_own_pace_says() -> None:
    def left_s(progress: float) -> float:
        busy = row("busy", admitted_at=NOW - 31, started_at=NOW - 30, progress=progress)
        return look(running=(busy,), history=[]).by_id["busy"].p50 - NOW

    assert 10 < left_s(10) < 100  # its own pace says 270 s, the engine 10 s
    assert left_s(90) == pytest.approx(30 / 0.9 * 0.1, abs=2)


def test_a_render_that_takes_longer_than_any_before_is_not_called_ready() -> None:
    busy = row("busy", admitted_at=NOW - 501, started_at=NOW - 500)
    assert look(running=(busy,)).by_id["busy"].p50 > NOW + 5


def test_a_job_that_has_not_started_yet_has_its_start_before_it() -> None:
    slow = [ended(40, at=NOW - 10 - 60 * number, lead_s=15) for number in range(20)]
    fresh = look(running=(row("fresh", admitted_at=NOW),), history=slow)
    assert fresh.by_id["fresh"].p50 - NOW == pytest.approx(55, abs=5)


def test_a_studio_that_slept_has_a_cold_start_before_it() -> None:
    cold = [ended(40, at=NOW - 1000 - 1000 * number, lead_s=30) for number in range(20)]
    assert look(*many(1), history=cold).by_id["job_0"].p50 - NOW == pytest.approx(70, abs=8)


def test_those_who_come_with_head_start_lengthen_the_wait_of_who_has_none() -> None:
    subs = [one.model_copy(update={"start_number": one.requested_at - 600}) for one in KNOWN]
    queue = [row(f"job_{number}", start_number=NOW - 60 + number) for number in range(10)]
    quiet, rush = look(*queue), look(*queue, history=subs)
    assert rush.by_id["job_9"].p50 > quiet.by_id["job_9"].p50 + 100
    paid = [row(f"job_{number}", start_number=NOW - 2000 + number) for number in range(10)]
    assert look(*paid, history=subs).by_id["job_9"].p50 == pytest.approx(quiet.by_id["job_9"].p50, rel=0.05)


def test_renders_that_often_break_lengthen_every_wait() -> None:
    rough = [one.model_copy(update={"attempt": 2}) for one in KNOWN]
    assert look(*many(8), history=rough).by_id["job_7"].p50 > look(*many(8)).by_id["job_7"].p50 + 60


def test_slots_that_are_given_back_early_shorten_it() -> None:
    given_up = [one.model_copy(update={"status": "cancelled"}) for one in KNOWN[:15]] + KNOWN[15:]
    assert look(*many(8), history=given_up).by_id["job_7"].p50 < look(*many(8)).by_id["job_7"].p50 - 30


def test_the_same_queue_has_the_same_outlook() -> None:
    assert look(*many(5)) == look(*many(5))


def test_who_would_ask_now_comes_after_all_and_places_that_were_not_simulated_follow_at_the_same_rate() -> None:
    seen = look(*many(20))
    last, far = seen.at(21), seen.at(1021)
    assert last is not None
    assert far is not None
    assert last.p50 > seen.by_id["job_19"].p50
    assert far.p50 - last.p50 == pytest.approx(1000 * 43, rel=0.1)
    idle = look().at(1)
    assert idle is not None
    assert idle.p50 - NOW == pytest.approx(43, abs=4)
    third = look().at(3)
    assert third is not None
    assert third.p50 - NOW == pytest.approx(3 * 43, abs=10)


def test_more_renders_run_than_there_are_slots_after_these_were_cut() -> None:
    busy = tuple(row(f"busy_{number}", admitted_at=NOW - 11, started_at=NOW - 10) for number in range(3))
    assert look(*many(1), running=busy, slots=1).by_id["job_0"].p50 - NOW > 30 + 40


def test_an_outlook_is_stale_once_a_job_should_be_ready() -> None:
    seen = look(*many(3))
    assert seen.stale_at == seen.by_id["job_0"].p50
    assert look().stale_at == NOW + AGES_S
