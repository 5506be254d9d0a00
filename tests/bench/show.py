"""The show: two hours of requests, renders and moderators, in which viewers are told what the real forecast says."""

import math
import time
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random

from api.outlook import outlook
from api.paces import Paces
from sakuga.engine import EngineSpec
from sakuga.history import KEPT, Ended, Judged, judged
from sakuga.job import JobStatus
from sakuga.lane import LanePolicy, lane_of
from sakuga.survey import LISTED, Row, Survey

POLICY = LanePolicy()
SPEC = EngineSpec(
    name="wan",
    summary="For the show.",
    sizes=((832, 480),),
    fps=16,
    shortest_s=1,
    longest_s=8,
    default_s=5,
    frame_step=4,
    typical_s=40,
)
CROWD = [((), 0)] * 70 + [(("subscriber",), 0)] * 20 + [((), 500)] * 8 + [((), 1500)] * 2
VIEWERS = 80
ATTEMPTS = 2
SHORT_S = 3.0  # three of ten clips are shorter than usual
START_S = 1.0
BEGINS = 1_795_154_400.0
REPORT_S = 2.0  # between two reports of progress


@dataclass(frozen=True)
class Show:
    """What happens at a show. Times in seconds; `breaks`, `leaves` and `promotes` are shares of the jobs.

    From the middle on a render takes `slows` times as long, as after a change of the card. Of those who wait
    there are at most `places`, and half as many more who paid.
    """

    slots: int = 4
    load: float = 1.1
    hours: float = 2.0
    render_s: float = 45.0
    spread: float = 0.15
    cold_start_s: float = 25.0
    sleeps_after_s: float = 120.0
    breaks: float = 0.04
    leaves: float = 0.02
    promotes: float = 0.03
    slows: float = 1.0
    places: int = 10_000
    seed: int = 1


@dataclass
class _Job:
    row: Row
    lane: str
    promised: tuple[float, float]
    attempt: int = 0
    slot: int = -1
    takes_s: float = 0.0
    breaks_at: float | None = None


