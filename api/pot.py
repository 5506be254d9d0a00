"""The pot: viewers put words into it together, and when its clock has run out the gateway makes one job of them."""

import asyncio
import json
from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from redis.exceptions import RedisError
from ulid import ULID

from api.documents import Document, JobId, Time, time_of
from api.door import Caller, at_least, reads, speaker
from api.errors import described
from api.forecast import whole_seconds
from api.generate import promised, shown
from api.once import Key
from api.plan import Wish, estimate_of, plan
from api.state import State, Studio
from api.terms import terms_of
from sakuga.errors import Forbidden, MessageRetracted, PromptRefused, RequestRefused, SakugaError, StudioNotReady
from sakuga.job import Job, RequestedBy, new_job_id
from sakuga.lane import Lane
from sakuga.log import about, get_logger
from sakuga.pot import Pot, PotLine, PotState, Poured, credited
from sakuga.pots import BETWEEN, Joined
from sakuga.queue import REQUEST_KEPT
from sakuga.role import Role
from sakuga.terms import Terms

log = get_logger("pot")
router = APIRouter(tags=["jobs"])

EVERY_S = 1.0
TRIES = 3  # of a line that finds the pot full or due: it is poured first, and another one opened
FOR_ALL = RequestedBy()


class PotRequest(BaseModel):
    """What a viewer puts into the pot."""

    model_config = ConfigDict(extra="forbid", strict=True)

    words: str = Field(description="What to draw among the rest.", examples=["a cat on the roof"])
    requested_by: RequestedBy = Field(default_factory=RequestedBy, description="The viewer.")
    message_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        pattern=r"^[!-~]+$",
        description="The chat message that it came with, by its platform's id; from a bot's key upwards.",
    )


class PotDocument(Document):
    """A pot."""

    pot_id: str = Field(examples=["pot_01KAFK3V5N8ZQ6W3Y7T2M4R9XB"])
    state: PotState = Field(description="`spilled` is one of which nothing was made.", examples=["open"])
    names: list[str] = Field(description="Whose words are in it; empty once it is poured.", examples=[["Mika", "Jo"]])
    opened_at: Time
    closes_at: Time
    job_id: JobId | None = Field(description="The job that was made of it.")
    reason: str | None = Field(description="Code of the refusal for which nothing was made of it.", examples=[None])

    @classmethod
    def of(cls, pot: Pot) -> "PotDocument":
        """Describe a pot."""
        return cls(
            pot_id=pot.id,
            state=pot.state,
            names=pot.names,
            opened_at=time_of(pot.opened_at),
            closes_at=time_of(pot.closes_at),
            job_id=pot.job_id,
            reason=pot.reason,
        )


class PotsDocument(Document):
    """What is being put together."""

    pot: PotDocument | None = Field(description="The one that is open, or the last one for an hour.")
    poured: list[Poured] = Field(description="What became of the last ten within an hour, the newest first.")


class JoinedDocument(Document):
    """A pot that somebody has put words into."""

    joined: Literal["opened", "joined", "again"] = Field(description="`again` if that was done before.")
    pot: PotDocument


@router.get("/pot", dependencies=reads(), responses=described(), summary="What viewers put together")
async def pot(studio: Studio) -> PotsDocument:
    """Return the pot that is open, or the last one."""
    found = await studio.pots.now()
    return PotsDocument(pot=PotDocument.of(found) if found else None, poured=await studio.pots.past())


@router.post("/pot", responses=described(400, 409, 413, 415, 422, 429), summary="Put words into the pot")
async def join(
    request: PotRequest, caller: Annotated[Caller, at_least(Role.VIEWER)], studio: Studio, key: Key = None
) -> JoinedDocument:
    """Put a viewer's words into the open pot in place of their last ones, or open a pot with them.

    When its clock has run out, one job is made of all lines, with everybody credited. It counts for nobody's limits.
    """
    catalog = studio.catalog
    asked_by = speaker(caller, request.requested_by if "requested_by" in request.model_fields_set else None)
    if request.message_id is not None and not caller.may(Role.BOT):
        raise Forbidden(needs=Role.BOT.label, role=caller.role.label if caller.role else "none")
    planned = await plan(Wish(request.words), studio)
    verdict = await studio.gate.judge(planned.prompt, kind="prompt", policy=catalog.gate)
    if verdict.refused:
        raise PromptRefused(reason=verdict.reason)
    soon = await studio.recent_forecast()
    terms = replace(await _terms(studio), estimate=await estimate_of(planned, soon.paces, studio))
    await studio.queue.check({"requested_by": FOR_ALL.model_dump_json()}, terms)
    who = await shown(asked_by, studio)
    line = PotLine(
        viewer=asked_by.viewer or f"nobody:{ULID()}",
        platform=who.platform,
        called=[name for name in dict.fromkeys((asked_by.viewer, asked_by.by_login)) if name],
        login=who.login,
        name=who.name,
        words=planned.prompt,
        message=f"{asked_by.platform}:{request.message_id}" if request.message_id else "",
        held_for="" if verdict.accepted else verdict.reason,
    )
    joined = await _joined(line, studio, f"{caller.key_id}:{key}" if key else "")
    found = await studio.pots.now()
    if found is None or joined == "due":
        raise StudioNotReady
    log.info("pot.joined", how=joined, pot_id=found.id, lines=len(found.lines))
    return JoinedDocument(joined=joined, pot=PotDocument.of(found))


