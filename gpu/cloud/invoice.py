"""The invoice: what Modal says that was charged. It is kept apart from estimates, which clips carry."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import modal
from modal.exception import InvalidError, PermissionDeniedError, UnimplementedError

from gpu.price import AS_OF, GPU_USD_PER_S, HOUR, rates_from

NO_REPORT = (
    "Modal gives no report per app on this plan (Team and Enterprise have it). "
    "The whole workspace's sum is at https://modal.com/settings/usage."
)


async def invoice(client: modal.Client, app: str, days: int) -> str:
    """Return what the app was charged on each of the last days, as far as Modal tells, and the workspace's month.

    Raises what modal raises, but for a plan that has no reports.
    """
    workspace = modal.Workspace.from_context(client=client)
    parts = [await _days(workspace, app, days), await _month(workspace), await _rates(workspace)]
    return "\n\n".join(part for part in parts if part)


async def _days(workspace: modal.Workspace, app: str, days: int) -> str:
    begin = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
    try:
        items = await workspace.billing.report.aio(start=begin, resolution="d", tag_names=["*"])
    except (PermissionDeniedError, InvalidError, UnimplementedError):
        return NO_REPORT
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for item in items:
        if item.description == app:
            sums[f"{item.interval_start:%Y-%m-%d}"] += item.cost
    lines = [f"  {day}  {usd:8.2f} USD" for day, usd in sorted(sums.items())]
    total = sum(sums.values(), Decimal())
    head = f"Charged by Modal for {app}, whole days in UTC:"
    return "\n".join([head, *(lines or ["  nothing"]), f"  {'sum':10}  {total:8.2f} USD"])


async def _month(workspace: modal.Workspace) -> str:
    try:
        month = await workspace.billing.summary.aio()
    except (PermissionDeniedError, InvalidError, UnimplementedError):
        return ""
    return f"This month, everything in the workspace: {month.metered_cost:.2f} USD, billed {month.billed_cost:.2f} USD."


async def _rates(workspace: modal.Workspace) -> str:
    try:
        rates = rates_from(await workspace.billing.rates.aio())
    except (PermissionDeniedError, InvalidError, UnimplementedError):
        rates = rates_from({})
    told = ", ".join(f"{gpu} {rates.of(gpu) or 0:.6f}" for gpu in ("L40S", "A100-80GB", "H100", "H200"))
    source = "your workspace's" if rates.own else f"the table of {AS_OF}"
    hour = (rates.of("H100") or GPU_USD_PER_S["H100"]) * HOUR
    return f"USD per second ({source}): {told}. An H100 for an hour is {hour:.2f} USD."