@dataclass
class Stage:
    """A show that is being played, event by event."""

    show: Show
    random: Random
    now: float = BEGINS
    jobs: dict[str, _Job] = field(default_factory=dict)
    waiting: dict[str, float] = field(default_factory=dict)
    running: dict[str, _Job] = field(default_factory=dict)
    slept: list[float] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    asked: dict[int, int] = field(default_factory=dict)
    costs_s: list[float] = field(default_factory=list)
    agenda: list[tuple[float, int, str, str]] = field(default_factory=list)
    entries: int = 0

    def plan(self, after_s: float, what: str, job_id: str = "") -> None:
        self.entries += 1
        heappush(self.agenda, (self.now + after_s, self.entries, what, job_id))

    def run(self) -> None:
        self.slept = [-math.inf] * self.show.slots
        end = BEGINS + self.show.hours * 3600
        self.plan(0, "ask")
        while self.agenda:
            self.now, _, what, job_id = heappop(self.agenda)
            if what == "ask":
                if self.now < end:
                    self.ask()
                    wave = 1 + 0.3 * math.sin((self.now - BEGINS) / 1200 * math.tau)
                    each_s = 0.88 * self.show.render_s + START_S  # clips of both lengths
                    self.plan(self.random.expovariate(wave * self.show.load * self.show.slots / each_s), "ask")
            elif what == "leave":
                self.waiting.pop(job_id, None)
            elif what == "promote" and job_id in self.waiting:
                self.move(job_id, min(self.waiting.values()) - 0.001)
            elif what == "start":
                self.start(job_id)
            elif what == "break":
                self.again(job_id)
            elif what == "end":
                self.end(job_id, JobStatus.SUCCEEDED)
            self.admit()

    def ask(self) -> None:
        job_id = f"job_{len(self.jobs):06d}"
        roles, bits = self.random.choice(CROWD)
        if len(self.waiting) >= self.show.places * (1.5 if lane_of(roles, bits).paid else 1):
            return
        viewer = int(VIEWERS * self.random.random() ** 2)
        credit_s = sum(credit.seconds for credit in POLICY.credits_for(roles, bits))
        credit_s -= min(POLICY.repeat_cap_s, POLICY.repeat_s * self.asked.get(viewer, 0))
        self.asked[viewer] = self.asked.get(viewer, 0) + 1
        duration_s = SHORT_S if self.random.random() < 0.3 else SPEC.default_s
        row = Row(job_id, SPEC.name, "live", duration_s, self.now, self.now - credit_s)
        self.jobs[job_id] = _Job(row, lane_of(roles, bits), (0.0, 0.0))
        self.waiting[job_id] = row.start_number
        self.jobs[job_id].promised = self.promise(job_id)
        if self.random.random() < self.show.leaves:
            self.plan(self.random.expovariate(1 / 200), "leave", job_id)
        if self.random.random() < self.show.promotes:
            self.plan(self.random.expovariate(1 / 200), "promote", job_id)

    def move(self, job_id: str, start: float) -> None:
        self.waiting[job_id] = start
        self.jobs[job_id].row = self.jobs[job_id].row._replace(start_number=start)

    def promise(self, job_id: str) -> tuple[float, float]:
        """What the gateway tells at the moment of the request: the job waits already, and free slots are not filled."""
        survey = self.survey()
        began = time.process_time()
        span = outlook(survey, Paces({SPEC.name: SPEC}, self.ended)).by_id[job_id]
        self.costs_s.append(time.process_time() - began)
        return span.p50 - self.now, span.p90 - self.now

    def survey(self) -> Survey:
        order = sorted(self.waiting, key=lambda job_id: (self.waiting[job_id], job_id))
        return Survey(
            slots=self.show.slots,
            paused=False,
            waiting_count=len(order),
            now=self.now,
            newest="",
            running=tuple(job.row._replace(progress=self.progress(job)) for job in self.running.values()),
            waiting=tuple(self.jobs[job_id].row for job_id in order[:LISTED]),
        )

    def progress(self, job: _Job) -> float:
        """What the last report said: rises a little slower at first, as loading and text take their share."""
        if job.row.started_at is None:
            return 0.0
        reported_s = (self.now - job.row.started_at) // REPORT_S * REPORT_S
        return 100 * min(0.99, math.pow(reported_s / job.takes_s, 1.15))

    def admit(self) -> None:
        taken = {job.slot for job in self.running.values()}
        free = [slot for slot in range(self.show.slots) if slot not in taken]
        while free and self.waiting:
            job_id = min(self.waiting, key=lambda job_id: (self.waiting[job_id], job_id))
            del self.waiting[job_id]
            job = self.running[job_id] = self.jobs[job_id]
            job.slot = max(free, key=lambda slot: self.slept[slot])
            free.remove(job.slot)
            job.row = job.row._replace(admitted_at=self.now)
            asleep = self.now - self.slept[job.slot] > self.show.sleeps_after_s
            self.plan(
                self.long(START_S, 0.3) + (self.long(self.show.cold_start_s, 0.2) if asleep else 0), "start", job_id
            )

    def long(self, middle_s: float, spread: float) -> float:
        return middle_s * math.exp(self.random.gauss(0, spread))

    def start(self, job_id: str) -> None:
        job = self.running[job_id]
        job.attempt += 1
        job.row = job.row._replace(started_at=self.now)
        job.takes_s = self.long(self.show.render_s * job.row.duration_s / SPEC.default_s, self.show.spread)
        if self.now > BEGINS + self.show.hours * 1800:
            job.takes_s *= self.show.slows
        broken = self.random.random() < self.show.breaks
        self.plan(job.takes_s * (self.random.random() if broken else 1), "break" if broken else "end", job_id)

    def again(self, job_id: str) -> None:
        if self.running[job_id].attempt >= ATTEMPTS:
            self.end(job_id, JobStatus.FAILED)
            return
        job = self.running[job_id]
        job.row = job.row._replace(started_at=None)
        self.plan(self.long(START_S, 0.3), "start", job_id)

    def end(self, job_id: str, status: JobStatus) -> None:
        job = self.running.pop(job_id)
        row, self.slept[job.slot] = job.row, self.now
        entry = Ended(
            job_id=job_id,
            status=status,
            engine=row.engine,
            lane=job.lane,
            duration_s=row.duration_s,
            attempt=job.attempt,
            requested_at=row.requested_at,
            start_number=row.start_number,
            admitted_at=row.admitted_at or 0.0,
            started_at=row.started_at,
            ended_at=self.now,
            promised_p50_s=job.promised[0],
            promised_p90_s=job.promised[1],
        )
        self.ended = [entry, *self.ended[: KEPT - 1]]
        self.judged += judged([entry])
