"""POST /generate: a viewer's request comes in."""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from api.documents import AcceptedDocument
from api.door import Caller, at_least, speaker
from api.errors import described
from api.forecast import Estimate, eta_of, whole_seconds
from api.gate import SOMEBODY
from api.once import Key, fingerprint_of
from api.plan import CAST, SEEDS, Remix, Wish, estimate_of, plan
from api.state import State, Studio
from api.terms import terms_of
from sakuga.budget import dollars
from sakuga.errors import Forbidden, PromptRefused
from sakuga.job import Job, RequestedBy, new_job_id
from sakuga.lane import lane_of
from sakuga.log import about, get_logger
from sakuga.prompt import clean_name
from sakuga.queue import REQUEST_KEPT
from sakuga.redemption import Redeemed
from sakuga.role import Role

log = get_logger("generate")
router = APIRouter(tags=["jobs"])


class GenerateRequest(BaseModel):
    """What to draw and for whom. Only the prompt is required."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {"prompt": "girl with sword, neon rain"},
                {
                    "prompt": "girl with sword, neon rain",
                    "style": "neon",
                    "duration": 5,
                    "engine": "rehearsal",
                    "preset": "live",
                    "seed": 7,
                    "requested_by": {
                        "platform": "twitch",
                        "id": "3000",
                        "login": "mika",
                        "display_name": "Mika",
                        "roles": ["subscriber"],
                        "bits": 300,
                    },
                },
            ]
        },
    )

    prompt: str = Field(
        description="What to draw. GET /catalog says how long it may be. For a remix: what to change, or empty."
    )
    remix: Remix | None = Field(
        default=None,
        description="The cut to draw anew: its prompt comes before this one, and its seed, style and characters count "
        "unless they are named. Without number and clip_id it is the clip on stage, else the newest.",
    )
    style: str | None = Field(
        default=None, max_length=40, description="A style of GET /catalog; the show's if left out."
    )
    duration: float | None = Field(
        default=None, allow_inf_nan=False, description="Seconds of the clip; the engine's usual length if left out."
    )
    engine: str | None = Field(
        default=None,
        max_length=60,
        description="An engine of GET /catalog; the first that can draw the characters if left out.",
    )
    preset: str | None = Field(
        default=None,
        max_length=20,
        description="How much the render may take: one of the presets that the engine has in GET /catalog.",
    )
    characters: list[Annotated[str, Field(max_length=40)]] = Field(
        default_factory=list, max_length=CAST, description="Characters of GET /catalog, up to three."
    )
    seed: int | None = Field(
        default=None,
        ge=0,
        lt=SEEDS,
        description="The same prompt, style and seed draw the same clip; chosen if left out.",
    )
    requested_by: RequestedBy = Field(default_factory=RequestedBy, description="The viewer who asked.")
    message_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        pattern=r"^[!-~]+$",
        description="The chat message that asks, by its platform's id; from a bot's key upwards. If it is deleted, "
        "POST /retractions takes the job back by it.",
        examples=["cc106a89-1814-919d-454c-f4f2f970aae7"],
    )
    redemption: Redeemed | None = Field(
        default=None,
        description="Channel points that were spent on it; from a bot's key. They are kept if there is a clip of it, "
        "else given back: GET /redemptions?state=due lists what is to be told to the platform.",
    )

    @property
    def wish(self) -> Wish:
        """What is to be drawn, without for whom."""
        return Wish(
            self.prompt,
            self.style,
            tuple(self.characters),
            engine=self.engine,
            preset=self.preset,
            duration=self.duration,
            seed=self.seed,
            remix=self.remix,
        )


@router.post(
    "/generate",
    status_code=202,
    responses=described(400, 404, 409, 413, 415, 422, 429),
    summary="Ask for a clip",
)
async def generate(
    request: GenerateRequest,
    caller: Annotated[Caller, at_least(Role.VIEWER)],
    studio: Studio,
    response: Response,
    key: Key = None,
) -> AcceptedDocument:
    """Take in a request: it is checked, priced in head start, and waits for a slot.

    Everything is checked before anything is accepted. Follow the job at `status_url`.
    """
    accepted = await take_in(request, caller, studio, key)
    response.headers["Location"] = accepted.status_url
    return accepted


async def take_in(request: GenerateRequest, caller: Caller, studio: State, key: str | None) -> AcceptedDocument:
    """Check a request, price it and put it into the queue: the one way in, whatever the route.

    With a `key` that this caller has used for the same request, the first answer is given again. Raises RequestRefused.
    """
    catalog = studio.catalog
    asked_by = speaker(caller, request.requested_by if "requested_by" in request.model_fields_set else None)
    lane = lane_of(asked_by.roles, 0)  # bits make it another, with those of the purse: see sakuga/lua/submit.lua
    soon = await studio.recent_forecast()
    terms = terms_of(asked_by, lane, catalog, retry_after_s=whole_seconds(soon.seconds_each()) or 1)
    if request.message_id is not None:
        if not caller.may(Role.BOT):
            raise Forbidden(needs=Role.BOT.label, role=caller.role.label if caller.role else "none")
        terms = replace(terms, message=f"{asked_by.platform}:{request.message_id}")
    if request.redemption is not None:
        if not caller.may(Role.BOT):
            raise Forbidden(needs=Role.BOT.label, role=caller.role.label if caller.role else "none")
        terms = replace(terms, redemption=request.redemption)
    fingerprint = fingerprint_of(request)
    kept = REQUEST_KEPT if key else timedelta(seconds=catalog.limits.double_s)
    key = f"{caller.key_id}:{key}" if key else f"{caller.key_id}:{asked_by.viewer}:{fingerprint}" if kept else None
    asks = {"requested_by": asked_by.model_dump_json()}
    if again := await studio.queue.check(asks, terms, key=key, fingerprint=fingerprint):
        return await _accepted(*await studio.queue.look(again), studio)

    planned = await plan(request.wish, studio)
    verdict = await studio.gate.judge(planned.prompt, kind="prompt", policy=catalog.gate)
    if verdict.refused:
        raise PromptRefused(reason=verdict.reason)
    terms = replace(
        terms,
        estimate=await estimate_of(planned, soon.paces, studio),
        held_for="" if verdict.accepted else verdict.reason,
    )
    viewer = await shown(asked_by, studio)
    job, place = await studio.queue.submit(
        new_job_id(),
        {
            **planned.fields,
            "direction": await studio.helper.direct(planned.prompt, verdict=verdict, catalog=catalog),
            "lane": lane,
            "requested_by": viewer.model_dump_json(),
        },
        catalog.lanes.credits_for(viewer.roles, 0),
        terms,
        key=key,
        key_kept=kept,
        fingerprint=fingerprint,
    )
    with about(job_id=job.id, cut=job.cut):
        log.info("job.held" if terms.held_for else "job.queued", lane=job.lane, engine=job.engine, place=place)
        return await _accepted(job, place, studio, fresh=True)


async def shown(asked_by: RequestedBy, studio: State) -> RequestedBy:
    """Return who asks by a name that may be on air; who they are for limits and bans stays the same."""
    login, name = clean_name(asked_by.login), clean_name(asked_by.display_name)
    for said in dict.fromkeys((login, name)):
        if said and not (await studio.gate.judge(said, kind="name", policy=studio.catalog.gate)).accepted:
            known = asked_by.viewer.partition(":")[2][:64]
            return asked_by.model_copy(update={"id": known, "login": "", "display_name": SOMEBODY})
    return asked_by.model_copy(update={"login": login, "display_name": name})


async def _foreseen(job: Job, place: int | None, studio: State) -> Estimate | None:
    return (await studio.forecast()).estimate(job, place)


async def promised(job: Job, place: int | None, studio: State) -> Estimate | None:
    """Return when a fresh job is likely ready, and remember that this was said."""
    estimate = await _foreseen(job, place, studio)
    if estimate:
        await studio.forecaster.history.promise(job.id, estimate.p50_s, estimate.p90_s)
    return estimate


async def _accepted(job: Job, place: int | None, studio: State, *, fresh: bool = False) -> AcceptedDocument:
    estimate = await (promised(job, place, studio) if fresh else _foreseen(job, place, studio))
    return AcceptedDocument(
        job_id=job.id,
        number=job.number,
        cut=job.cut,
        status=job.status,
        queue_position=place,
        **eta_of(estimate),
        estimate_usd=dollars(job.estimate),
        status_url=f"/status/{job.id}",
    )
