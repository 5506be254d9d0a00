"""A short drill: the long one is `make drill`."""

from pathlib import Path

from tests.drill import inspection, replay
from tests.drill.drill import Plan, drill

PROMISES = {
    *(replay.LEGAL, replay.EVENT, replay.REVISION, replay.ORDER, replay.PAUSE, replay.ONCE),
    *(inspection.LOST, inspection.KEYS, inspection.ENDS, inspection.SLOTS, inspection.TOLD, inspection.BELOW),
    *(inspection.SUMS, inspection.CLIPS, inspection.LOG, inspection.EMPTY),
}


async def test_a_show_in_which_gateways_workers_and_the_broker_are_killed_keeps_every_promise(tmp_path: Path) -> None:
    report = await drill(Plan(seed=7, minutes=0.25, kills=6, per_minute=200), tmp_path)
    assert not report.findings.broken, str(report)
    assert {name: count > 0 for name, count in report.kills.items()} == dict.fromkeys(("api", "worker", "valkey"), True)
    assert sum(report.kills.values()) == 6
    assert set(report.findings.looked_at) >= PROMISES
    assert report.counts["succeeded"] > 10
