import pytest

from sakuga.lane import Lane, LanePolicy, lane_of


@pytest.mark.parametrize(
    ("roles", "bits", "lane", "credits"),
    [
        ([], 0, Lane.VIEWER, []),
        ([], 99, Lane.VIEWER, []),
        (["vip"], 0, Lane.VIP, [("vip", 120)]),
        (["subscriber"], 0, Lane.SUB, [("sub", 300)]),
        (["founder", "vip"], 0, Lane.SUB, [("sub", 300)]),
        (["moderator", "subscriber"], 0, Lane.MOD, [("mod", 600)]),
        (["broadcaster"], 0, Lane.MOD, [("mod", 600)]),
        ([], 100, Lane.BITS, [("100 bits", 60)]),
        ([], 250, Lane.BITS, [("250 bits", 120)]),
        (["subscriber"], 300, Lane.BITS, [("sub", 300), ("300 bits", 180)]),
        ([], 1_000_000, Lane.BITS, [("1000000 bits", 900)]),
    ],
)
def test_roles_and_bits_earn_a_lane_and_its_head_start(
    roles: list[str], bits: int, lane: Lane, credits: list[tuple[str, float]]
) -> None:
    assert lane_of(roles, bits) is lane
    assert [(c.reason, c.seconds) for c in LanePolicy().credits_for(roles, bits)] == credits


@pytest.mark.parametrize(("cap_s", "each_s", "bits"), [(900, 60, 1500), (100, 60, 200), (900, 0, 100), (0, 60, 100)])
def test_the_most_bits_that_earn_anything_follow_from_the_cap(cap_s: float, each_s: float, bits: int) -> None:
    assert LanePolicy(bits_cap_s=cap_s, hundred_bits_s=each_s).bits_most == bits
