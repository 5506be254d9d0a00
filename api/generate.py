"""POST /generate: a viewer's request comes in."""

import json
import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from api import choice
from api.documents import AcceptedDocument
from api.door import Caller, at_least, speaker
from api.errors import described
from api.forecast import eta_of, whole_seconds
from api.gate import SOMEBODY
from api.once import Key, fingerprint_of
from api.pricing import foreseen, price_of
from api.state import State, Studio
from api.terms import terms_of
from sakuga.budget import dollars
from sakuga.errors import PromptRefused
from sakuga.job import Job, RequestedBy, new_job_id
from sakuga.lane import lane_of
from sakuga.log import about, get_logger
from sakuga.prompt import clean_name, clean_prompt
from sakuga.queue import REQUEST_KEPT
from sakuga.role import Role

log = get_logger("generate")
router = APIRouter(tags=["jobs"])

SEEDS = 2**32
CAST = 3  # characters in a clip


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

    prompt: str = Field(description="What to draw. GET /catalog says how long it may be.")
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


@router.post(
    "/generate",
    status_code=202,
    responses=described(400, 409, 413, 415, 422, 429),
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
    catalog = studio.catalog
    asked_by = speaker(caller, request.requested_by if "requested_by" in request.model_fields_set else None)
    lane = lane_of(asked_by.roles, asked_by.bits)
    soon = await studio.recent_forecast()
    terms = terms_of(asked_by, lane, catalog, retry_after_s=whole_seconds(soon.seconds_each()) or 1)
    fingerprint = fingerprint_of(request)
    kept = REQUEST_KEPT if key else timedelta(seconds=catalog.limits.double_s)
    key = f"{caller.key_id}:{key}" if key else f"{caller.key_id}:{asked_by.viewer}:{fingerprint}" if kept else None
    asks = {"requested_by": asked_by.model_dump_json()}
    if again := await studio.queue.check(asks, terms, key=key, fingerprint=fingerprint):
        return await _accepted(*await studio.queue.look(again), studio, response)

    prompt = clean_prompt(request.prompt, catalog.limits.prompt_length)
    style = choice.style(request.style, catalog)
    characters = list(dict.fromkeys(request.characters))
    spec = choice.engine(request.engine, characters, await studio.specs(), catalog)
    preset = choice.preset(request.preset, spec, catalog)
    duration_s = choice.duration(request.duration, spec)
    usd_per_s = price_of(spec, catalog.prices, await studio.workers()).usd_per_s
    verdict = await studio.gate.judge(prompt, kind="prompt", policy=catalog.gate)
    if verdict.refused:
        raise PromptRefused(reason=verdict.reason)
    terms = replace(
        terms,
        estimate=foreseen(soon.paces, usd_per_s, (spec.name, preset, duration_s)),
        held_for="" if verdict.accepted else verdict.reason,
    )
    viewer = await _shown(asked_by, studio)
    job, place = await studio.queue.submit(
        new_job_id(),
        {
            "prompt": prompt,
            "style": style,
            "engine": spec.name,
            "preset": preset,
            "characters": json.dumps(characters, ensure_ascii=False),
            "duration_s": duration_s,
            "seed": secrets.randbelow(SEEDS) if request.seed is None else request.seed,
            "lane": lane,
            "requested_by": viewer.model_dump_json(),
        },
        catalog.lanes.credits_for(viewer.roles, viewer.bits),
        terms,
        key=key,
        key_kept=kept,
        fingerprint=fingerprint,
    )
    with about(job_id=job.id, cut=job.cut):
        log.info("job.held" if terms.held_for else "job.queued", lane=job.lane, engine=job.engine, place=place)
        return await _accepted(job, place, studio, response, promised=True)


async def _shown(asked_by: RequestedBy, studio: State) -> RequestedBy:
    """Return who asks by a name that may be on air; who they are for limits and bans stays the same."""
    login, name = clean_name(asked_by.login), clean_name(asked_by.display_name)
    for said in dict.fromkeys((login, name)):
        if said and not (await studio.gate.judge(said, kind="name", policy=studio.catalog.gate)).accepted:
            known = asked_by.id or asked_by.login.lower()
            return asked_by.model_copy(update={"id": known, "login": "", "display_name": SOMEBODY})
    return asked_by.model_copy(update={"login": login, "display_name": name})


async def _accepted(
    job: Job, place: int | None, studio: State, response: Response, *, promised: bool = False
) -> AcceptedDocument:
    estimate = (await studio.forecast()).estimate(job, place)
    if promised and estimate:
        await studio.forecaster.history.promise(job.id, estimate.p50_s, estimate.p90_s)
    url = f"/status/{job.id}"
    response.headers["Location"] = url
    return AcceptedDocument(
        job_id=job.id,
        number=job.number,
        cut=job.cut,
        status=job.status,
        queue_position=place,
        **eta_of(estimate),
        estimate_usd=dollars(job.estimate),
        status_url=url,
    )
