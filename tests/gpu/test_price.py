from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu.engines import ENGINES, find_spec
from gpu.price import (
    CORE_USD_PER_S,
    CORES,
    CREDIBLE,
    GIB_USD_PER_S,
    GPU_USD_PER_S,
    TABLE,
    Show,
    cost,
    listed_as,
    memory_gib,
    rates_from,
    usd_per_s,
)

seconds = st.floats(0, 1e5, allow_nan=False)
gpus = st.sampled_from(sorted(GPU_USD_PER_S))
BESIDE = {"cores": 4.0, "memory_gib": 28.0}


def test_four_seconds_on_an_h100_cost_half_a_cent():
    found = cost(gpu="H100", seconds=4.0, **BESIDE)
    assert found.usd == pytest.approx(4 * (0.001097 + 4 * 0.0000131 + 28 * 0.00000222))
    assert (found.gpu, found.seconds, found.usd_overhead, found.rates) == ("H100", 4.0, 0.0, "table")


@given(gpu=gpus, drawn=seconds, overhead=seconds)
def test_boot_and_idle_cost_as_much_as_drawing_and_are_told_apart(gpu, drawn, overhead):
    together = cost(gpu=gpu, seconds=drawn, overhead_s=overhead, **BESIDE)
    alone = cost(gpu=gpu, seconds=drawn, **BESIDE)
    assert together.seconds == drawn
    assert together.usd - together.usd_overhead == pytest.approx(alone.usd, abs=1e-9)
    assert 0 <= together.usd_overhead <= together.usd


@given(gpu=gpus, shorter=seconds, longer=seconds)
def test_more_seconds_never_cost_less(gpu, shorter, longer):
    shorter, longer = sorted((shorter, longer))
    assert cost(gpu=gpu, seconds=shorter, **BESIDE).usd <= cost(gpu=gpu, seconds=longer, **BESIDE).usd


def test_what_was_asked_for_is_what_is_paid_for():
    plain = cost(gpu="H100", seconds=10, **BESIDE)
    assert cost(gpu="H100!", seconds=10, **BESIDE).usd == plain.usd
    assert cost(gpu="h100:2", seconds=10, cores=0.125, memory_gib=0).usd == pytest.approx(
        10 * (2 * 0.001097 + 0.125 * CORE_USD_PER_S)
    )
    assert cost(gpu="A100", seconds=10, **BESIDE).usd == cost(gpu="A100-40GB", seconds=10, **BESIDE).usd
    assert cost(gpu="B200+", seconds=10, **BESIDE).usd == cost(gpu="B200", seconds=10, **BESIDE).usd


@pytest.mark.parametrize("gpu", ["", "cpu", "RTX 4090", "H100:many", "H1000"])
def test_a_gpu_without_a_price_costs_nothing_that_we_know_of(gpu):
    assert cost(gpu=gpu, seconds=10, **BESIDE) is None


def test_a_second_of_an_engine_costs_its_first_gpu_with_cores_and_memory():
    spec = find_spec("wan2.1-t2v-1.3b")
    expected = cost(gpu=spec.gpus[0], seconds=1, cores=CORES, memory_gib=memory_gib(spec)).usd
    assert usd_per_s(spec) == expected == pytest.approx(0.001212, abs=1e-6)
    assert usd_per_s(spec, "L4") < usd_per_s(spec)


@pytest.mark.parametrize(("name", "gpu"), [("rehearsal", None), ("rehearsal", "H100"), ("wan2.1-t2v-1.3b", "RTX 4090")])
def test_a_second_of_what_is_not_rented_has_no_price(name, gpu):
    assert usd_per_s(find_spec(name), gpu) == 0


def test_every_engine_that_is_rented_has_a_price():
    rented = [find_spec(name) for name in ENGINES if find_spec(name).gpus]
    assert all(usd_per_s(spec) > 0 for spec in rented)


def test_a_clock_that_went_back_makes_no_negative_bill():
    assert cost(gpu="L4", seconds=-3, overhead_s=-1, **BESIDE).usd == 0