async def _joined(line: PotLine, studio: State, key: str) -> Joined:
    limits, joined = studio.catalog.limits, "due"
    for _ in range(TRIES):
        joined = await studio.pots.join(line, studio.catalog.pot, room=limits.prompt_length, key=key)
        if joined != "due":
            return joined
        await pour(studio)
    return "due"


async def _terms(studio: State) -> Terms:
    """Return what is demanded of a job for all: no viewer's own limits."""
    soon = await studio.recent_forecast()
    again_s = whole_seconds(soon.seconds_each()) or 1
    terms = terms_of(FOR_ALL, Lane.VIEWER, studio.catalog, retry_after_s=again_s)
    return replace(terms, active=Terms().active, cooldown_s=0)


async def pour(studio: State) -> Job | None:
    """Make one job of the pot whose clock has run out, and return it; None if there is none, or nothing came of it.

    However many gateways do so, and wherever one of them dies, it is one job: its key is the pot's name. Raises what
    is the studio's own trouble; the pot is poured after it.
    """
    due = await studio.pots.close(studio.catalog.pot)
    if due is None:
        return None
    try:
        if not due.lines:
            raise MessageRetracted
        job = await _made(due, studio)
    except RequestRefused as error:
        if isinstance(error, StudioNotReady):
            raise
        log.info("pot.spilled", pot_id=due.id, code=error.code)
        await studio.pots.poured(due, reason=error.code)
        return None
    verdict = await studio.pots.poured(due, job_id=job.id)
    if verdict == "left":
        await studio.queue.cancel(job.id)
        await studio.pots.poured(due, reason=MessageRetracted.code)
        return None
    if verdict == "ok":
        with about(job_id=job.id, cut=job.cut):
            log.info("pot.poured", pot_id=due.id, lines=len(due.lines))
    return job


async def _made(due: Pot, studio: State) -> Job:
    planned = await plan(Wish(BETWEEN.join(line.words for line in due.lines)), studio)
    # Harmless words may make something else together. Nobody said that, so a moderator looks at it.
    verdict = await studio.gate.judge(planned.prompt, kind="prompt", policy=studio.catalog.gate)
    held_for = "" if verdict.accepted else verdict.reason
    soon = await studio.recent_forecast()
    terms = replace(
        await _terms(studio),
        estimate=await estimate_of(planned, soon.paces, studio),
        held_for=held_for or next((line.held_for for line in due.lines if line.held_for), ""),
        messages=tuple(line.message for line in due.lines if line.message),
    )
    direction = await studio.helper.direct(planned.prompt, verdict=verdict, catalog=studio.catalog)
    job, place = await studio.queue.submit(
        new_job_id(),
        {**planned.fields, "direction": direction, "lane": Lane.VIEWER, **_authors(due)},
        [],
        terms,
        key=f"pot:{due.id}",
        key_kept=REQUEST_KEPT,
        fingerprint=due.id,
    )
    await promised(job, place, studio)
    return job


def _authors(due: Pot) -> dict[str, str]:
    """Return who asks: one as if they had asked alone; of several none, who could take it back for all."""
    first = due.lines[0]
    if len(due.lines) == 1:
        known = "" if first.viewer.startswith("nobody:") else first.viewer.partition(":")[2][:64]
        alone = {"platform": first.platform, "id": known, "login": first.login, "display_name": first.name}
        return {"requested_by": RequestedBy.model_validate(alone).model_dump_json()}
    together = RequestedBy.model_validate({"platform": first.platform, "display_name": credited(due.names)})
    called = dict.fromkeys(name for line in due.lines for name in line.called)
    return {
        "requested_by": together.model_dump_json(),
        "ensemble": json.dumps(due.names, ensure_ascii=False),
        "crowd": json.dumps([*called], ensure_ascii=False),
    }


async def keep_pouring(studio: State) -> None:
    """Pour each pot whose clock has run out, for ever."""
    while True:
        try:
            await pour(studio)
        except (RedisError, OSError, SakugaError) as error:
            log.debug("pot.put_off", reason=type(error).__name__)
        except Exception:  # a pot that can't be poured must not end the care for all others
            log.exception("pot.broke")
        await asyncio.sleep(EVERY_S)
