"""What moderators and voters do to one job: PATCH /jobs/{job_id}, POST /jobs/{job_id}/cancel and its sisters."""

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path
from pydantic import BaseModel, ConfigDict, Field, model_validator

from api import choice
from api.decision import Decision, Reason, reason_of
from api.documents import JOB_ID, Document, JobDocument, time_of
from api.door import Caller, at_least
from api.errors import described
from api.forecast import Forecast
from api.once import Key, fingerprint_of
from api.pricing import foreseen, price_of
from api.state import State, Studio
from sakuga.amendment import Amendment
from sakuga.errors import PromptRefused, RequestInvalid
from sakuga.job import Job
from sakuga.lane import Lane
from sakuga.prompt import clean_prompt
from sakuga.role import Role

router = APIRouter(prefix="/jobs", tags=["moderation"])
decisions = APIRouter(tags=["moderation"])

JobIdInPath = Annotated[str, Path(max_length=64, description="The job_id of POST /generate.", examples=[JOB_ID])]
Moderator = Annotated[Caller, at_least(Role.MODERATOR)]
Seen = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=60,
        description="The `revision` that you saw: then nothing is done if somebody was quicker.",
    ),
]


class JobChange(BaseModel):
    """What to change about a waiting job. What is left out stays as it is."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"position": 1, "reason": "requested by the guest"}, {"credit_seconds": 60}]},
    )

    credit_seconds: float | None = Field(
        default=None, ge=-86400, le=86400, allow_inf_nan=False, description="Head start to give, or to take away."
    )
    position: int | Literal["top", "bottom"] | None = Field(
        default=None, description="Place among those that wait: 1 or top is next; one behind the last is the last."
    )
    lane: Annotated[Lane, Field(strict=False)] | None = Field(
        default=None, description="Another lane, with the head start that it earns."
    )
    prompt: str | None = Field(default=None, description="Other words. They pass the same gate as a viewer's.")
    engine: str | None = Field(default=None, max_length=60, description="Another engine of GET /catalog.")
    reason: Reason = ""

    @model_validator(mode="after")
    def _sensible(self) -> "JobChange":
        if self.credit_seconds is not None and self.position is not None:
            msg = "credit_seconds and position both say where the job goes: send one of them"
            raise ValueError(msg)
        if isinstance(self.position, int) and not 1 <= self.position <= BOTTOM:
            msg = f"position is a place from 1 to {BOTTOM}, top or bottom"
            raise ValueError(msg)
        return self


class Voice(BaseModel):
    """Which viewer says so."""

    model_config = ConfigDict(extra="forbid", strict=True)

    viewer: str = Field(
        min_length=3,
        max_length=80,
        pattern=r"^[a-z]+:[^\s/]+$",
        description="Platform and id of the viewer, as in twitch:3000.",
        examples=["twitch:3000"],
    )


class ModeratedDocument(JobDocument):
    """A job as moderators see it."""

    revision: int = Field(description="Grows with every change; for If-Match.", examples=[3])
    viewer: str = Field(description="Who asked, as bans and votes name them.", examples=["twitch:3000"])
    held_for: str = Field(description="Why it waits for a moderator.", examples=["word list: hold"])
    expires_at: str | None = Field(description="When it expires unless it has started.")
    retried_as: str | None = Field(description="The job that it was tried again as.")
    direction: str = Field(description="What the engine is told in the prompt's place, by the prompt helper.")

    @classmethod
    def of(cls, job: Job, place: int | None, forecast: Forecast) -> "ModeratedDocument":
        """Describe a job, with its prompt."""
        return cls(
            **cls.fields_of(job, place, forecast) | {"prompt": job.prompt},
            revision=job.revision,
            viewer=job.viewer,
            held_for=job.held_for,
            expires_at=time_of(job.expires_at) if job.expires_at else None,
            retried_as=job.retried_as or None,
            direction=job.direction,
        )


class ModeratedJobsDocument(Document):
    """Some jobs as moderators see them."""

    jobs: list[ModeratedDocument]


class CancelDocument(Document):
    """How far a cancel has come."""

    job_id: str = Field(examples=[JOB_ID])
    status: Literal["cancelled", "cancelling", "succeeded", "failed", "rejected", "expired"] = Field(
        description="`cancelling` until the worker that draws it has stopped: poll GET /status/{job_id}; "
        "else how the job has ended.",
        examples=["cancelled"],
    )


class VotesDocument(Document):
    """How many want to see a job."""

    job_id: str = Field(examples=[JOB_ID])
    votes: int = Field(examples=[2])


BOTTOM = 1_000_000


async def _document(job: Job, studio: State) -> ModeratedDocument:
    job, place = await studio.queue.look(job.id)
    return ModeratedDocument.of(job, place, await studio.forecast())


@router.get("/{job_id}", responses=described(404, 422), summary="A job as moderators see it")
async def job(job_id: JobIdInPath, caller: Moderator, studio: Studio) -> ModeratedDocument:
    """Return a job with its prompt, its viewer, and the revision that a change may name."""
    del caller
    return await _document((await studio.queue.look(job_id))[0], studio)


@router.patch("/{job_id}", responses=described(400, 404, 409, 413, 415, 422), summary="Change a waiting job")
async def change(
    job_id: JobIdInPath, wanted: JobChange, caller: Moderator, studio: Studio, *, seen: Seen = None, key: Key = None
) -> ModeratedDocument:
    """Move a waiting job, give it head start, or change what it asks for. 409 with its state once it has begun."""
    job, _ = await studio.queue.look(job_id)
    fields: dict[str, str | float] = {}
    doubt = ""
    if wanted.engine is not None:
        fields |= await _by(wanted.engine, job, studio)
    if wanted.prompt is not None:
        prompt = fields["prompt"] = clean_prompt(wanted.prompt, studio.catalog.limits.prompt_length)
        verdict = await studio.gate.judge(prompt, kind="edit", policy=studio.catalog.gate)
        if verdict.refused:
            raise PromptRefused(reason=verdict.reason)
        doubt = verdict.reason
    places = {"top": 1, "bottom": BOTTOM}
    asked = wanted.position
    job = await studio.moderation.amend(
        job_id,
        Amendment(
            credit_s=wanted.credit_seconds,
            place=places[asked] if isinstance(asked, str) else asked,
            lane=wanted.lane,
            lane_credits=tuple(studio.catalog.lanes.credits_of(wanted.lane)) if wanted.lane else (),
            fields=fields,
            held_for=doubt,
            reason=wanted.reason,
            key=f"{caller.key_id}:{key}" if key else "",
            fingerprint=fingerprint_of(wanted),
        ),
        by=caller.by,
        revision=_revision(seen),
    )
    return await _document(job, studio)


async def _by(engine: str, job: Job, studio: State) -> dict[str, str | float]:
    """Return what changes about a job that another engine is to draw, as long as that one can."""
    spec = choice.engine(engine, job.characters, await studio.specs(), studio.catalog)
    preset = choice.preset(None, spec, studio.catalog)
    duration_s = min(max(job.duration_s, spec.shortest_s), spec.longest_s)
    usd_per_s = price_of(spec, studio.catalog.prices, await studio.workers()).usd_per_s
    paces = (await studio.recent_forecast()).paces
    estimate = foreseen(paces, usd_per_s, (spec.name, preset, duration_s))
    return {"engine": spec.name, "preset": preset, "duration_s": duration_s, "estimate": estimate}


def _revision(seen: str | None) -> int | None:
    if seen is None or seen == "*":
        return None
    text = seen.strip('"').partition(".")[0]  # the ETag of /status begins with it
    if not text.isdecimal():
        raise RequestInvalid(param="If-Match", problem="Send the revision of the job that you saw, as in 3")
    return int(text)


@router.post("/{job_id}/cancel", responses=described(400, 404, 413, 415, 422), summary="Stop a job")
async def cancel(job_id: JobIdInPath, caller: Moderator, studio: Studio, why: Decision | None = None) -> CancelDocument:
    """End a job wherever it is; a running one stops its GPU. Once it has ended, that is the answer."""
    status = await studio.moderation.cancel(job_id, by=caller.by, reason=reason_of(why))
    return CancelDocument.model_validate({"job_id": job_id, "status": status})


@router.post("/{job_id}/hold", responses=described(400, 404, 409, 413, 415, 422), summary="Hold a job back")
async def hold(
    job_id: JobIdInPath, caller: Moderator, studio: Studio, why: Decision | None = None
) -> ModeratedDocument:
    """Take a waiting job out of the order until it is approved or rejected."""
    return await _document(await studio.moderation.hold(job_id, by=caller.by, reason=reason_of(why)), studio)


@router.post("/{job_id}/approve", responses=described(400, 404, 409, 413, 415, 422), summary="Approve a held job")
async def approve(
    job_id: JobIdInPath, caller: Moderator, studio: Studio, why: Decision | None = None
) -> ModeratedDocument:
    """Let a held job wait for its turn, at the place that its start number gives it."""
    job = await studio.moderation.approve(job_id, by=caller.by, reason=reason_of(why))
    return await _document(job, studio)


@router.post("/{job_id}/reject", responses=described(400, 404, 409, 413, 415, 422), summary="Reject a job")
async def reject(
    job_id: JobIdInPath, caller: Moderator, studio: Studio, why: Decision | None = None
) -> ModeratedDocument:
    """End a held or waiting job for what it asks."""
    job = await studio.moderation.reject(job_id, by=caller.by, reason=reason_of(why))
    return await _document(job, studio)


@router.post("/{job_id}/retry", responses=described(400, 404, 409, 413, 415, 422), summary="Try a job again")
async def retry(
    job_id: JobIdInPath, caller: Moderator, studio: Studio, why: Decision | None = None
) -> ModeratedDocument:
    """Ask once more for what ended without a clip, at its old place in time. Sent twice, it is the same job."""
    job = await studio.moderation.retry(job_id, by=caller.by, reason=reason_of(why))
    return await _document(job, studio)


@router.post("/{job_id}/upvote", responses=described(400, 404, 409, 413, 415, 422), summary="Vote for a waiting job")
async def upvote(
    job_id: JobIdInPath, voice: Voice, caller: Annotated[Caller, at_least(Role.BOT)], studio: Studio
) -> VotesDocument:
    """Count a viewer's vote for a waiting job, once. Votes are head start, up to a cap."""
    del caller
    votes = await studio.votes.upvote(job_id, voice.viewer, studio.catalog.votes)
    return VotesDocument(job_id=job_id, votes=votes)


