"""Support: what it is worth in bits."""

import pytest

from sakuga.support import PaidPolicy, Support, SupportKind
from tests.fakes.jobs import MIKA


@pytest.mark.parametrize(
    ("kind", "amount", "bits"),
    [
        ("cheer", 150, 150),
        ("refused", 99, 99),
        ("sub", 12, 100),
        ("gift", 5, 500),
        ("raid", 300, 0),
        ("superchat", 499, 499),
        ("member", 3, 100),
    ],
)
def test_bits_are_what_they_are_and_the_rest_is_worth_what_the_table_says(
    kind: SupportKind, amount: int, bits: int
) -> None:
    assert PaidPolicy().bits_of(Support(id="1", kind=kind, viewer=MIKA, amount=amount)) == bits


def test_parts_of_a_bit_are_not_given() -> None:
    policy = PaidPolicy(superchat_bits=0.7, raid_bits=0.25)
    assert policy.bits_of(Support(id="1", kind="superchat", viewer=MIKA, amount=199)) == 139
    assert policy.bits_of(Support(id="1", kind="raid", viewer=MIKA, amount=3)) == 0
