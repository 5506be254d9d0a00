"""The history: how long the last jobs took here, and what they had been promised."""

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sakuga import store
from sakuga.job import JobStatus, pace
from sakuga.log import get_logger

log = get_logger("history")

KEPT = 600
"""Jobs: at 100 an hour the last six hours, and 60 each of ten kinds. About 180 kB."""
NEWS = 16  # entries that are asked for at first: more seldom ended since the last reading


class Ended(BaseModel):
    """A job that had a slot and has ended. Engine and preset are those that drew it, if it was; they settle its size.

    Times are seconds since 1970 by the broker's clock. The promise was made when the job was accepted.
    """

    model_config = ConfigDict(frozen=True)

    job_id: str
    status: JobStatus
    engine: str
    preset: str = "live"
    lane: str = "viewer"
    duration_s: float = Field(default=0.0, description="Of the clip, as it was asked for.")
    attempt: int = 1
    requested_at: float
    start_number: float
    admitted_at: float
    started_at: float | None = None
    ended_at: float
    render_s: float | None = Field(default=None, description="As the worker measured it, without storing the clip.")
    promised_p50_s: float | None = None
    promised_p90_s: float | None = None
    spent: int = Field(default=0, description="Millionths of a dollar, by all attempts.")

    @property
    def pace(self) -> str:
        """The name under which the length of its render is remembered."""
        return pace(self.engine, self.preset)

    @property
    def succeeded(self) -> bool:
        """Whether there is a clip."""
        return self.status is JobStatus.SUCCEEDED

    @property
    def lead_s(self) -> float | None:
        """Seconds from admission to the start of the render; None where attempts failed before."""
        known = self.started_at is not None and self.attempt == 1
        return max(0.0, (self.started_at or 0.0) - self.admitted_at) if known else None

    @property
    def drawing_s(self) -> float | None:
        """Seconds from the start of the last attempt's render until the clip was ready."""
        if not self.succeeded:
            return None
        return self.render_s if self.started_at is None else max(0.0, self.ended_at - self.started_at)

    @property
    def credit_s(self) -> float:
        """Its head start, in seconds."""
        return self.requested_at - self.start_number


class Judged(BaseModel):
    """A promise and what became of it, in seconds from the request to the clip."""

    model_config = ConfigDict(frozen=True)

    job_id: str
    lane: str
    promised_p50_s: float
    promised_p90_s: float
    actual_s: float

    @property
    def error(self) -> float:
        """How far off the promise was, as a share of the true wait; negative when it was too short."""
        return (self.promised_p50_s - self.actual_s) / max(self.actual_s, 1.0)

    @property
    def kept(self) -> bool:
        """Whether the clip was there within the longer time."""
        return self.actual_s <= self.promised_p90_s


class History:
    """Reads what the scripts wrote. It keeps what it read and asks only for news."""

    def __init__(self, redis: store.Client) -> None:
        self._redis = redis
        self._promise = store.script(redis, "promise")
        self._raw: list[str] = []
        self._ended: list[Ended] = []

    async def ended(self, newest: str | None = None) -> list[Ended]:
        """Return the last jobs that had a slot, the newest first.

        With the `newest` entry of a survey nothing is asked when it is known already. The list is the same object for
        as long as nothing has changed.
        """
        if newest is not None and newest == (self._raw[0] if self._raw else ""):
            return self._ended
        raw = await self._redis.lrange(store.ENDED, 0, NEWS - 1)
        if self._raw and self._raw[0] in raw:
            if news := raw[: raw.index(self._raw[0])]:
                self._raw = (news + self._raw)[:KEPT]
                self._ended = (_readable(news) + self._ended)[:KEPT]
        else:
            self._raw = await self._redis.lrange(store.ENDED, 0, KEPT - 1)
            self._ended = _readable(self._raw)
        return self._ended

    async def promise(self, job_id: str, p50_s: float, p90_s: float) -> None:
        """Write down what a job was promised when it was accepted: seconds from now until its clip.

        The first word counts. A job that is gone is left alone.
        """
        await self._promise(args=[job_id, f"{p50_s:.1f}", f"{p90_s:.1f}"])

    async def judged(self) -> list[Judged]:
        """Return the promises to jobs that have got their clip, the newest first."""
        return judged(await self.ended())


def judged(ended: list[Ended]) -> list[Judged]:
    """Return what became of the promises to these jobs; those without a clip were promised none in time."""
    return [
        Judged(
            job_id=job.job_id,
            lane=job.lane,
            promised_p50_s=job.promised_p50_s,
            promised_p90_s=job.promised_p90_s,
            actual_s=job.ended_at - job.requested_at,
        )
        for job in ended
        if job.succeeded and job.promised_p50_s is not None and job.promised_p90_s is not None
    ]


def _readable(raw: list[str]) -> list[Ended]:
    """Return what can be read: one broken entry must not cost everybody their estimate."""
    found: list[Ended] = []
    for entry in raw:
        try:
            found.append(Ended.model_validate_json(entry))
        except ValidationError as error:
            log.error("history.unreadable", problems=error.error_count())  # noqa: TRY400 - the entry is not for logs
    return found
