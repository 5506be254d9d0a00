"""What a rented container says that a render cost."""

from collections.abc import Callable
from typing import Any

import modal
import pytest
from grpclib import Status

from gpu.cloud import container
from sakuga.engine import Cost, RenderResult
from tests.fakes.modal_deploy import FakeWorkspace

pytestmark = pytest.mark.filterwarnings("ignore:.*executing locally and will not have access:UserWarning")


async def test_a_failed_render_says_what_it_cost_as_well(draw: Callable[..., Any]) -> None:
    answer = await draw(prompt="stumble")
    cost = Cost.model_validate(answer["cost"])
    assert cost.gpu in {"H100", "L40S"}
    assert 0 < cost.usd_overhead < cost.usd


async def test_boot_and_idle_are_shared_by_what_containers_of_the_engine_counted(
    fake: FakeWorkspace, draw: Callable[..., Any]
) -> None:
    # Given two containers of last week, alive for 100 s with 20 s of drawing, five clips in all
    ledger = modal.Dict.from_name("sakuga-ledger", create_if_missing=True)
    await ledger.put.aio("puppet.a", {"engine": "puppet", "alive_s": 60.0, "busy_s": 15.0, "clips": 3})
    await ledger.put.aio("puppet.b", {"engine": "puppet", "alive_s": 40.0, "busy_s": 5.0, "clips": 2})
    await ledger.put.aio("other.c", {"engine": "other", "alive_s": 900.0, "busy_s": 5.0, "clips": 1})
    # When a clip is drawn
    cost = RenderResult.model_validate((await draw())["result"]).cost
    # Then it is charged a fifth of the 80 s in which nothing was drawn
    assert cost
    per_second = (cost.usd - cost.usd_overhead) / cost.seconds
    assert cost.usd_overhead / per_second == pytest.approx(16.0)
    # And this container counts for the next ones
    mine = [
        entry for key, entry in fake.kept("sakuga-ledger").items() if key not in {"puppet.a", "puppet.b", "other.c"}
    ]
    assert [entry["clips"] for entry in mine] == [1]


async def test_a_restored_container_is_charged_no_boot_that_was_another_ones(
    draw: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "BORN_AS", "ta-of-the-snapshot")
    monkeypatch.setattr(container, "BORN", 0.0)
    cost = RenderResult.model_validate((await draw())["result"]).cost
    assert cost
    per_second = (cost.usd - cost.usd_overhead) / cost.seconds
    assert cost.usd_overhead / per_second == pytest.approx(container.IDLE_S)


async def test_prices_are_those_of_the_workspace_where_modal_tells_them(
    fake: FakeWorkspace, draw: Callable[..., Any]
) -> None:
    fake.rates = {"gpu/l40s": "0.0004", "cpu": "0.0000131", "memory": "0.00000222"}
    cost = RenderResult.model_validate((await draw())["result"]).cost
    assert cost
    assert cost.rates == "workspace"
    memory_gib = 29  # 20.5 GB on the card, rounded up, and 8 to spare
    per_second = 0.0004 + 4 * 0.0000131 + memory_gib * 0.00000222
    assert cost.usd - cost.usd_overhead == pytest.approx(per_second * cost.seconds)


@pytest.mark.parametrize("how", ["refused", "odd"])
async def test_a_bill_that_cannot_be_asked_for_stops_no_render(
    fake: FakeWorkspace, draw: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how == "refused":
        fake.troubles["WorkspaceBillingRates"] = (Status.PERMISSION_DENIED, "not for containers")
    else:
        monkeypatch.setattr(fake, "WorkspaceBillingRates", fake.WorkspaceNameLookup)
    cost = RenderResult.model_validate((await draw())["result"]).cost
    assert cost
    assert cost.rates == "table"
