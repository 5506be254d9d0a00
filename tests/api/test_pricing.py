"""What a clip will cost, before it is drawn."""

import pytest

from api.paces import Paces
from api.pricing import foreseen, price_of
from sakuga.budget import Prices
from sakuga.history import Ended
from sakuga.job import JobStatus
from tests.fakes.renderer import SPEC

RATE = 0.001
RENTED = SPEC.model_copy(update={"usd_per_s": RATE})
ASKED = (SPEC.name, "live", 5.0)
PRICES = Prices(local=0.0001, rehearsal=0.00001)


def ended(number: int, *, spent: int, drawing_s: float = 3.0, engine: str = SPEC.name) -> Ended:
    at = 1000.0 + number * 10
    return Ended(
        job_id=f"job_{number}",
        status=JobStatus.SUCCEEDED,
        engine=engine,
        duration_s=5.0,
        requested_at=at,
        start_number=at,
        admitted_at=at,
        started_at=at + 1,
        ended_at=at + 1 + drawing_s,
        spent=spent,
    )


@pytest.mark.parametrize(
    ("renderers", "expected"),
    [
        (["modal"], RATE),
        (["modal,local"], RATE),
        (["local,modal"], RATE),
        (["rehearsal", "local"], 0.0001),
        (["puppet"], 0),
        ([], RATE),
    ],
)
def test_the_dearest_that_may_draw_has_the_price_and_without_a_worker_that_is_any(
    renderers: list[str], expected: float
) -> None:
    assert price_of(RENTED, PRICES, [{"renderer": name} for name in renderers]).usd_per_s == expected


def test_what_is_free_is_foreseen_to_be_free() -> None:
    assert foreseen(Paces({SPEC.name: SPEC}, []), 0.0, ASKED) == 0


def test_before_there_is_history_a_clip_costs_its_render_and_a_start() -> None:
    paces = Paces({SPEC.name: SPEC}, [])
    assert foreseen(paces, RATE, ASKED) == pytest.approx((SPEC.typical_s + paces.cold_start.middle_s) * 1000, abs=1)


def test_a_longer_clip_costs_more() -> None:
    paces = Paces({SPEC.name: SPEC}, [])
    assert foreseen(paces, RATE, (SPEC.name, "live", 8.0)) > foreseen(paces, RATE, ASKED)


def test_what_came_on_top_of_drawing_is_learnt_from_the_bills_of_the_same_engine() -> None:
    # Given clips of 3 s that each cost as much as 12 s, as with a GPU that waits between them
    bills = [ended(number, spent=12_000) for number in range(20, 0, -1)]
    others = [ended(number, spent=900_000, engine="other") for number in range(20, 0, -1)]
    free = [ended(number, spent=0) for number in range(20, 0, -1)]
    # Then the next one is foreseen to cost that
    assert foreseen(Paces({SPEC.name: SPEC}, [*others, *free, *bills]), RATE, ASKED) == pytest.approx(12_000, rel=0.1)
