"""POST /generate: a viewer's request comes in."""

import hashlib
import json
import secrets
from typing import Annotated

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel, ConfigDict, Field

from api import choice
from api.documents import AcceptedDocument
from api.errors import described
from api.forecast import whole_seconds
from api.state import Studio
from sakuga.job import RequestedBy, new_job_id
from sakuga.lane import lane_of
from sakuga.prompt import clean_name, clean_prompt

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


Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        description="A name for this request, such as the chat message's id. Sent again, it returns the first job.",
    ),
]


@router.post(
    "/generate",
    status_code=202,
    responses=described(400, 409, 413, 415, 422, 429),
    summary="Ask for a clip",
)
async def generate(request: GenerateRequest, studio: Studio, response: Response, key: Key = None) -> AcceptedDocument:
    """Take in a request: it is checked, priced in head start, and waits for a slot.

    Everything is checked before anything is accepted. Follow the job at `status_url`.
    """
    catalog = studio.catalog
    prompt = clean_prompt(request.prompt, catalog.limits.prompt_length)
    style = choice.style(request.style, catalog)
    characters = list(dict.fromkeys(request.characters))
    spec = choice.engine(request.engine, characters, await studio.specs(), catalog)
    preset = choice.preset(request.preset, spec, catalog)
    duration_s = choice.duration(request.duration, spec)
    viewer = request.requested_by.model_copy(
        update={
            "login": clean_name(request.requested_by.login),
            "display_name": clean_name(request.requested_by.display_name),
        }
    )
    soon = await studio.recent_forecast()
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
            "requested_by": viewer.model_dump_json(),
            "lane": lane_of(viewer.roles, viewer.bits),
        },
        catalog.lanes.credits_for(viewer.roles, viewer.bits),
        limit=catalog.limits.waiting,
        retry_after_s=whole_seconds(soon.seconds_each()) or 1,
        key=key,
        fingerprint=hashlib.blake2b(request.model_dump_json().encode(), digest_size=16).hexdigest(),
    )
    forecast = await studio.forecast()
    url = f"/status/{job.id}"
    response.headers["Location"] = url
    return AcceptedDocument(
        job_id=job.id,
        number=job.number,
        cut=job.cut,
        status=job.status,
        queue_position=place,
        eta_seconds=whole_seconds(forecast.until_ready_s(job, place)),
        status_url=url,
    )
