"""Who pays for boot and idle, and for which GPU."""

from typing import Any

import pytest
from modal.exception import ServiceError

from gpu.cloud.meter import Meter, asked_for
from gpu.price import GPU_USD_PER_S


class Ledger(dict[str, dict[str, Any]]):
    """A Dict that may be away."""

    away = False

    def values(self) -> Any:
        if self.away:
            raise ServiceError
        return super().values()

    def put(self, key: str, value: dict[str, Any]) -> bool:
        if self.away:
            raise ServiceError
        self[key] = value
        return True


def meter(ledger: Ledger, *, boot_s: float = 30.0, engine: str = "wan") -> Meter:
    return Meter(ledger, engine, boot_s=boot_s, idle_s=60.0)  # type: ignore[arg-type]


def test_the_first_clip_ever_is_charged_as_if_it_were_alone() -> None:
    assert meter(Ledger()).overhead_s == 90


def test_later_containers_share_what_was_counted() -> None:
    ledger = Ledger()
    first = meter(ledger)
    for _ in range(4):
        first.drew(2.5)
    first.close()
    (counted,) = ledger.values()
    assert (counted["clips"], counted["busy_s"]) == (4, 10)
    assert counted["alive_s"] == pytest.approx(30, abs=1)
    assert meter(ledger).overhead_s == pytest.approx((30 - 10) / 4, abs=1)


def test_engines_do_not_pay_for_each_other() -> None:
    ledger = Ledger()
    meter(ledger, engine="ltx").drew(1.0)
    assert meter(ledger).overhead_s == 90


def test_time_that_was_all_drawing_is_charged_once() -> None:
    ledger = Ledger()
    meter(ledger, boot_s=0.0).drew(50.0)
    assert meter(ledger).overhead_s == 0


def test_a_ledger_that_is_away_changes_an_estimate_and_nothing_else() -> None:
    ledger = Ledger()
    ledger.away = True
    found = meter(ledger)
    found.drew(1.0)
    found.close()
    assert found.overhead_s == 90


@pytest.mark.parametrize("entry", [{"engine": "wan"}, {"engine": "wan", "boots": 3}, {}, None])
def test_an_entry_that_another_version_wrote_keeps_no_container_from_starting(entry: Any) -> None:
    found = meter(Ledger({"wan.other": entry}))
    found.drew(1.0)
    assert found.overhead_s == 90


@pytest.mark.parametrize(
    ("device", "gpus", "asked"),
    [
        ("NVIDIA H100 80GB HBM3", ("H100", "L40S"), "H100"),
        ("NVIDIA L40S", ("H100", "L40S"), "L40S"),
        ("NVIDIA A100-SXM4-80GB", ("H100", "A100-80GB"), "A100-80GB"),
        ("NVIDIA A100 80GB PCIe", ("A100-40GB", "A100-80GB"), "A100-80GB"),
        ("NVIDIA L4", ("L40S",), "L4"),
        ("NVIDIA A10G", ("L4",), "A10"),
        ("Tesla T4", ("H100",), "T4"),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", ("H100",), "RTX-PRO-6000"),
        ("NVIDIA H200", ("H100!", "H200"), "H200"),
        ("NVIDIA B200", ("B200+",), "B200+"),
        ("NVIDIA H200", ("H100", "L40S"), "H200"),
        ("a card of next year", ("H100", "L40S"), "H100"),
        ("", ("H100",), "H100"),
        ("cpu", (), ""),
    ],
)
def test_the_gpu_that_is_paid_for_is_told_by_the_card_that_came(device: str, gpus: tuple[str, ...], asked: str) -> None:
    assert asked_for(device, gpus) == asked
    assert not asked or asked.strip("!+") in GPU_USD_PER_S
