"""The inspection: compares what clients saw, what the farm drew, what the tape tells and what the broker holds."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sakuga import store
from sakuga.budget import MICRO, micro
from sakuga.job import TERMINAL
from tests.drill.farm import BAD_ENDS, USD_PER_S
from tests.drill.findings import Findings
from tests.drill.replay import Replay
from tests.drill.show import Seen

LOST = "an accepted job is never lost"
KEYS = "one request is one job, however often it was sent"
ENDS = "each job ends exactly once, and its last status is that end"
TWICE = "no render ran twice where its handle was known"
SLOTS = "no more renders at a time than slots"
TOLD = "a clip's line in the ledger is what its render said that it cost"
BELOW = "no job's lines in the ledger are below the seconds that it was drawn"
SUMS = "the ledger's sums agree, and nothing is still reserved"
FAILED = "a job fails only where its render failed, whatever was killed"
CLIPS = "one clip for each job that succeeded, and no other"
LOG = "the log in the broker is the end of the log on the tape"
EMPTY = "nothing is left in a list of those that wait or run"
NEAR_S = 0.02  # a report and its receipt don't take the same moment


@dataclass
class Broker:
    """What the broker holds in the end."""

    statuses: dict[str, str]
    spent: dict[str, int]
    """Millionths of a dollar by job."""
    total: int = 0
    reserved: int = 0
    clips: Counter[str] = field(default_factory=Counter)
    """Job ids of the clips in the gallery."""
    events: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @classmethod
    async def read(cls, redis: store.Client, job_ids: Iterable[str]) -> "Broker":
        """Ask it."""
        told = cls({}, {})
        for job_id in job_ids:
            status, spent = await redis.hmget(store.JOB_PREFIX + job_id, "status", "spent")
            if status:
                told.statuses[job_id], told.spent[job_id] = status, int(spent or 0)
        told.total = int(await redis.get(store.SPENT_PREFIX + "total") or 0)
        told.reserved = int(await redis.hget(store.STUDIO, "reserved") or 0)
        told.clips.update(json.loads(clip)["job_id"] for clip in await redis.hvals(store.CLIP_DOCUMENTS))
        told.events = [event_id for event_id, _ in await redis.xrange(store.EVENTS)]
        for key in (store.WAITING, store.HELD, store.RUNNING, store.SLOTS, store.DEADLINES):
            told.left += [f"{key} {name}" for name in await redis.zrange(key, 0, -1)]
        return told


def inspect(
    findings: Findings, seen: Seen, farm: Sequence[dict[str, Any]], replay: Replay, broker: Broker, *, slots: int
) -> None:
    """Look whether everything was kept that the studio promises."""
    _promises(findings, seen, replay, broker)
    _drawn_once(findings, farm, replay, slots)
    _failed(findings, farm, broker)
    _paid(findings, farm, replay, broker)


def _promises(findings: Findings, seen: Seen, replay: Replay, broker: Broker) -> None:
    for key, job_id in seen.accepted.items():
        findings.look(LOST, job_id in broker.statuses, f"{key}: {job_id}")
        findings.look(KEYS, key not in seen.broken_promises, key)
    terminal = Counter(of for _, kind, of in replay.events if kind.removeprefix("job.") in TERMINAL)
    for job_id, job in replay.jobs.items():
        status = broker.statuses.get(job_id)
        once = (replay.ends[job_id], terminal[job_id]) == (1, 1) and status in TERMINAL and status == job.get("status")
        findings.look(ENDS, once, f"{job_id}: {status}, ended {replay.ends[job_id]}, told {terminal[job_id]} times")
        findings.look(CLIPS, broker.clips[job_id] == (status == "succeeded"), f"{job_id}: {status}")
    tail = [event_id for event_id, _, _ in replay.events][-len(broker.events) :]
    findings.look(LOG, tail == broker.events, f"{len(broker.events)} in the broker, {len(tail)} on the tape")
    findings.look(EMPTY, not broker.left, ", ".join(broker.left))


def _drawn_once(findings: Findings, farm: Sequence[dict[str, Any]], replay: Replay, slots: int) -> None:
    of_job = defaultdict(list)
    for render in farm:
        for earlier in of_job[render["job_id"]]:
            good = earlier["end"] not in BAD_ENDS or earlier["ended"] > render["began"]
            known = replay.handles.get(earlier["handle"]) == render["job_id"]
            told = f"{render['job_id']}: {earlier['handle']} and {render['handle']}"
            findings.look(TWICE, not (good and known), told)
        of_job[render["job_id"]].append(render)
    for render in farm:
        at = render["began"]
        beside = [other for other in farm if other["began"] <= at < (other["ended"] or at)]
        findings.look(SLOTS, len(beside) <= slots, f"{len(beside)} at {at:.3f}: {[one['handle'] for one in beside]}")


def _failed(findings: Findings, farm: Sequence[dict[str, Any]], broker: Broker) -> None:
    bad = {render["job_id"] for render in farm if render["end"] == "failed"}
    for job_id, status in broker.statuses.items():
        if status == "failed":
            findings.look(FAILED, job_id in bad, job_id)


def _paid(findings: Findings, farm: Sequence[dict[str, Any]], replay: Replay, broker: Broker) -> None:
    lines = defaultdict(list)
    by_job: Counter[str] = Counter()
    for line in replay.ledger:
        if line["type"] == "spent":
            lines[line["job_id"], int(line["attempt"])].append(int(line["usd_micro"]))
            by_job[line["job_id"]] += int(line["usd_micro"])
    drawn: Counter[str] = Counter()
    for render in farm:
        seconds = render["ended"] - render["began"]
        drawn[render["job_id"]] += seconds
        known = render["handle"] in replay.handles
        if render["end"] == "done" and known and broker.statuses.get(render["job_id"]) == "succeeded":
            found, cost = lines[render["job_id"], render["attempt"]], micro(seconds * USD_PER_S)
            findings.look(TOLD, found == [cost], f"{render['job_id']}: {found}, and it said {cost}")
    for job_id, seconds in drawn.items():
        paid_s = by_job[job_id] / MICRO / USD_PER_S
        findings.look(BELOW, paid_s >= seconds - NEAR_S, f"{job_id}: {paid_s:.3f} s paid, {seconds:.3f} s drawn")
    findings.look(SUMS, broker.total == sum(by_job.values()), f"{broker.total} and {sum(by_job.values())}")
    findings.look(SUMS, broker.reserved == 0, f"{broker.reserved} reserved")
    for job_id, spent in broker.spent.items():
        findings.look(SUMS, spent == by_job[job_id], f"{job_id}: {spent} and {by_job[job_id]}")
