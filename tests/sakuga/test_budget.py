"""What a second of drawing costs, and money in whole millionths."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sakuga.budget import BudgetPolicy, Price, Prices, dollars, micro
from tests.fakes.renderer import SPEC

RENTED = SPEC.model_copy(update={"usd_per_s": 0.0012})


@given(st.integers(0, 10**12))
@example(65_568_396_913)
@example(68_719_476_735)
def test_whole_millionths_come_back_as_they_were(amount: int) -> None:
    assert micro(dollars(amount)) == amount


@pytest.mark.parametrize(
    ("usd", "expected"), [(0, 0), (0.07, 70_000), (0.0000001, 1), (0.07 * 3, 210_000), (1.0000011, 1_000_002)]
)
def test_what_is_less_than_a_millionth_is_rounded_up(usd: float, expected: int) -> None:
    assert micro(usd) == expected


def test_only_full_hundreds_of_bits_count() -> None:
    assert BudgetPolicy(usd_per_100_bits=0.25).of_bits(399) == 750_000
    assert BudgetPolicy().of_bits(100_000) == 0


@pytest.mark.parametrize(
    ("prices", "renderer", "expected"),
    [
        (Prices(), "modal", Price(0.0012, "engine")),
        (Prices(modal=0.002), "modal", Price(0.002, "studio file")),
        (Prices(modal=0), "modal", Price(0, "studio file")),
        (Prices(), "local", Price(0, "none")),
        (Prices(local=0.0001), "local", Price(0.0001, "studio file")),
        (Prices(modal=0.002), "rehearsal", Price(0, "none")),
        (Prices(modal=0.002), "puppet", Price(0, "none")),
    ],
)
def test_the_studio_file_comes_before_the_engine_and_only_modal_rents(
    prices: Prices, renderer: str, expected: Price
) -> None:
    assert prices.of(renderer, RENTED) == expected


def test_an_engine_without_a_price_costs_nothing_that_we_know_of() -> None:
    assert Prices().of("modal", SPEC) == Prices().of("modal") == Price(0, "none")
