"""The replay: plays the tape, and looks at each step whether it was allowed, complete and in order."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from sakuga import store
from sakuga.job import RUNNING, TERMINAL, TRANSITIONS, JobStatus
from tests.drill.findings import Findings
from tests.drill.tape import Command

LEGAL = "a job changes only as its life allows"
EVENT = "each change of status stands in the log, in the same step"
REVISION = "each change of status is a new revision"
ORDER = "who is admitted had the lowest start number of all who waited"
PAUSE = "nobody is admitted in a pause"
ONCE = "a handle is one job's"

EVENTS = {
    (None, JobStatus.QUEUED): "job.queued",
    (JobStatus.HELD, JobStatus.QUEUED): "job.approved",
    (None, JobStatus.STARTING): "job.admitted",
    (None, JobStatus.RENDERING): "job.started",
}


@dataclass
class Replay:
    """The studio as the tape tells it, up to the step that was played last."""

    findings: Findings
    jobs: dict[str, dict[str, str]] = field(default_factory=dict)
    studio: dict[str, str] = field(default_factory=dict)
    events: list[tuple[str, str, str]] = field(default_factory=list)
    """Id, type, and job id or nothing."""
    ledger: list[dict[str, str]] = field(default_factory=list)
    handles: dict[str, str] = field(default_factory=dict)
    """Job id by each handle that was ever written down."""
    ends: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    """How often a job ended."""
    requeued: int = 0

    def play(self, steps: Iterable[list[Command]]) -> None:
        """Play a tape to its end."""
        for step in steps:
            self.step(step)

    def step(self, step: list[Command]) -> None:
        """Play what was changed together."""
        before: dict[str, dict[str, str]] = {}
        told = len(self.events)
        for name, key, *rest in (command for command in step if len(command) > 1):
            what = name.upper()
            if key.startswith(store.JOB_PREFIX):
                job_id = key.removeprefix(store.JOB_PREFIX)
                job = self.jobs.setdefault(job_id, {})
                before.setdefault(job_id, dict(job))
                self._changed(job_id, job, what, rest)
            elif key == store.STUDIO and what == "HSET":
                self.studio |= dict(zip(rest[::2], rest[1::2], strict=True))
            elif what == "XADD" and key in {store.EVENTS, store.LEDGER}:
                self._written(key, rest)
        for job_id, was in before.items():
            self._compare(job_id, was, {kind for _, kind, of in self.events[told:] if of == job_id})

    def _changed(self, job_id: str, job: dict[str, str], what: str, rest: list[str]) -> None:
        match what:
            case "HSET" | "HMSET":
                change = dict(zip(rest[::2], rest[1::2], strict=True))
                if change.get("status") == JobStatus.STARTING and job.get("status") == JobStatus.QUEUED:
                    self._admitted(job_id)
                if handle := change.get("handle"):
                    self.findings.look(ONCE, self.handles.setdefault(handle, job_id) == job_id, handle)
                job |= change
            case "HINCRBY":
                job[rest[0]] = str(int(job.get(rest[0], "0")) + int(rest[1]))
            case "HDEL":
                for name in rest:
                    job.pop(name, None)
            case "DEL" | "UNLINK":
                job.clear()

    def _admitted(self, job_id: str) -> None:
        def turn(of: str) -> tuple[float, str]:
            return float(self.jobs[of]["start_number"]), of

        waiting = [other for other, job in self.jobs.items() if job.get("status") == JobStatus.QUEUED]
        first = min(waiting, key=turn)
        self.findings.look(ORDER, job_id == first, f"{turn(job_id)} was admitted before {turn(first)}")
        self.findings.look(PAUSE, self.studio.get("paused") != "1", job_id)

    def _written(self, key: str, rest: list[str]) -> None:
        begins = rest.index("type")
        fields = dict(zip(rest[begins::2], rest[begins + 1 :: 2], strict=True))
        if key == store.LEDGER:
            self.ledger.append(fields)
        else:
            of = str(json.loads(fields["data"]).get("job_id", ""))
            self.events.append((rest[begins - 1], fields["type"], of))

    def _compare(self, job_id: str, was: dict[str, str], told: set[str]) -> None:
        now = self.jobs[job_id]
        old, new = was.get("status"), now.get("status")
        begun = now.get("attempt", "0") != was.get("attempt", "0") and int(now.get("attempt", "0")) > 1
        if old == new and not begun:
            return
        line = f"{job_id}: {old} -> {new}, {sorted(told)}"
        if old is None:
            self.findings.look(LEGAL, new in {JobStatus.QUEUED, JobStatus.HELD}, line)
        else:
            self.findings.look(LEGAL, new in TRANSITIONS[JobStatus(old)], line)
        self.findings.look(REVISION, int(now["revision"]) > int(was.get("revision", "0")), line)
        if new in TERMINAL:
            self.ends[job_id] += 1
        expected = self._event(old, str(new), begun=begun)
        if expected:
            self.findings.look(EVENT, expected in told, line)
        elif old in RUNNING and new == JobStatus.QUEUED:
            self.requeued += 1

    @staticmethod
    def _event(old: str | None, new: str, *, begun: bool) -> str | None:
        if new == JobStatus.STARTING and old != JobStatus.QUEUED:
            return "job.retried" if begun else None
        if old in RUNNING and new == JobStatus.QUEUED:
            return None
        return EVENTS.get((old, new)) or EVENTS.get((None, new)) or f"job.{new}"
