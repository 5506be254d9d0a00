"""How right the estimates are in simulated shows, and what they cost."""

import statistics
import sys
import time
from dataclasses import dataclass, replace
from random import Random

from api.outlook import outlook
from api.paces import Paces
from sakuga.survey import Row, Survey
from tests.bench.show import SPEC, Show, Stage


@dataclass(frozen=True)
class Verdict:
    """How right the estimates of a show were, and what they cost."""

    jobs: int
    error: float
    mean_error: float
    bias: float
    covered: float
    typical_ms: float
    slowest_ms: float

    def __str__(self) -> str:
        """One line."""
        return (
            f"{self.jobs:4} clips   p50 off by {self.error:5.1%} (mean {self.mean_error:5.1%}, bias {self.bias:+5.1%})"
            f"   under p90 {self.covered:5.1%}   {self.typical_ms:4.1f} ms each, slowest {self.slowest_ms:4.1f}"
        )


def play(show: Show) -> Verdict:
    """Play a show to its end and judge what was promised in it."""
    stage = Stage(show, Random(show.seed))
    stage.run()
    errors = [one.error for one in stage.judged]
    return Verdict(
        jobs=len(errors),
        error=statistics.median(map(abs, errors)),
        mean_error=statistics.fmean(map(abs, errors)),
        bias=statistics.median(errors),
        covered=statistics.fmean(one.kept for one in stage.judged),
        typical_ms=statistics.median(stage.costs_s) * 1000,
        slowest_ms=max(stage.costs_s) * 1000,
    )


SHOWS = {
    "4 slots, 110 %": Show(),
    "4 slots, 80 %": Show(load=0.8),
    "2 slots, 110 %": Show(slots=2),
    "1 slot, 110 %": Show(slots=1),
    "1 slot, 60 %": Show(slots=1, load=0.6),
    "2 slots, 100 %, rough": Show(slots=2, load=1.0, breaks=0.12, leaves=0.06, promotes=0.08, spread=0.3),
    "4 slots, 150 %, 10 places": Show(load=1.5, places=10),
    "1 slot, 150 %, 10 places": Show(slots=1, load=1.5, places=10),
    "4 slots, slower later": Show(load=0.85, slows=1.3),
}


def cost(sizes: tuple[int, ...] = (0, 15, 200, 500), turns: int = 5) -> None:
    """Print what one outlook takes of a processor, by jobs that wait; there is one per change of the queue."""
    paces = Paces({SPEC.name: SPEC}, [])
    print("one outlook at 4 slots, ms of one core, by jobs waiting")
    for size in sizes:
        row = Row("", SPEC.name, "live", SPEC.default_s, 900.0, 900.0, 980.0, 981.0, 40.0)
        busy = tuple(row._replace(job_id=f"running_{number}") for number in range(4))
        waiting = tuple(row._replace(job_id=f"waiting_{number}", started_at=None) for number in range(size))
        survey = Survey(4, False, size, 1000.0, "", busy, waiting)
        began = time.process_time()
        for _ in range(turns):
            outlook(survey, paces)
        print(f"  {size:5} {(time.process_time() - began) / turns * 1000:6.1f}")


def shows(seeds: int = 2) -> None:
    """Print how right the estimates were in shows of several kinds."""
    print(f"estimates in simulated shows of two hours, {seeds} seeds each")
    for name, show in SHOWS.items():
        for seed in range(1, seeds + 1):
            print(f"  {name:26} {play(replace(show, seed=seed))}")


if __name__ == "__main__":
    cost()
    shows(*map(int, sys.argv[1:2]))