@router.post("/{job_id}/withdraw", responses=described(400, 404, 413, 415, 422), summary="Take back the own job")
async def withdraw(
    job_id: JobIdInPath, voice: Voice, caller: Annotated[Caller, at_least(Role.BOT)], studio: Studio
) -> CancelDocument:
    """End a job for the viewer who asked for it, as a moderator's cancel does. 403 if it is somebody else's."""
    del caller
    status = await studio.queue.withdraw(job_id, voice.viewer)
    return CancelDocument.model_validate({"job_id": job_id, "status": status})


@decisions.get("/held", responses=described(), summary="What waits for a moderator")
async def held(caller: Moderator, studio: Studio) -> ModeratedJobsDocument:
    """Return the jobs that wait for a decision, with their prompts, the next first."""
    del caller
    forecast = await studio.forecast()
    jobs = await studio.moderation.held()
    return ModeratedJobsDocument(jobs=[ModeratedDocument.of(job, None, forecast) for job in jobs])


@decisions.get("/viewers/{viewer}/jobs", responses=described(422), summary="A viewer's jobs")
async def jobs_of(
    viewer: Annotated[str, Path(max_length=80, description="As in twitch:3000.", examples=["twitch:3000"])],
    caller: Moderator,
    studio: Studio,
) -> ModeratedJobsDocument:
    """Return a viewer's newest jobs, the newest first; those that ended are kept for three days."""
    del caller
    forecast = await studio.forecast()
    jobs = await studio.moderation.jobs_of(viewer)
    return ModeratedJobsDocument(jobs=[ModeratedDocument.of(job, None, forecast) for job in jobs])