@pytest.mark.parametrize(
    ("device", "gpu"),
    [
        ("NVIDIA H100 80GB HBM3", "H100"),
        ("NVIDIA H200", "H200"),
        ("NVIDIA A100-SXM4-80GB", "A100-80GB"),
        ("NVIDIA A100-SXM4-40GB", "A100-40GB"),
        ("NVIDIA A10G", "A10"),
        ("NVIDIA L4", "L4"),
        ("NVIDIA L40S", "L40S"),
        ("Tesla T4", "T4"),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", "RTX-PRO-6000"),
        ("NVIDIA GeForce RTX 4090", None),
        ("cpu", None),
    ],
)
def test_a_card_is_found_in_the_price_list_by_the_name_that_torch_has_for_it(device, gpu):
    assert listed_as(device) == gpu


@pytest.mark.parametrize(
    "key", ["H100", "gpu_h100", "NVIDIA H100 80GB", "gpu.H100.usd_per_second", "GpuH100", "modal/gpu-h100"]
)
@pytest.mark.parametrize("unit", [1, 60, 3600])
def test_a_workspaces_own_price_is_found_under_whatever_name_and_unit(key, unit):
    rates = rates_from({key: Decimal("0.0009") * unit, "memory_gib": "0.000003", "cpu_core": 0.00002})
    assert rates.of("H100") == pytest.approx(0.0009)
    assert (rates.core, rates.gib) == (pytest.approx(0.00002), pytest.approx(0.000003))
    found = cost(gpu="H100!", seconds=1, cores=1, memory_gib=1, rates=rates)
    assert found.rates == "workspace"
    assert found.usd == pytest.approx(0.000923)
    assert cost(gpu="L4", seconds=1, cores=1, memory_gib=1, rates=rates).rates == "table"


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"H100": "free"},
        {"H100": "NaN"},
        {"H100": 0},
        {"H100": -1},
        {"H100 sandbox": "0.0011"},
        {"h100_credits": 1000},
        {"Volume": "0.09"},
        {"gpu_memory": "0.00000222"},
    ],
)
def test_what_can_not_be_told_stays_as_in_the_table(found):
    assert rates_from(found) == TABLE


@given(st.dictionaries(st.text(max_size=30), st.one_of(st.floats(), st.text(max_size=8), st.decimals()), max_size=12))
def test_no_price_list_breaks_the_bill_or_makes_it_incredible(found):
    rates = rates_from(found)
    for gpu, known in GPU_USD_PER_S.items():
        assert known / CREDIBLE <= rates.of(gpu) <= known * CREDIBLE
    assert GIB_USD_PER_S / CREDIBLE <= rates.gib <= GIB_USD_PER_S * CREDIBLE


def test_a_show_pays_for_each_burst_once():
    spread, bursts = Show(bursts=30, boot_s=10, idle_s=60), Show(bursts=6, boot_s=10, idle_s=60)
    assert spread.billed_s(4) == 30 * 4 + 30 * 70
    assert bursts.billed_s(4) == 30 * 4 + 6 * 70
    assert Show(kept_warm=True, boot_s=10).billed_s(4) == 7210
    assert Show(kept_warm=True, hours=1, clips=1000).billed_s(4) == 4000


@given(gpu=gpus, clip_s=st.floats(0.1, 600), bursts=st.integers(1, 30), idle=st.floats(0, 300))
def test_a_shows_cost_is_that_of_its_billed_seconds(gpu, clip_s, bursts, idle):
    show = Show(bursts=bursts, boot_s=10, idle_s=idle)
    found = show.cost(gpu=gpu, clip_s=clip_s, **BESIDE)
    assert found.usd == pytest.approx(cost(gpu=gpu, seconds=show.billed_s(clip_s), **BESIDE).usd)
    assert found.usd - found.usd_overhead == pytest.approx(cost(gpu=gpu, seconds=30 * clip_s, **BESIDE).usd)
