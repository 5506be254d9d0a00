"""Paces: how long a start and a render take here, learnt from the jobs that ended."""

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from statistics import NormalDist
from typing import cast

from sakuga.engine import EngineSpec, Preset
from sakuga.history import Ended

UNKNOWN_S = 30.0  # for an engine that nobody has told anything about
SPREAD = 0.35  # of the logarithm: two thirds of guesses before any history lie within a factor of 1.4
GUESS_WEIGHS = 0.5  # of an observation: n of them weigh n / (n + 0.5)
SEEN = 60  # observations that a pace is learnt from
FADING = 0.97  # weight of an observation against the next newer one: what is 23 back weighs half
OTHER_WEIGHS = 0.3  # one of another length or preset of the same engine, scaled to this one
COLD_AFTER_S = 60.0  # a renderer that nobody used for so long may have gone to sleep
WARM_START_S = 0.5  # before there is history; that of a cold one is learnt too
START_SPREAD = 0.8
STEPS = 512
_STANDARD = [NormalDist().inv_cdf((step + 0.5) / STEPS) for step in range(STEPS)]


@dataclass(frozen=True)
class Pace:
    """A length of time as a log-normal distribution.

    `spread` is from one render to the next; `doubt` is about the middle and the same for all renders of this kind.
    """

    middle_s: float
    spread: float
    doubt: float

    @cached_property
    def table(self) -> list[float]:
        """STEPS equally likely seconds, for drawing lots quickly."""
        return [self.middle_s * math.exp(self.spread * step) for step in _STANDARD]

    @property
    def most_s(self) -> float:
        """What nine of ten take at most."""
        return math.exp(self.logarithm.inv_cdf(0.9))

    @cached_property
    def logarithm(self) -> NormalDist:
        """The distribution of the logarithm of one single length, all doubts included."""
        return NormalDist(math.log(self.middle_s), math.hypot(self.spread, self.doubt))


@dataclass(frozen=True, slots=True)
class Seen:
    """An observation: seconds, and how much it weighs."""

    seconds: float
    weight: float


def learnt(guess_s: float, spread: float, observations: Iterable[Seen]) -> Pace:
    """Return the pace that a guess and observations (the newest first) lead to."""
    seen = list(observations)
    weights = [one.weight * FADING**age for age, one in enumerate(seen)]
    logs = [math.log(max(one.seconds, 0.05)) for one in seen]
    total = sum(weights)
    middle = (sum(map(float.__mul__, weights, logs)) + GUESS_WEIGHS * math.log(guess_s)) / (total + GUESS_WEIGHS)
    mean = sum(map(float.__mul__, weights, logs)) / total if total else middle
    scatter = sum(weight * (log - mean) ** 2 for weight, log in zip(weights, logs, strict=True))
    within = math.sqrt((scatter + (spread / 2) ** 2) / (total + 1))
    doubt = 1 / math.sqrt(total / max(within, 0.02) ** 2 + 1 / spread**2)
    return Pace(math.exp(middle), max(within, 0.02), doubt)


@dataclass
class Paces:
    """What is known of this studio's renders. `ended` has the newest first."""

    specs: Mapping[str, EngineSpec]
    ended: Sequence[Ended]
    _renders: dict[tuple[str, str, int], Pace] = field(default_factory=dict)

    def render(self, engine: str, preset: str, duration_s: float | None = None) -> Pace:
        """Return how long a render takes until its clip is ready; without `duration_s`, one of the usual length."""
        spec = self.specs.get(engine)
        frames = spec.num_frames(duration_s or spec.default_s) if spec else round((duration_s or 0) * 16)
        key = (engine, preset, frames)
        if key not in self._renders:
            seen = islice(self._renders_like(engine, preset, frames), SEEN)
            self._renders[key] = learnt(self._guess_s(engine, preset, frames), SPREAD, seen)
        return self._renders[key]

    def _renders_like(self, engine: str, preset: str, frames: int) -> Iterator[Seen]:
        spec = self.specs.get(engine)
        here_s = self._guess_s(engine, preset, frames)
        for job in self.ended:
            took_s = job.drawing_s
            if job.engine != engine or took_s is None:
                continue
            length = spec.num_frames(job.duration_s or spec.default_s) if spec else frames
            if (job.preset, length) == (preset, frames):
                yield Seen(took_s, 1.0)
            else:
                there_s = self._guess_s(engine, job.preset, length)
                yield Seen(took_s * here_s / there_s, OTHER_WEIGHS)

    def _guess_s(self, engine: str, preset: str, frames: int) -> float:
        """Return what the engine says of itself; pixels and steps are in what it says of the preset."""
        spec = self.specs.get(engine)
        if spec is None:
            return UNKNOWN_S
        recipe = spec.presets.get(cast("Preset", preset))
        usual = spec.num_frames(spec.default_s)
        return max(0.05, (recipe.typical_s if recipe else spec.typical_s) * (frames or usual) / usual)

    @cached_property
    def warm_start(self) -> Pace:
        """From admission to the start of the render, in a slot that was just busy."""
        return learnt(WARM_START_S, START_SPREAD, self._starts(cold=False))

    @cached_property
    def cold_start(self) -> Pace:
        """The same for a studio in which nothing was drawn for COLD_AFTER_S."""
        return learnt(self.warm_start.middle_s, START_SPREAD, self._starts(cold=True))

    def _starts(self, *, cold: bool) -> Iterator[Seen]:
        ends = sorted(job.ended_at for job in self.ended)
        return islice(
            (
                Seen(job.lead_s, 1.0)
                for job in self.ended
                if job.lead_s is not None and is_cold(ends, job.admitted_at) is cold
            ),
            SEEN,
        )

    @cached_property
    def again(self) -> float:
        """The share of renders that break and are begun again; a guess of 2 % counts as ten renders."""
        drawn = [job for job in self.ended if job.attempt]
        return (sum(job.attempt - 1 for job in drawn) + 0.2) / (sum(job.attempt for job in drawn) + 10)

    @cached_property
    def without_clip(self) -> float:
        """The share of jobs that give their slot back early: failed for good, or cancelled."""
        return (sum(not job.succeeded for job in self.ended) + 0.2) / (len(self.ended) + 10)

    def is_cold(self, now: float) -> bool:
        """Whether a slot that is free now may have gone to sleep."""
        return not self.ended or now - self.ended[0].ended_at > COLD_AFTER_S


def is_cold(ends: Sequence[float], admitted_at: float) -> bool:
    """Whether nothing had ended for COLD_AFTER_S before that moment; `ends` in order."""
    before = bisect_right(ends, admitted_at)
    return not before or admitted_at - ends[before - 1] > COLD_AFTER_S
