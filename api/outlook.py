"""The outlook: when each job of the queue is ready, by simulating what may happen many times over."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush, heapreplace
from itertools import accumulate, repeat
from random import Random
from typing import NamedTuple

from api.paces import STEPS, Pace, Paces
from sakuga.survey import Row, Survey

LOTS = 8_000  # renders that are drawn lots for: about 10 ms
FEWEST, MOST = 40, 120  # courses that are simulated
RECENT_S = 1200.0  # how far back arrivals are counted
YOUNG_S = 300.0  # a studio younger than that is taken to be so old: two quick requests are no rush
SEED = 1917  # the same queue has the same outlook, whoever asks
HORIZON_S = 3600.0
AGES_S = 1.0  # as long an outlook holds for who asks next, while a slot is free
LEFTS = 64
ROUNDS = 6  # simulated renders in each slot tell the rate at which it goes on; fewer don't
WAVES = 0.25  # requests come in waves: by so much, as a logarithm, the next minutes differ from the last


class Span(NamedTuple):
    """When a clip is ready, in seconds since 1970: half of the courses have it by `p50`, nine of ten by `p90`."""

    p50: float
    p90: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """The spans by job id, and by place for jobs that aren't known by id: the next, …, and who would ask now."""

    survey: Survey
    by_id: Mapping[str, Span]
    by_place: Sequence[Span]
    each_s: float
    """Seconds between two clips while jobs wait."""

    @property
    def stale_at(self) -> float:
        """When it is time to think again: a job should have been ready that isn't, or a free slot waited for nobody."""
        survey = self.survey
        free = not survey.waiting and len(survey.running) < survey.slots  # who asks later is ready so much later
        ages_at = survey.now + AGES_S if free else math.inf
        return min((ages_at, *(span.p50 for span in self.by_id.values())))

    def at(self, place: int) -> Span | None:
        """Return the span of a place (1 is next); beyond what was simulated it grows on as it did before."""
        known = self.by_place
        if not known:
            return None
        if place <= len(known):
            return known[place - 1]
        last, half, more = known[-1], known[len(known) // 2], place - len(known)
        if len(known) < ROUNDS * self.survey.slots:
            return Span(last.p50 + self.each_s * more, last.p90 + self.each_s * more)
        steps = len(known) - 1 - len(known) // 2
        return Span(last.p50 + (last.p50 - half.p50) / steps * more, last.p90 + (last.p90 - half.p90) / steps * more)


def arrivals(survey: Survey, paces: Paces) -> tuple[list[float], float]:
    """Return the head starts, in seconds, of the requests of the last twenty minutes, and over how long they came."""
    asked = [(row.requested_at, row.credit_s) for row in (*survey.running, *survey.waiting)]
    asked += [(job.requested_at, job.credit_s) for job in paces.ended]
    oldest = min((at for at, _ in asked), default=survey.now)
    over_s = min(RECENT_S, max(YOUNG_S, survey.now - oldest))
    return [credit_s for at, credit_s in asked if at >= survey.now - over_s], over_s


def outlook(survey: Survey, paces: Paces) -> Outlook:
    """Simulate the queue's future and return what comes of it. The same arguments lead to the same result."""
    courses = max(FEWEST, min(MOST, LOTS // (len(survey.waiting) + len(survey.running) + 1)))
    course = _Course(survey, paces)
    ready: list[list[float]] = [[] for _ in range(len(survey.running) + len(survey.waiting) + 1)]
    for _ in range(courses):
        for ends, end in zip(ready, course.run(), strict=True):
            ends.append(end)
    spans = [_span(ends) for ends in ready]
    rows = (*survey.running, *survey.waiting)
    by_id = {row.job_id: span for row, span in zip(rows, spans, strict=False)}
    by_place = spans[len(survey.running) :]
    unseen = survey.waiting_count > len(survey.waiting)  # then who asks now isn't next to the last that was simulated
    each_s = (course.usual.middle_s + paces.warm_start.middle_s) / survey.slots
    return Outlook(survey, by_id, by_place[:-1] if unseen else by_place, each_s)


def _span(ends: list[float]) -> Span:
    ends.sort()
    return Span(ends[len(ends) // 2], ends[min(len(ends) - 1, math.ceil(len(ends) * 0.9))])


class _Course:
    """One possible future after the other, of the same queue. One more job waits at the end: who asks next."""

    def __init__(self, survey: Survey, paces: Paces) -> None:
        self._random = Random(SEED)  # noqa: S311 - lots, no secrets
        self._survey = survey
        self._paces = paces
        last = survey.waiting[-1] if survey.waiting else None
        usual = last or (survey.running[-1] if survey.running else None)
        engine = usual.engine if usual else next(iter(paces.specs), "")
        asks = Row("", engine, usual.preset if usual else "live", usual.duration_s if usual else 0.0, 0.0, survey.now)
        self._starts = [*(row.start_number for row in survey.waiting), survey.now]
        rows = (*survey.waiting, asks)
        renders = [paces.render(row.engine, row.preset, row.duration_s) for row in rows]
        self.usual = renders[-1]
        kinds = list(dict.fromkeys(renders))
        self._doubts = [pace.doubt for pace in kinds]
        self._renders = [(pace.table, kinds.index(pace)) for pace in renders]
        self._lefts = [[survey.now + left_s for left_s in lefts(row, survey.now, paces)] for row in survey.running]
        self._cold = paces.is_cold(survey.now)
        credits_s, self._over_s = arrivals(survey, paces)
        reach_s = max(self._starts) - survey.now  # who comes with a credit of c overtakes somebody up to reach + c
        self._credits_s = [credit_s for credit_s in credits_s if reach_s + credit_s > 0]
        self._windows_s = [min(HORIZON_S, reach_s + credit_s) for credit_s in self._credits_s]
        self._reach = list(accumulate(self._windows_s))

    def run(self) -> list[float]:
        """Return when each running and each waiting job is ready in one course."""
        random, paces, now = self._random.random, self._paces, self._survey.now
        running = [left[int(random() * LEFTS)] for left in self._lefts]
        busy = sorted(running)[max(0, len(running) - self._survey.slots) :]
        slots = [*repeat(now, self._survey.slots - len(busy)), *busy]  # in order, and so a heap
        luck = [math.exp(doubt * self._random.gauss()) for doubt in self._doubts]
        starts = (paces.warm_start, paces.cold_start)
        tables = [pace.table for pace in starts]
        fate = [math.exp(pace.doubt * self._random.gauss()) for pace in starts]
        again, without = paces.again, paces.without_clip
        coming = self._coming()
        ahead: list[float] = []
        ready: list[float] = []
        for start, (table, kind) in zip(self._starts, self._renders, strict=True):
            factor = luck[kind]
            while True:
                at = slots[0]
                while coming and coming[-1][0] <= at:
                    heappush(ahead, coming.pop()[1])
                overtaken = bool(ahead) and ahead[0] < start
                asleep = self._cold and at <= now
                lead_s = tables[asleep][int(random() * STEPS)] * fate[asleep]
                took_s = table[int(random() * STEPS)] * factor
                if random() < again:
                    lead_s += took_s * random() + tables[0][int(random() * STEPS)]
                end = at + lead_s + took_s
                heapreplace(slots, end if random() >= without else at + lead_s + took_s * random())
                if not overtaken:
                    ready.append(end)
                    break
                heappop(ahead)
        return running + ready

    def _coming(self) -> list[tuple[float, float]]:
        """Return who may yet come and overtake: (time, start number), the soonest last.

        It is a Poisson process for each request of the recent past, all drawn at once.
        """
        seen = len(self._credits_s)
        if not seen:
            return []
        draw, now = self._random, self._survey.now
        rate = draw.gammavariate(seen + 0.5, 1) / seen * math.exp(WAVES * draw.gauss())  # known no better than that
        mean = self._reach[-1] / self._over_s * rate
        count = max(0, round(draw.gauss(mean, math.sqrt(mean))))
        coming: list[tuple[float, float]] = []
        for which in draw.choices(range(seen), cum_weights=self._reach, k=count):
            at = now + self._windows_s[which] * draw.random()
            coming.append((at, at - self._credits_s[which]))
        coming.sort(reverse=True)
        return coming


def lefts(row: Row, now: float, paces: Paces) -> list[float]:
    """Return LEFTS equally likely seconds that a running job still takes, by what it has done already."""
    render = paces.render(row.engine, row.preset, row.duration_s)
    shares = [(step + 0.5) / LEFTS for step in range(LEFTS)]
    if row.started_at is not None:
        elapsed_s = max(0.01, now - row.started_at)
        return _beyond(_paced(render, elapsed_s, row.progress / 100), elapsed_s, shares)
    elapsed_s = max(0.0, now - (row.admitted_at or now))
    start = paces.cold_start if paces.is_cold(row.admitted_at or now) else paces.warm_start
    draws = [render.logarithm.inv_cdf(share) for share in shares]
    Random(SEED).shuffle(draws)  # noqa: S311 - lots, no secrets
    return [begins_s + math.exp(draw) for begins_s, draw in zip(_beyond(start, elapsed_s, shares), draws, strict=True)]


def _beyond(pace: Pace, elapsed_s: float, shares: Sequence[float]) -> list[float]:
    """Return what is left of lengths that are longer than what has passed; beyond all experience it goes on a while."""
    seen = pace.logarithm.cdf(math.log(elapsed_s)) if elapsed_s > 0 else 0.0
    if seen > 0.995:  # noqa: PLR2004 - nobody knows: a tenth of what has passed, or more
        return [-0.1 * elapsed_s * math.log(1 - share) for share in shares]
    inverse = pace.logarithm.inv_cdf
    return [max(0.0, math.exp(inverse(seen + (1 - seen) * share)) - elapsed_s) for share in shares]


def _paced(render: Pace, elapsed_s: float, done: float) -> Pace:
    """Return the pace of a render that has come so far: the further, the more its own pace says."""
    if done <= 0:
        return render
    own = math.log(elapsed_s / min(done, 1.0))
    doubt = 0.02 + 0.5 * (1 - done)  # progress isn't even: loading, text and decoding are guessed shares of it
    known = math.hypot(render.spread, render.doubt)
    weight = known**2 / (known**2 + doubt**2)
    middle = math.log(render.middle_s) * (1 - weight) + own * weight
    return Pace(math.exp(middle), max(0.01, math.sqrt(1 / (1 / known**2 + 1 / doubt**2))), 0.0)
