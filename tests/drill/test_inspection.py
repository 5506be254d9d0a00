"""What the drill looks at: each promise that is broken is found, and none that is kept."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sakuga import store
from sakuga.queue import Queue
from sakuga.settings import Settings
from tests.drill import inspection, replay
from tests.drill.findings import Findings
from tests.drill.inspection import Broker, inspect
from tests.drill.replay import Replay
from tests.drill.show import Seen
from tests.drill.tape import Command, steps
from tests.fakes.jobs import submitted
from tests.fakes.valkey import Valkey


def _told(number: int, kind: str, job_id: str) -> Command:
    data = json.dumps({"job_id": job_id, "number": 1})
    return ["XADD", store.EVENTS, "MAXLEN", "~", "20000", f"{number}-0", "type", kind, "data", data]


def _change(job_id: str, kind: str = "", number: int = 0, **fields: str) -> list[Command]:
    key = store.JOB_PREFIX + job_id
    pairs = [part for pair in fields.items() for part in pair]
    event = [_told(number, kind, job_id)] if kind else []
    return [["HSET", key, *pairs], ["HINCRBY", key, "revision", "1"], *event]


def _spent(job_id: str, micro: int) -> Command:
    return ["XADD", store.LEDGER, "9-0", "type", "spent", "job_id", job_id, "attempt", "1", "usd_micro", str(micro)]


@dataclass
class World:
    """A show of two jobs in which nothing went wrong: one has a clip, one was cancelled while it waited."""

    tape: list[list[Command]] = field(
        default_factory=lambda: [
            _change("a", "job.queued", 1, status="queued", start_number="100.0", attempt="0"),
            _change("b", "job.queued", 2, status="queued", start_number="200.0", attempt="0"),
            _change("a", "job.admitted", 3, status="starting"),
            _change("a", status="starting", attempt="1", handle="farm-0"),
            _change("a", "job.started", 4, status="rendering"),
            _change("a", "job.finishing", 5, status="finishing"),
            [_spent("a", 20_000), *_change("a", "job.succeeded", 6, status="succeeded")],
            _change("b", "job.cancelled", 7, status="cancelled"),
        ]
    )
    farm: list[dict[str, Any]] = field(
        default_factory=lambda: [
            {"handle": "farm-0", "job_id": "a", "attempt": 1, "began": 1.0, "ended": 3.0, "end": "done"}
        ]
    )
    seen: Seen = field(default_factory=lambda: Seen(accepted={"k1": "a", "k2": "b"}))
    broker: Broker = field(
        default_factory=lambda: Broker(
            statuses={"a": "succeeded", "b": "cancelled"},
            spent={"a": 20_000, "b": 0},
            total=20_000,
            clips=Counter(["a"]),
            events=["5-0", "6-0", "7-0"],
        )
    )

    def broken(self) -> set[str]:
        """Return the promises that the inspection finds broken."""
        findings = Findings()
        played = Replay(findings)
        played.play(self.tape)
        inspect(findings, self.seen, self.farm, played, self.broker, slots=1)
        return set(findings.broken)

    def again(self, **changes: Any) -> None:
        """Have the render of job a drawn a second time."""
        self.farm.append(self.farm[0] | {"handle": "farm-1", "attempt": 2, "began": 3.5, "ended": 3.51} | changes)


def _overtaken(world: World) -> None:
    world.tape[1] = _change("b", "job.queued", 2, status="queued", start_number="50.0", attempt="0")


def _paused(world: World) -> None:
    world.tape.insert(2, [["HSET", store.STUDIO, "paused", "1"]])


def _silent(world: World) -> None:
    world.tape[4] = _change("a", status="rendering")
    world.broker.events = ["6-0", "7-0"]


def _risen(world: World) -> None:
    world.tape.append(_change("b", status="queued"))
    world.tape.append(_change("b", "job.cancelled", 8, status="cancelled"))
    world.broker.events.append("8-0")


def _unrevised(world: World) -> None:
    world.tape[7] = [command for command in world.tape[7] if command[0] != "HINCRBY"]


def _forgotten_end(world: World) -> None:
    world.broker.statuses["b"] = "queued"


BREAKS: list[tuple[Callable[[World], object], set[str]]] = [
    (lambda world: None, set()),
    (_overtaken, {replay.ORDER}),
    (_paused, {replay.PAUSE}),
    (_silent, {replay.EVENT}),
    (_risen, {replay.LEGAL, replay.EVENT, inspection.ENDS}),
    (_unrevised, {replay.REVISION}),
    (_forgotten_end, {inspection.ENDS}),
    (lambda world: world.seen.accept("k3", "c"), {inspection.LOST}),
    (lambda world: world.seen.accept("k1", "b"), {inspection.KEYS}),
    (lambda world: world.again(end="lost"), {inspection.TWICE}),
    (
        lambda world: world.farm.append(world.farm[0] | {"handle": "farm-1", "job_id": "b"}),
        {inspection.SLOTS, inspection.BELOW},
    ),
    (lambda world: world.tape.append([_spent("a", 1)]), {inspection.TOLD, inspection.SUMS}),
    (lambda world: world.farm[0].update(ended=4.0, end="failed"), {inspection.BELOW}),
    (lambda world: setattr(world.broker, "reserved", 5), {inspection.SUMS}),
    (lambda world: world.broker.clips.update(["b"]), {inspection.CLIPS}),
    (lambda world: world.broker.events.remove("6-0"), {inspection.LOG}),
    (lambda world: world.broker.left.append("sakuga:slots a"), {inspection.EMPTY}),
]


@pytest.mark.parametrize(("spoil", "found"), BREAKS)
def test_what_is_broken_is_found_and_nothing_else(spoil: Callable[[World], object], found: set[str]) -> None:
    world = World()
    spoil(world)
    assert world.broken() == found


def test_a_job_that_failed_though_its_render_did_not_is_found() -> None:
    world = World()
    world.tape[6][1] = ["HSET", f"{store.JOB_PREFIX}a", "status", "failed"]
    world.tape[6][-1] = _told(6, "job.failed", "a")
    world.broker.statuses["a"] = "failed"
    world.broker.clips.clear()
    assert world.broken() == {inspection.FAILED}


async def test_the_tape_tells_what_a_broker_did_across_kills(tmp_path: Path) -> None:
    settings = Settings(var_dir=tmp_path / "var")
    async with Valkey(tmp_path / "var") as valkey:
        redis = store.connect(valkey.url)
        await Queue(redis).configure(slots=1)
        jobs = [await submitted(Queue(redis)) for _ in range(2)]
        await valkey.restart()
        await Queue(redis).admit()
        await redis.aclose()
        played = Replay(Findings())
        played.play(steps(settings.var_dir / "broker" / "appendonlydir"))
    assert {job_id: job["status"] for job_id, job in played.jobs.items()} == {
        jobs[0].id: "starting",
        jobs[1].id: "queued",
    }
    assert [kind for _, kind, _ in played.events] == ["job.queued", "job.queued", "job.admitted"]
    assert played.findings.looked_at[replay.ORDER] == 1
    assert not played.findings.broken


def test_a_tape_whose_beginning_is_gone_is_refused(tmp_path: Path) -> None:
    for number in (2, 3):
        (tmp_path / f"appendonly.aof.{number}.incr.aof").touch()
    with pytest.raises(ValueError, match="folded into a snapshot"):
        list(steps(tmp_path))
